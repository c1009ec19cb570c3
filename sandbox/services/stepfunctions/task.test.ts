import { describe, expect, it } from 'vitest';
import { skippingClock } from '../../clock.ts';
import { AwsError } from '../../service.ts';
import { fakeWorld, ROLE, type Event, type Handler } from './fake-world.ts';

const machine = (states: object, more: object = {}) => ({ QueryLanguage: 'JSONata', StartAt: Object.keys(states)[0], States: states, ...more });
const invoke = { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', Arguments: { FunctionName: 'plan', Payload: { in: '{% $states.input %}' } } };
const outputOf = (execution: { readonly output?: string }): unknown => JSON.parse(execution.output ?? 'null');
const types = (events: readonly Event[]) => events.map(({ type }) => type);
const answers = (payload: unknown): Handler => () => ({ StatusCode: 200, ExecutedVersion: '$LATEST', Payload: Buffer.from(JSON.stringify(payload)) });
const throws = (errorType: string | undefined): Handler => () => ({ StatusCode: 200, FunctionError: 'Unhandled', Payload: Buffer.from(JSON.stringify({ errorType, errorMessage: 'no' })) });
const refuses = (code: string, status = 400): Handler => () => { throw new AwsError(code, 'because', status); };
const seconds = ({ startDate, stopDate }: { readonly startDate: Date; readonly stopDate: Date }) => Math.round((stopDate.getTime() - startDate.getTime()) / 1000);

describe('lambda:invoke', () => {
  it('sends the payload as the role and reads the answer', async () => {
    const fake = fakeWorld({ 'lambda.Invoke': (input) => answers({ got: JSON.parse(String(input['Payload'])) })(input) });
    const execution = await fake.execute(machine({ Call: { ...invoke, Output: '{% $states.result.Payload %}', End: true } }), { a: 1 });
    expect(outputOf(execution)).toEqual({ got: { in: { a: 1 } } });
    expect(fake.calls[0]).toMatchObject({ service: 'lambda', operation: 'Invoke', as: { kind: 'role', principalArn: ROLE } });
    const events = await fake.history(execution.executionArn);
    expect(types(events)).toEqual(['ExecutionStarted', 'TaskStateEntered', 'TaskScheduled', 'TaskStarted', 'TaskSucceeded', 'TaskStateExited', 'ExecutionSucceeded']);
    expect(events[2]).toMatchObject({ taskScheduledEventDetails: { resource: 'invoke', resourceType: 'lambda', region: 'us-east-1', parameters: '{"FunctionName":"plan","Payload":{"in":{"a":1}}}' } });
  });

  it("gives a function's error its type as the name and its payload as the cause", async () => {
    expect(await fakeWorld({ 'lambda.Invoke': throws('NotTheSameError') }).execute(machine({ Call: { ...invoke, End: true } }))).toMatchObject({
      error: 'NotTheSameError',
      cause: '{"errorType":"NotTheSameError","errorMessage":"no"}',
    });
    expect((await fakeWorld({ 'lambda.Invoke': throws(undefined) }).execute(machine({ Call: { ...invoke, End: true } }))).error).toBe('Lambda.Unknown');
  });

  it.each([
    ['ServiceException', 500, 'Lambda.ServiceException'],
    ['TooManyRequestsException', 429, 'Lambda.TooManyRequestsException'],
    ['ResourceNotFoundException', 404, 'Lambda.ResourceNotFoundException'],
    ['AccessDeniedException', 403, 'Lambda.AWSLambdaException'],
  ])('names %s as AWS does', async (code, status, error) => {
    const { cause, ...execution } = await fakeWorld({ 'lambda.Invoke': refuses(code, status) }).execute(machine({ Call: { ...invoke, End: true } }));
    expect(execution.error).toBe(error);
    expect(cause).toMatch(new RegExp(`^because \\(Service: AWSLambda; Status Code: ${status}; Error Code: ${code}; Request ID: [0-9a-f-]{36}; Proxy: null\\)$`));
  });

  it('fails on a result over 256 KiB in a way that can be caught', async () => {
    const large = machine({ Call: { ...invoke, Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Show' }], End: true }, Show: { Type: 'Pass', End: true } });
    expect(outputOf(await fakeWorld({ 'lambda.Invoke': answers('x'.repeat(300_000)) }).execute(large))).toEqual({
      Error: 'States.DataLimitExceeded',
      Cause: "The state/task 'lambda' returned a result with a size exceeding the maximum number of bytes service limit.",
    });
  });
});

describe('aws-sdk and optimized integrations', () => {
  const task = (resource: string, args: unknown) => machine({ Call: { Type: 'Task', Resource: `arn:aws:states:::${resource}`, Arguments: args, End: true } });

  it('speaks PascalCase to a service whose members are camelCase, and leaves data alone', async () => {
    const when = new Date('2026-01-02T03:04:05.678Z');
    const fake = fakeWorld({ 'states.DescribeExecution': () => ({ executionArn: 'a', startDate: when, inputDetails: { included: true } }), 'dynamodb.GetItem': () => ({ Item: { lowerCase: { S: 'kept' } } }) });
    expect(outputOf(await fake.execute(task('aws-sdk:sfn:describeExecution', { ExecutionArn: 'a' })))).toEqual({ ExecutionArn: 'a', StartDate: when.toISOString(), InputDetails: { Included: true } });
    expect(fake.calls[0]).toMatchObject({ service: 'states', operation: 'DescribeExecution', input: { executionArn: 'a' } });
    expect(outputOf(await fake.execute(task('aws-sdk:dynamodb:getItem', { TableName: 't', Key: { pk: { S: 'x' } } })))).toEqual({ Item: { lowerCase: { S: 'kept' } } });
    expect(fake.calls[1]?.input).toEqual({ TableName: 't', Key: { pk: { S: 'x' } } });
  });

  it.each([
    ['aws-sdk:s3:listObjects', 's3.ListObjects', { Bucket: 'b' }, 'NoSuchBucket', 404, 'S3.NoSuchBucketException', /^because \(Service: S3, Status Code: 404, Request ID: [^,]+, Extended Request ID: [^)]+\)$/],
    ['aws-sdk:s3:getBucketPolicy', 's3.GetBucketPolicy', { Bucket: 'b' }, 'AccessDenied', 403, 'S3.S3Exception', /Status Code: 403/],
    ['aws-sdk:dynamodb:putItem', 'dynamodb.PutItem', { TableName: 't' }, 'ConditionalCheckFailedException', 400, 'DynamoDb.ConditionalCheckFailedException', /Service: DynamoDb/],
    ['aws-sdk:dynamodb:putItem', 'dynamodb.PutItem', { TableName: 't' }, 'ValidationException', 400, 'DynamoDb.DynamoDbException', /Service: DynamoDb/],
    ['dynamodb:putItem', 'dynamodb.PutItem', { TableName: 't' }, 'ConditionalCheckFailedException', 400, 'DynamoDB.ConditionalCheckFailedException', /Service: AmazonDynamoDBv2; /],
    ['dynamodb:putItem', 'dynamodb.PutItem', { TableName: 't' }, 'ValidationException', 400, 'DynamoDB.AmazonDynamoDBException', /Error Code: ValidationException/],
    ['states:startExecution', 'states.StartExecution', { StateMachineArn: 'a' }, 'StateMachineDoesNotExist', 400, 'StepFunctions.StateMachineDoesNotExistException', /Service: AWSStepFunctions; /],
  ])('%s: %s %o %s is named as AWS does', async (resource, operation, args, code, status, error, cause) => {
    const execution = await fakeWorld({ [operation]: refuses(code, status) }).execute(task(resource, args));
    expect(execution.error).toBe(error);
    expect(execution.cause).toMatch(cause);
  });

  it('refuses members that the operation does not have', async () => {
    expect((await fakeWorld().execute(task('aws-sdk:s3:getBucketPolicy', { bucket: 'b' }))).cause).toContain('The field "bucket" is not supported by Step Functions');
  });
});

describe('Retry', () => {
  const failing = (error: string, times: number) => {
    let count = 0;
    return fakeWorld({ 'lambda.Invoke': (input) => (count++ < times ? throws(error)(input) : answers(count)(input)) });
  };
  const retrying = (...retriers: object[]) => machine({ Call: { ...invoke, Retry: retriers, Output: '{% [$states.result.Payload, $states.context.State.RetryCount] %}', End: true } });

  it('backs off by the rate, up to the maximum delay', async () => {
    const fake = failing('Busy', 4);
    const execution = await fake.execute(retrying({ ErrorEquals: ['Busy'], IntervalSeconds: 10, BackoffRate: 3, MaxAttempts: 5, MaxDelaySeconds: 60 }));
    expect(outputOf(execution)).toEqual([5, 4]);
    expect(seconds(execution)).toBe(10 + 30 + 60 + 60);
    expect(types(await fake.history(execution.executionArn)).filter((type) => type === 'TaskScheduled')).toHaveLength(5);
  });

  it('waits 1 s, 2 s and 4 s and then gives up, unless told otherwise', async () => {
    const execution = await failing('Busy', 9).execute(retrying({ ErrorEquals: ['States.ALL'] }));
    expect([execution.status, execution.error, seconds(execution)]).toEqual(['FAILED', 'Busy', 7]);
  });

  it('counts the attempts of each retrier by themselves', async () => {
    const errors = ['A', 'B', 'A', 'B', 'A'];
    const fake = fakeWorld({ 'lambda.Invoke': (input) => throws(errors.shift() ?? 'none')(input) });
    const execution = await fake.execute(retrying({ ErrorEquals: ['A'], MaxAttempts: 2, BackoffRate: 1 }, { ErrorEquals: ['B'], MaxAttempts: 5, IntervalSeconds: 100, BackoffRate: 1 }));
    expect([execution.error, seconds(execution)]).toEqual(['A', 202]);
  });

  it('spreads delays with full jitter', async () => {
    const execution = await failing('Busy', 1).execute(retrying({ ErrorEquals: ['Busy'], IntervalSeconds: 1000, JitterStrategy: 'FULL' }));
    expect(execution.status).toBe('SUCCEEDED');
    expect(seconds(execution)).toBeLessThan(1000);
  });

  it('does not retry what it does not name, nor with States.TaskFailed a time-out', async () => {
    expect(seconds(await failing('Other', 1).execute(retrying({ ErrorEquals: ['Busy'] })))).toBe(0);
    const waiting = machine({ Ask: { ...invoke, Resource: `${invoke.Resource}.waitForTaskToken`, TimeoutSeconds: 5, Retry: [{ ErrorEquals: ['States.TaskFailed'] }], End: true } });
    expect(seconds(await fakeWorld({ 'lambda.Invoke': answers({}) }).execute(waiting))).toBe(5);
  });
});

describe('Catch', () => {
  it('goes on with the error as output, and may assign and shape it', async () => {
    const states = {
      Call: { ...invoke, Catch: [{ ErrorEquals: ['Known'], Assign: { why: '{% $states.errorOutput.Error %}' }, Output: { input: '{% $states.input %}' }, Next: 'Show' }, { ErrorEquals: ['States.ALL'], Next: 'Plain' }], End: true },
      Show: { Type: 'Pass', Output: '{% [$why, $states.input] %}', End: true },
      Plain: { Type: 'Pass', End: true },
    };
    expect(outputOf(await fakeWorld({ 'lambda.Invoke': throws('Known') }).execute(machine(states), { a: 1 }))).toEqual(['Known', { input: { a: 1 } }]);
    expect(outputOf(await fakeWorld({ 'lambda.Invoke': throws('Else') }).execute(machine(states)))).toEqual({ Error: 'Else', Cause: '{"errorType":"Else","errorMessage":"no"}' });
  });

  it('catches an expression that failed', async () => {
    const states = { Call: { ...invoke, Output: '{% $states.result.missing %}', Catch: [{ ErrorEquals: ['States.QueryEvaluationError'], Output: 'caught', Next: 'Show' }], End: true }, Show: { Type: 'Pass', End: true } };
    const fake = fakeWorld({ 'lambda.Invoke': answers(1) });
    const execution = await fake.execute(machine(states));
    expect(outputOf(execution)).toBe('caught');
    expect(types(await fake.history(execution.executionArn)).slice(4, 7)).toEqual(['TaskSucceeded', 'EvaluationFailed', 'TaskStateExited']);
  });

  it('aborts the siblings of a failed iteration, and the state can catch it', async () => {
    const each = {
      Each: {
        Type: 'Map',
        ItemProcessor: { StartAt: 'Ok?', States: { 'Ok?': { Type: 'Choice', Choices: [{ Condition: '{% $states.input = 0 %}', Next: 'Bad' }], Default: 'Nap' }, Nap: { Type: 'Wait', Seconds: 1000, End: true }, Bad: { ...invoke, End: true } } },
        Catch: [{ ErrorEquals: ['Broken'], Next: 'Show' }],
        End: true,
      },
      Show: { Type: 'Pass', Output: '{% $states.input.Error %}', End: true },
    };
    const turns = async () => {
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    };
    const fake = fakeWorld({ 'lambda.Invoke': (input) => turns().then(() => throws('Broken')(input)) });
    const execution = await fake.execute(machine(each), [0, 1]);
    expect([outputOf(execution), seconds(execution)]).toEqual(['Broken', 0]);
    const events = await fake.history(execution.executionArn);
    const failed = events.find(({ type }) => type === 'TaskFailed')?.id;
    const after = events.slice(events.findIndex(({ type }) => type === 'MapIterationFailed'));
    expect(after.slice(0, 6).map(({ type, previousEventId }) => [type, previousEventId])).toEqual([
      ['MapIterationFailed', failed],
      ['TaskStateAborted', failed],
      ['MapIterationAborted', failed],
      ['WaitStateAborted', failed],
      ['MapStateFailed', failed],
      ['MapStateExited', after[4]?.id],
    ]);
  });

  it('leaves failed items out while they are tolerated, and says so when they are too many', async () => {
    const each = (tolerated: object) =>
      machine({ Each: { Type: 'Map', ...tolerated, ItemProcessor: { StartAt: 'Ok?', States: { 'Ok?': { Type: 'Choice', Choices: [{ Condition: '{% $states.input < 0 %}', Next: 'Bad' }], Default: 'Good' }, Good: { Type: 'Succeed' }, Bad: { Type: 'Fail', Error: 'Bad' } } }, End: true } });
    expect(outputOf(await fakeWorld().execute(each({ ToleratedFailureCount: 1 }), [1, -1, 2]))).toEqual([1, 2]);
    expect(outputOf(await fakeWorld().execute(each({ ToleratedFailurePercentage: 50 }), [1, -1, -2, 2]))).toEqual([1, 2]);
    expect((await fakeWorld().execute(each({ ToleratedFailureCount: 1 }), [-1, -2, 2])).error).toBe('States.ExceedToleratedFailureThreshold');
    expect((await fakeWorld().execute(each({}), [-1, 2])).error).toBe('Bad');
  });
});

describe('a task that is slow', () => {
  /** A clock on which a call may itself wait. */
  const clock = () => ({ ...skippingClock(), work: <T>(run: () => Promise<T>) => run() });

  it('ends with States.Timeout, and what it answers later counts no more', async () => {
    const own = clock();
    const fake = fakeWorld({ 'lambda.Invoke': (input) => own.sleep(100_000).then(() => answers('late')(input)) }, own);
    const states = { Call: { ...invoke, TimeoutSeconds: '{% 20 + 10 %}', Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'Nap' }], End: true }, Nap: { Type: 'Wait', Seconds: 200, End: true } };
    const execution = await fake.execute(machine(states));
    expect(outputOf(execution)).toEqual({ Error: 'States.Timeout', Cause: '' });
    const events = await fake.history(execution.executionArn);
    expect(types(events).slice(2, 6)).toEqual(['TaskScheduled', 'TaskStarted', 'TaskTimedOut', 'TaskStateExited']);
    expect(events[2]).toMatchObject({ taskScheduledEventDetails: { timeoutInSeconds: 30 } });
    expect(Math.round((Number(events[4]?.timestamp) - execution.startDate.getTime()) / 1000)).toBe(30);
    expect(types(events)).not.toContain('TaskSucceeded');
  });
});
