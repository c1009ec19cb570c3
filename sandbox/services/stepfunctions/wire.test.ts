import { CreateStateMachineCommand, DescribeExecutionCommand, GetExecutionHistoryCommand, SFNClient, SendTaskSuccessCommand, StartExecutionCommand, TaskTimedOut, InvalidToken } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { skippingClock } from '../../clock.ts';
import { startSandbox, type Sandbox } from '../../sandbox.ts';
import { createStepFunctions } from '../stepfunctions.ts';

/** The engine behind the sandbox's front door, as an SDK client sees it. */
describe('over HTTP', () => {
  let sandbox: Sandbox;
  let sfn: SFNClient;
  beforeAll(async () => {
    sandbox = await startSandbox({ clock: skippingClock(), services: (world) => [createStepFunctions(world)] });
    sfn = new SFNClient({ endpoint: sandbox.endpoint, region: 'us-east-1', credentials: sandbox.admin });
  });
  afterAll(async () => {
    sfn.destroy();
    await sandbox.stop();
  });

  const role = (name: string, ...actions: string[]) =>
    sandbox.createRole(name, {
      trust: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'states.amazonaws.com' }, Action: 'sts:AssumeRole' }] },
      policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] },
    });
  const run = async (name: string, roleArn: string, states: object) => {
    const definition = JSON.stringify({ QueryLanguage: 'JSONata', StartAt: Object.keys(states)[0], States: states });
    const { stateMachineArn } = await sfn.send(new CreateStateMachineCommand({ name, definition, roleArn }));
    const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn, input: '{"a":1}' }));
    await sandbox.idle();
    return sfn.send(new DescribeExecutionCommand({ executionArn }));
  };
  const tables = { Type: 'Task', Resource: 'arn:aws:states:::aws-sdk:dynamodb:listTables', Arguments: {}, Output: '{% $states.result.TableNames %}', End: true };

  it('runs tasks with the permissions of the role, and with no others', async () => {
    expect(await run('may', role('may', 'dynamodb:ListTables'), { Tables: tables })).toMatchObject({ status: 'SUCCEEDED', output: '[]' });
    const refused = await run('may-not', role('may-not', 'dynamodb:GetItem'), { Tables: tables });
    expect(refused).toMatchObject({ status: 'FAILED', error: 'DynamoDb.DynamoDbException' });
    expect(refused.cause).toContain('is not authorized to perform: dynamodb:ListTables');
  });

  it('gives dates as dates and errors as classes', async () => {
    const { executionArn, startDate, stopDate } = await run('waits', role('waits', 'sts:GetCallerIdentity'), { Nap: { Type: 'Wait', Seconds: 600, End: true } });
    expect(Math.round((Number(stopDate) - Number(startDate)) / 1000)).toBe(600);
    const { events } = await sfn.send(new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 1 }));
    expect(events).toMatchObject([{ type: 'ExecutionSucceeded', id: 4, timestamp: stopDate }]);
    const late = await sfn.send(new SendTaskSuccessCommand({ taskToken: 'none', output: '{}' })).catch((error: unknown) => error);
    expect(late).toBeInstanceOf(InvalidToken);
    expect(late).not.toBeInstanceOf(TaskTimedOut);
  });
});
