import { describe, expect, it } from 'vitest';
import { fakeWorld, type Event, type FakeWorld } from './fake-world.ts';

const ask = (more: object = {}) => ({
  QueryLanguage: 'JSONata',
  StartAt: 'Ask',
  States: {
    Ask: { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken', Arguments: { FunctionName: 'ask', Payload: { token: '{% $states.context.Task.Token %}' } }, End: true, ...more },
  },
});

/** Answers an approval with what `answer` does with the token; the function itself returns at once. */
function asking(answer: (fake: FakeWorld, token: string) => Promise<void>): { readonly fake: FakeWorld; readonly errors: unknown[] } {
  const errors: unknown[] = [];
  const fake: FakeWorld = fakeWorld({
    'lambda.Invoke': (input) => {
      const { token } = JSON.parse(String(input['Payload'])) as { readonly token: string };
      // Somebody answers later; the clock waits for them as it does for a request.
      void fake.world.clock.work(() => answer(fake, token)).catch((error: unknown) => errors.push(error));
      return { StatusCode: 200, Payload: '{"asked":true}' };
    },
  });
  return { fake, errors };
}

const later = async (turns = 20) => {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
};
const types = (events: readonly Event[]) => events.map(({ type }) => type);
const secondsOf = ({ startDate, stopDate }: { readonly startDate: Date; readonly stopDate: Date }) => Math.round((stopDate.getTime() - startDate.getTime()) / 1000);

describe('a task that waits for its token', () => {
  it('goes on with the output that is sent', async () => {
    const { fake } = asking(async ({ sfn }, taskToken) => {
      await later();
      await sfn('SendTaskSuccess', { taskToken, output: '{"approved":true}' });
    });
    const execution = await fake.execute(ask());
    expect(JSON.parse(execution.output ?? '')).toEqual({ approved: true });
    expect(types(await fake.history(execution.executionArn))).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskSubmitted',
      'TaskSucceeded',
      'TaskStateExited',
      'ExecutionSucceeded',
    ]);
  });

  it('takes an answer that comes before the function has returned', async () => {
    const { fake } = asking(({ sfn }, taskToken) => sfn('SendTaskSuccess', { taskToken, output: '1' }).then(() => {}));
    expect((await fake.execute(ask())).output).toBe('1');
  });

  it('fails with the error that is sent', async () => {
    const { fake } = asking(({ sfn }, taskToken) => sfn('SendTaskFailure', { taskToken, error: 'Rejected', cause: 'by hand' }).then(() => {}));
    expect(await fake.execute(ask())).toMatchObject({ status: 'FAILED', error: 'Rejected', cause: 'by hand' });
  });

  it('counts the first of two answers, and tells the second that it is late', async () => {
    const { fake, errors } = asking(async ({ sfn }, taskToken) => {
      await Promise.all([sfn('SendTaskSuccess', { taskToken, output: '"first"' }), sfn('SendTaskSuccess', { taskToken, output: '"second"' })]);
    });
    expect((await fake.execute(ask())).output).toBe('"first"');
    expect(errors).toMatchObject([{ code: 'TaskTimedOut', message: "Task Timed Out: 'Provided task does not exist anymore'" }]);
  });

  it('ends with States.Timeout, after which no answer is taken', async () => {
    let token = '';
    const { fake } = asking(async (_fake, taskToken) => {
      token = taskToken;
    });
    const execution = await fake.execute(ask({ TimeoutSeconds: 72 * 3600 }));
    expect([execution.status, execution.error, secondsOf(execution)]).toEqual(['FAILED', 'States.Timeout', 72 * 3600]);
    expect('cause' in execution).toBe(false);
    expect(types(await fake.history(execution.executionArn)).at(-2)).toBe('TaskTimedOut');
    await expect(fake.sfn('SendTaskSuccess', { taskToken: token, output: '1' })).rejects.toMatchObject({ code: 'TaskTimedOut' });
    await expect(fake.sfn('SendTaskHeartbeat', { taskToken: token })).rejects.toMatchObject({ code: 'TaskTimedOut' });
  });

  it('lives as long as its heart beats', async () => {
    const { fake } = asking(async ({ world, sfn }, taskToken) => {
      void (async () => {
        for (let beat = 0; beat < 3; beat++) {
          await world.clock.sleep(50_000);
          await sfn('SendTaskHeartbeat', { taskToken });
        }
      })();
    });
    const execution = await fake.execute(ask({ HeartbeatSeconds: 60, TimeoutSeconds: 10_000 }));
    expect([execution.error, secondsOf(execution)]).toEqual(['States.Timeout', 3 * 50 + 60]);
  });

  it('lets States.HeartbeatTimeout catch a missed heartbeat, and not a time-out', async () => {
    const more = (limits: object) => ({ ...ask({ ...limits, Catch: [{ ErrorEquals: ['States.HeartbeatTimeout'], Next: 'Missed' }] }) });
    const machine = (limits: object) => ({ ...more(limits), States: { ...more(limits).States, Missed: { Type: 'Succeed' } } });
    const silent = () => asking(async () => {}).fake;
    expect((await silent().execute(machine({ HeartbeatSeconds: 5 }))).status).toBe('SUCCEEDED');
    expect((await silent().execute(machine({ TimeoutSeconds: 5 }))).status).toBe('FAILED');
  });

  it('does not hold up the clock of others', async () => {
    const { fake } = asking(async () => {});
    const machine = await fake.sfn<{ stateMachineArn: string }>('CreateStateMachine', { name: 'asks', definition: JSON.stringify(ask()), roleArn: 'arn:aws:iam::111122223333:role/r' });
    const { executionArn } = await fake.sfn<{ executionArn: string }>('StartExecution', machine);
    const nap = { QueryLanguage: 'JSONata', StartAt: 'Nap', States: { Nap: { Type: 'Wait', Seconds: 86_400, End: true } } };
    expect(secondsOf(await fake.execute(nap))).toBe(86_400);
    expect(await fake.sfn('DescribeExecution', { executionArn })).toMatchObject({ status: 'RUNNING' });
  });

  it('refuses tokens it never gave, and answers that are not JSON', async () => {
    const { fake, errors } = asking(async ({ sfn }, taskToken) => {
      await sfn('SendTaskSuccess', { taskToken, output: '{' }).catch((error: unknown) => errors.push(error));
      await sfn('SendTaskSuccess', { taskToken, output: '2' });
    });
    expect((await fake.execute(ask())).output).toBe('2');
    expect(errors).toMatchObject([{ code: 'InvalidOutput' }]);
    await expect(fake.sfn('SendTaskFailure', { taskToken: 'made up' })).rejects.toMatchObject({ code: 'InvalidToken' });
  });
});
