import { describe, expect, it } from 'vitest';
import { AwsError } from '../../service.ts';
import { fakeWorld, ROLE, type Event, type Execution, type FakeWorld } from './fake-world.ts';

const machine = (states: object, more: object = {}) => ({ QueryLanguage: 'JSONata', StartAt: Object.keys(states)[0], States: states, ...more });
const nap = machine({ Nap: { Type: 'Wait', Seconds: 1000, End: true } });
const pass = machine({ P: { Type: 'Pass', End: true } });
const create = async (fake: FakeWorld, definition: object, name = 'playbook') =>
  (await fake.sfn<{ stateMachineArn: string }>('CreateStateMachine', { name, definition: JSON.stringify(definition), roleArn: ROLE })).stateMachineArn;
const start = (fake: FakeWorld, stateMachineArn: string, more: object = {}) => fake.sfn<{ executionArn: string; startDate: Date }>('StartExecution', { stateMachineArn, ...more });
const types = (events: readonly Event[]) => events.map(({ type }) => type);
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('StartExecution', () => {
  it('is the same execution for the same name and input while it runs', async () => {
    const fake = fakeWorld();
    const arn = await create(fake, nap);
    await fake.world.clock.work(async () => {
      const [one, two] = await Promise.all([start(fake, arn, { name: 'i-1', input: '{"a":1}' }), start(fake, arn, { name: 'i-1', input: '{"a":1}' })]);
      expect(two).toEqual(one);
      expect(one.executionArn).toBe('arn:aws:states:us-east-1:111122223333:execution:playbook:i-1');
      await expect(start(fake, arn, { name: 'i-1', input: '{"a":2}' })).rejects.toEqual(code('ExecutionAlreadyExists'));
      expect((await fake.sfn<{ executions: unknown[] }>('ListExecutions', { stateMachineArn: arn })).executions).toHaveLength(1);
    });
    await fake.ended('arn:aws:states:us-east-1:111122223333:execution:playbook:i-1');
    await expect(start(fake, arn, { name: 'i-1', input: '{"a":1}' })).rejects.toMatchObject({
      code: 'ExecutionAlreadyExists',
      message: "Execution Already Exists: 'arn:aws:states:us-east-1:111122223333:execution:playbook:i-1'",
    });
  });

  it('gives a name free 90 days after the execution closed', async () => {
    const fake = fakeWorld();
    const arn = await create(fake, pass);
    const { executionArn } = await start(fake, arn, { name: 'again' });
    await fake.ended(executionArn);
    await fake.world.clock.sleep(89 * 86_400_000);
    await expect(start(fake, arn, { name: 'again' })).rejects.toEqual(code('ExecutionAlreadyExists'));
    await fake.world.clock.sleep(2 * 86_400_000);
    await expect(fake.sfn('DescribeExecution', { executionArn })).rejects.toEqual(code('ExecutionDoesNotExist'));
    expect((await start(fake, arn, { name: 'again' })).executionArn).toBe(executionArn);
  });

  it.each([
    [{ name: 'a b' }, 'InvalidName'],
    [{ name: 'x'.repeat(81) }, 'InvalidName'],
    [{ input: 'not json' }, 'InvalidExecutionInput'],
    [{ input: '' }, 'InvalidExecutionInput'],
    [{ input: `"${'x'.repeat(262_144)}"` }, 'ValidationException'],
    [{ stateMachineArn: 'arn:aws:states:us-east-1:111122223333:stateMachine:none' }, 'StateMachineDoesNotExist'],
    [{ stateMachineArn: 'playbook' }, 'InvalidArn'],
  ])('refuses %o with %s', async (input, expected) => {
    const fake = fakeWorld();
    await expect(start(fake, await create(fake, pass), input)).rejects.toEqual(code(expected));
  });

  it('runs the definition as it was when it started', async () => {
    const fake = fakeWorld();
    const arn = await create(fake, nap);
    const { executionArn } = await start(fake, arn);
    await fake.sfn('UpdateStateMachine', { stateMachineArn: arn, definition: JSON.stringify(machine({ Stop: { Type: 'Fail' } })) });
    expect((await fake.ended(executionArn)).status).toBe('SUCCEEDED');
    expect((await fake.ended((await start(fake, arn)).executionArn)).status).toBe('FAILED');
  });
});

describe('StopExecution', () => {
  it('aborts what runs, with the error and cause given', async () => {
    const fake = fakeWorld();
    const arn = await create(fake, nap);
    const { executionArn, startDate } = await start(fake, arn);
    await fake.sfn('StopExecution', { executionArn, error: 'Enough', cause: 'by hand' });
    const execution = await fake.ended(executionArn);
    expect(execution).toMatchObject({ status: 'ABORTED', error: 'Enough', cause: 'by hand', redriveStatus: 'REDRIVABLE' });
    expect(execution.stopDate.getTime() - startDate.getTime()).toBeLessThan(60_000);
    await fake.world.clock.sleep(2_000_000);
    const events = await fake.history(executionArn);
    expect(events.at(-1)).toMatchObject({ type: 'ExecutionAborted', previousEventId: 0, executionAbortedEventDetails: { error: 'Enough', cause: 'by hand' } });
    expect(await fake.sfn('StopExecution', { executionArn })).toEqual({ stopDate: execution.stopDate });
  });
});

describe('status events', () => {
  it('emits each change of status in the shape of EventBridge', async () => {
    const fake = fakeWorld();
    const execution = await fake.execute(machine({ Stop: { Type: 'Fail', Error: 'E' } }), { a: 1 });
    expect(fake.emitted.map(({ detail }) => (detail as { readonly status: string }).status)).toEqual(['RUNNING', 'FAILED']);
    expect(fake.emitted[1]).toMatchObject({
      source: 'aws.states',
      detailType: 'Step Functions Execution Status Change',
      resources: [execution.executionArn],
      detail: { input: '{"a":1}', inputDetails: { included: true }, output: null, startDate: execution.startDate.getTime(), stopDate: execution.stopDate.getTime(), error: 'E', redriveCount: 0 },
    });
  });
});

describe('RedriveExecution', () => {
  it('goes on from the task that failed, with what was assigned before', async () => {
    let broken = true;
    const fake = fakeWorld({
      'lambda.Invoke': () => {
        if (broken) throw new AwsError('ServiceException', 'broken', 500);
        return { StatusCode: 200, Payload: '"done"' };
      },
    });
    const states = {
      Set: { Type: 'Pass', Assign: { v: 7 }, Next: 'Call' },
      Call: { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', Arguments: { FunctionName: 'f' }, Output: '{% [$v, $states.result.Payload, $states.context.Execution.RedriveCount] %}', End: true },
    };
    const { executionArn, status } = await fake.execute(machine(states));
    expect(status).toBe('FAILED');
    broken = false;
    const { redriveDate } = await fake.sfn<{ redriveDate: Date }>('RedriveExecution', { executionArn, clientToken: 't' });
    expect(await fake.sfn('RedriveExecution', { executionArn, clientToken: 't' })).toEqual({ redriveDate });
    const execution = await fake.ended(executionArn);
    expect(execution).toMatchObject({ status: 'SUCCEEDED', output: '[7,"done",1]', redriveCount: 1, redriveStatus: 'NOT_REDRIVABLE', redriveStatusReason: 'Execution is SUCCEEDED and cannot be redriven' });
    expect('error' in execution).toBe(false);
    const events = await fake.history(executionArn);
    const redriven = events.findIndex(({ type }) => type === 'ExecutionRedriven');
    expect(types(events.slice(redriven))).toEqual(['ExecutionRedriven', 'TaskScheduled', 'TaskStarted', 'TaskSucceeded', 'TaskStateExited', 'ExecutionSucceeded']);
    await expect(fake.sfn('RedriveExecution', { executionArn, clientToken: 'other' })).rejects.toEqual(code('ExecutionNotRedrivable'));
  });

  it('runs only the iterations that did not succeed', async () => {
    let broken = true;
    const fake = fakeWorld({
      'lambda.Invoke': (input) => {
        const payload = String(input['Payload']);
        if (broken && payload === '1') throw new AwsError('ServiceException', 'broken', 500);
        return { StatusCode: 200, Payload: payload };
      },
    });
    const each = { Each: { Type: 'Map', MaxConcurrency: 1, ItemProcessor: { StartAt: 'Call', States: { Call: { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', Arguments: { FunctionName: 'f', Payload: '{% $states.input %}' }, Output: '{% $states.result.Payload %}', End: true } } }, End: true } };
    const { executionArn, status } = await fake.execute(machine(each), [0, 1, 2]);
    expect([status, fake.calls.length]).toEqual(['FAILED', 2]);
    broken = false;
    await fake.sfn('RedriveExecution', { executionArn });
    expect((await fake.ended(executionArn)).output).toBe('[0,1,2]');
    expect(fake.calls.map(({ input }) => String((input as { readonly Payload: unknown }).Payload))).toEqual(['0', '1', '1', '2']);
  });

  it('counts retries anew', async () => {
    let answers = 0;
    const fake = fakeWorld({
      'lambda.Invoke': () => {
        if (++answers < 6) throw new AwsError('ServiceException', 'broken', 500);
        return { StatusCode: 200, Payload: '{}' };
      },
    });
    const retried = { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', Arguments: { FunctionName: 'f' }, Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 2 }], Output: '{% $states.context.State.RetryCount %}', End: true };
    const { executionArn } = await fake.execute(machine({ Call: retried }));
    expect(answers).toBe(3);
    await fake.sfn('RedriveExecution', { executionArn });
    expect(await fake.ended(executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '2' });
  });

  it('is not there after 14 days', async () => {
    const fake = fakeWorld();
    const { executionArn } = await fake.execute(machine({ Stop: { Type: 'Fail' } }));
    await fake.world.clock.sleep(15 * 86_400_000);
    expect(await fake.sfn<Execution>('DescribeExecution', { executionArn })).toMatchObject({ redriveStatus: 'NOT_REDRIVABLE', redriveStatusReason: 'Execution redrivable period exceeded' });
    await expect(fake.sfn('RedriveExecution', { executionArn })).rejects.toEqual(code('ExecutionNotRedrivable'));
  });
});

describe('nested executions', () => {
  const parent = (pattern: string) =>
    machine({ Run: { Type: 'Task', Resource: `arn:aws:states:::states:startExecution${pattern}`, Arguments: { StateMachineArn: 'arn:aws:states:us-east-1:111122223333:stateMachine:child', Name: 'c', Input: { n: '{% $states.input.n %}' } }, End: true } });

  it('starts and goes on, or waits for the output', async () => {
    const fake = fakeWorld();
    await create(fake, machine({ Nap: { Type: 'Wait', Seconds: 500, Output: '{% $states.input.n * 2 %}', End: true } }), 'child');
    const waited = await fake.execute(parent('.sync:2'), { n: 21 });
    expect(JSON.parse(waited.output ?? '')).toMatchObject({ Status: 'SUCCEEDED', Name: 'c', Input: { n: 21 }, Output: 42 });
    expect(Math.round((waited.stopDate.getTime() - waited.startDate.getTime()) / 1000)).toBe(500);
    expect(types(await fake.history(waited.executionArn)).slice(2, 6)).toEqual(['TaskScheduled', 'TaskStarted', 'TaskSubmitted', 'TaskSucceeded']);
  });

  it('fails with what became of the child', async () => {
    const fake = fakeWorld();
    await create(fake, machine({ Stop: { Type: 'Fail', Error: 'Inner', Cause: 'c' } }), 'child');
    const execution = await fake.execute(parent('.sync'), { n: 1 });
    expect(execution.error).toBe('States.TaskFailed');
    expect(JSON.parse(execution.cause ?? '')).toMatchObject({ Error: 'Inner', Cause: 'c', Status: 'FAILED', Input: '{"n":1}' });
  });

  it('stops the child when the parent is stopped', async () => {
    const fake = fakeWorld();
    await create(fake, machine({ Ask: { Type: 'Wait', Seconds: 90_000_000, End: true } }), 'child');
    const states = parent('.sync:2');
    const execution = await fake.execute({ ...states, TimeoutSeconds: 60 }, { n: 1 });
    expect(execution.status).toBe('TIMED_OUT');
    expect((await fake.ended('arn:aws:states:us-east-1:111122223333:execution:child:c')).status).toBe('ABORTED');
  });
});

describe('reading', () => {
  it('pages a history both ways, with and without data', async () => {
    const fake = fakeWorld();
    const { executionArn } = await fake.execute(pass, { secret: 1 });
    const page = (more: object) => fake.sfn<{ events: Event[]; nextToken?: string }>('GetExecutionHistory', { executionArn, maxResults: 3, ...more });
    const first = await page({});
    expect(first.events.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect((await page({ nextToken: first.nextToken })).events.map(({ id }) => id)).toEqual([4]);
    expect((await page({ reverseOrder: true })).events.map(({ id }) => id)).toEqual([4, 3, 2]);
    expect(JSON.stringify(await page({ includeExecutionData: false }))).not.toContain('secret');
    expect((await page({ includeExecutionData: false })).events[1]).toMatchObject({ stateEnteredEventDetails: { name: 'P' } });
  });

  it('lists executions, newest first, by status', async () => {
    const fake = fakeWorld();
    const arn = await create(fake, pass);
    for (const name of ['one', 'two']) {
      await fake.ended((await start(fake, arn, { name })).executionArn);
      await fake.world.clock.sleep(1000);
    }
    const list = (more: object) => fake.sfn<{ executions: { name: string }[]; nextToken?: string }>('ListExecutions', { stateMachineArn: arn, ...more });
    expect((await list({})).executions.map(({ name }) => name)).toEqual(['two', 'one']);
    expect((await list({ statusFilter: 'RUNNING' })).executions).toEqual([]);
    const { nextToken } = await list({ maxResults: 1 });
    expect((await list({ maxResults: 1, nextToken })).executions.map(({ name }) => name)).toEqual(['one']);
  });
});
