import { describe, expect, it } from 'vitest';
import { fakeWorld, type Event } from './fake-world.ts';

const machine = (states: object, more: object = {}) => ({ QueryLanguage: 'JSONata', StartAt: Object.keys(states)[0], States: states, ...more });
const outputOf = (execution: { readonly output?: string }): unknown => JSON.parse(execution.output ?? 'null');
const types = (events: readonly Event[]) => events.map(({ type }) => type);
const chain = (events: readonly Event[]) => events.map(({ type, previousEventId }) => `${previousEventId} ${type}`);

describe('the eight state types', () => {
  it('passes input through, and takes every expression of a template', async () => {
    const fake = fakeWorld();
    const execution = await fake.execute(
      machine({
        Same: { Type: 'Pass', Next: 'Made' },
        Made: { Type: 'Pass', Output: { all: '{% $states.input %}', list: ['{% $states.input.a + 1 %}', '{% [] %}', '{not one}'], name: '{% $states.context.State.Name %}' }, End: true },
      }),
      { a: 1 },
    );
    expect(outputOf(execution)).toEqual({ all: { a: 1 }, list: [2, [], '{not one}'], name: 'Made' });
    expect(chain(await fake.history(execution.executionArn))).toEqual([
      '0 ExecutionStarted',
      '0 PassStateEntered',
      '2 PassStateExited',
      '3 PassStateEntered',
      '4 PassStateExited',
      '5 ExecutionSucceeded',
    ]);
  });

  it('takes the first rule that is true, and Default otherwise, each with its own Output and Assign', async () => {
    const choice = machine({
      'Which?': {
        Type: 'Choice',
        Choices: [
          { Condition: '{% $states.input.n > 10 %}', Next: 'Show', Output: 'many', Assign: { way: 'first' } },
          { Condition: '{% $states.input.n > 5 %}', Next: 'Show', Assign: { way: 'second' } },
        ],
        Default: 'Show',
        Output: 'few',
        Assign: { way: 'default' },
      },
      Show: { Type: 'Pass', Output: '{% [$states.input, $way] %}', End: true },
    });
    expect(outputOf(await fakeWorld().execute(choice, { n: 20 }))).toEqual(['many', 'first']);
    expect(outputOf(await fakeWorld().execute(choice, { n: 7 }))).toEqual([{ n: 7 }, 'second']);
    expect(outputOf(await fakeWorld().execute(choice, { n: 1 }))).toEqual(['few', 'default']);
  });

  it('fails where no rule matches, and where a condition is no boolean', async () => {
    const choice = (condition: string) => machine({ 'Which?': { Type: 'Choice', Choices: [{ Condition: condition, Next: 'End' }] }, End: { Type: 'Succeed' } });
    expect(await fakeWorld().execute(choice('{% false %}'))).toMatchObject({ status: 'FAILED', error: 'States.NoChoiceMatched' });
    expect(await fakeWorld().execute(choice("{% 'yes' %}"))).toMatchObject({
      error: 'States.QueryEvaluationError',
      cause: `An error occurred while executing the state 'Which?' (entered at the event id #2). The JSONata expression ''yes'' specified for the field 'Choices[0]/Condition' returned an unexpected result type. Expected 'boolean', but was 'string' for value: "yes"`,
    });
  });

  it('waits seconds and until a time on the sandbox clock', async () => {
    const fake = fakeWorld();
    const before = fake.world.clock.now();
    const execution = await fake.execute(
      machine({
        Sleep: { Type: 'Wait', Seconds: '{% $states.input.s %}', Next: 'Until' },
        Until: { Type: 'Wait', Timestamp: '{% $fromMillis($toMillis($states.context.State.EnteredTime) + 86400000) %}', End: true },
      }),
      { s: 72 * 3600 },
    );
    expect(execution.status).toBe('SUCCEEDED');
    expect(Math.round((execution.stopDate.getTime() - before) / 3_600_000)).toBe(96);
  });

  it('ends in Fail with an evaluated error and cause, and without either', async () => {
    const fail = machine({ Stop: { Type: 'Fail', Error: "{% 'Err' & $states.input.n %}", Cause: '{% $string($states.input) %}' } });
    const fake = fakeWorld();
    const execution = await fake.execute(fail, { n: 7 });
    expect(execution).toMatchObject({ status: 'FAILED', error: 'Err7', cause: '{"n":7}' });
    expect(types(await fake.history(execution.executionArn))).toEqual(['ExecutionStarted', 'FailStateEntered', 'ExecutionFailed']);
    const bare = await fakeWorld().execute(machine({ Stop: { Type: 'Fail' } }));
    expect('error' in bare || 'cause' in bare).toBe(false);
  });

  it('runs branches on the same input and gives their outputs in order', async () => {
    const fake = fakeWorld();
    const branch = (name: string, seconds: number) => ({ StartAt: name, States: { [name]: { Type: 'Wait', Seconds: seconds, Output: `{% '${name}' & $states.input.x & $v %}`, End: true } } });
    const execution = await fake.execute(
      machine({
        Set: { Type: 'Pass', Assign: { v: 'V' }, Next: 'Both' },
        Both: { Type: 'Parallel', Arguments: { x: '{% $states.input.n %}' }, Branches: [branch('slow', 10), branch('quick', 1)], Output: { got: '{% $states.result %}' }, End: true },
      }),
      { n: 3 },
    );
    expect(outputOf(execution)).toEqual({ got: ['slow3V', 'quick3V'] });
    expect(chain(await fake.history(execution.executionArn)).slice(3)).toEqual([
      '3 ParallelStateEntered',
      '4 ParallelStateStarted',
      '5 WaitStateEntered',
      '5 WaitStateEntered',
      '7 WaitStateExited',
      '6 WaitStateExited',
      '9 ParallelStateSucceeded',
      '9 ParallelStateExited',
      '11 ExecutionSucceeded',
    ]);
  });

  it('maps over items with a selector, at most MaxConcurrency at once, in order', async () => {
    const fake = fakeWorld();
    const execution = await fake.execute(
      machine({
        Each: {
          Type: 'Map',
          Items: '{% $states.input.items %}',
          ItemSelector: { item: '{% $states.context.Map.Item.Value %}', at: '{% $states.context.Map.Item.Index %}', of: '{% $count($states.input.items) %}' },
          MaxConcurrency: 1,
          ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, StartAt: 'One', States: { One: { Type: 'Pass', Output: '{% [$states.input.item, $states.input.at, $states.input.of] %}', End: true } } },
          End: true,
        },
      }),
      { items: ['a', 'b'] },
    );
    expect(outputOf(execution)).toEqual([
      ['a', 0, 2],
      ['b', 1, 2],
    ]);
    expect(chain(await fake.history(execution.executionArn))).toEqual([
      '0 ExecutionStarted',
      '0 MapStateEntered',
      '2 MapStateStarted',
      '3 MapIterationStarted',
      '4 PassStateEntered',
      '5 PassStateExited',
      '6 MapIterationSucceeded',
      '6 MapIterationStarted',
      '8 PassStateEntered',
      '9 PassStateExited',
      '10 MapIterationSucceeded',
      '11 MapStateSucceeded',
      '11 MapStateExited',
      '13 ExecutionSucceeded',
    ]);
  });

  it('starts as many iterations as MaxConcurrency allows', async () => {
    const each = (limit: number) =>
      machine({ Each: { Type: 'Map', MaxConcurrency: limit, ItemProcessor: { StartAt: 'Nap', States: { Nap: { Type: 'Wait', Seconds: 10, End: true } } }, End: true } });
    const seconds = async (limit: number) => {
      const { startDate, stopDate } = await fakeWorld().execute(each(limit), [1, 2, 3, 4]);
      return Math.round((stopDate.getTime() - startDate.getTime()) / 10_000) * 10;
    };
    expect([await seconds(0), await seconds(1), await seconds(2)]).toEqual([10, 40, 20]);
  });
});

describe('variables', () => {
  it('evaluates Assign and Output with the values from before', async () => {
    const swap = machine({
      Set: { Type: 'Pass', Assign: { a: 1, b: 2 }, Next: 'Swap' },
      Swap: { Type: 'Pass', Assign: { a: '{% $b %}', b: '{% $a %}' }, Output: '{% [$a, $b] %}', Next: 'Show' },
      Show: { Type: 'Pass', Output: { before: '{% $states.input %}', after: '{% [$a, $b] %}' }, End: true },
    });
    expect(outputOf(await fakeWorld().execute(swap))).toEqual({ before: [1, 2], after: [2, 1] });
  });

  it('keeps what was assigned before, until the end', async () => {
    const twice = machine({ One: { Type: 'Pass', Assign: { a: 1 }, Next: 'Two' }, Two: { Type: 'Pass', Assign: { b: 2 }, Next: 'Show' }, Show: { Type: 'Pass', Output: '{% [$a, $b] %}', End: true } });
    expect(outputOf(await fakeWorld().execute(twice))).toEqual([1, 2]);
  });

  it('keeps what a branch assigns inside the branch', async () => {
    const scoped = machine({
      Set: { Type: 'Pass', Assign: { seen: 'outer' }, Next: 'Inner' },
      Inner: { Type: 'Parallel', Branches: [{ StartAt: 'B', States: { B: { Type: 'Pass', Assign: { own: '{% $seen %}' }, Next: 'C' }, C: { Type: 'Pass', Output: '{% $own %}', End: true } } }], Next: 'Look' },
      Look: { Type: 'Pass', Output: { inner: '{% $states.input %}', leaked: '{% $exists($own) %}' }, End: true },
    });
    expect(outputOf(await fakeWorld().execute(scoped))).toEqual({ inner: ['outer'], leaked: false });
  });

  it('writes assigned variables into the history as JSON text', async () => {
    const fake = fakeWorld();
    const { executionArn } = await fake.execute(machine({ Set: { Type: 'Pass', Assign: { name: 'x', list: [1] }, End: true } }));
    const exited = (await fake.history(executionArn)).find(({ type }) => type === 'PassStateExited');
    expect(exited).toMatchObject({ stateExitedEventDetails: { assignedVariables: { name: '"x"', list: '[1]' }, assignedVariablesDetails: { truncated: false } } });
  });
});

describe('expressions', () => {
  const evaluate = async (expression: string, input: unknown = {}) => fakeWorld().execute(machine({ E: { Type: 'Pass', Output: { v: `{% ${expression} %}` }, End: true } }), input);

  it("has AWS's own functions", async () => {
    expect(outputOf(await evaluate('[$range(0, 10, 5), $partition([1..5], 2), $parse(\'{"a":[1]}\')]'))).toEqual({ v: [0, 5, 10, [1, 2], [3, 4], [5], { a: [1] }] });
    expect(outputOf(await evaluate("$hash('abc', 'SHA-1')"))).toEqual({ v: 'a9993e364706816aba3e25717850c26c9cd0d89d' });
    expect(outputOf(await evaluate('$uuid()'))).toEqual({ v: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/) });
    expect(outputOf(await evaluate('$random(7) = $random(7) and $random() < 1'))).toEqual({ v: true });
  });

  it('tells sandbox time', async () => {
    const { output, startDate } = await fakeWorld().execute(machine({ Nap: { Type: 'Wait', Seconds: 86_400, Output: "{% [$now(), $fromMillis($millis()), $now('[Y]')] %}", End: true } }));
    const [now, millis, year] = JSON.parse(output ?? '[]') as string[];
    expect(Date.parse(now ?? '') - startDate.getTime()).toBeGreaterThanOrEqual(86_400_000);
    expect(Date.parse(millis ?? '') - startDate.getTime()).toBeGreaterThanOrEqual(86_400_000);
    expect(year).toBe(now?.slice(0, 4));
  });

  it('has no $eval, and runs nothing that arrives as data', async () => {
    expect(await evaluate("$eval('1+1')")).toMatchObject({
      status: 'FAILED',
      cause: "An error occurred while executing the state 'E' (entered at the event id #2). The JSONata expression '$eval('1+1')' specified for the field 'Output/v' threw an error during evaluation. T1006: Attempted to invoke a non-function",
    });
    expect(outputOf(await evaluate('$states.input', { x: '{% $uuid() %}', __proto__: null }))).toEqual({ v: { x: '{% $uuid() %}' } });
  });

  it('reads nothing but data from data', async () => {
    for (const path of ['constructor', '__proto__', 'toString', 'constructor.constructor']) expect((await evaluate(`$states.input.${path}`)).cause, path).toMatch(/returned nothing|during evaluation/);
    expect(outputOf(await evaluate('$states.input', JSON.parse('{"__proto__": {"polluted": 1}}')))).toEqual({ v: JSON.parse('{"__proto__": {"polluted": 1}}') });
    expect('polluted' in {}).toBe(false);
  });

  it('stops what recurses without end, and what grows without bound', async () => {
    expect((await evaluate('($f := function($x){ 1 + $f($x) }; $f(1))')).cause).toMatch(/threw an error during evaluation\. D1011: /);
    expect((await evaluate('$count([1..900000])')).cause).toMatch(/during evaluation: Expression evaluation memory limit exceeded/);
  });

  it('writes a failed evaluation into the history', async () => {
    const fake = fakeWorld();
    const { executionArn } = await fake.execute(machine({ E: { Type: 'Pass', Assign: { x: '{% $nothing %}' }, End: true } }));
    const events = await fake.history(executionArn);
    expect(events[2]).toMatchObject({ type: 'EvaluationFailed', evaluationFailedEventDetails: { state: 'E', location: 'Assign/x', error: 'States.QueryEvaluationError' } });
    expect(chain(events).at(-1)).toBe('3 ExecutionFailed');
  });
});

describe('limits', () => {
  it('ends at 25,000 events, the last of which is the failure', async () => {
    const fake = fakeWorld();
    const execution = await fake.execute(machine({ Loop: { Type: 'Choice', Choices: [{ Condition: '{% true %}', Next: 'Loop' }], Default: 'End' }, End: { Type: 'Succeed' } }));
    expect(execution).toMatchObject({ status: 'FAILED', error: 'States.Runtime', cause: 'The execution reached the maximum number of history events (25000).', redriveStatus: 'NOT_REDRIVABLE' });
    const { events } = await fake.sfn<{ events: Event[] }>('GetExecutionHistory', { executionArn: execution.executionArn, reverseOrder: true, maxResults: 2 });
    expect(events).toMatchObject([{ id: 25_000, previousEventId: 24_999, type: 'ExecutionFailed' }, { id: 24_999, type: 'ChoiceStateExited' }]);
  });

  it('refuses an output over 256 KiB', async () => {
    const large = machine({ Grow: { Type: 'Pass', Output: "{% $join([1..70000].('abcd')) %}", End: true } });
    expect(await fakeWorld().execute(large)).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
    const around = machine({ Both: { Type: 'Parallel', Branches: [{ StartAt: 'Grow', States: large.States }], Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Caught' }], End: true }, Caught: { Type: 'Succeed' } });
    expect((await fakeWorld().execute(around)).status).toBe('FAILED');
  });

  it('ends with TIMED_OUT when the execution takes longer than it may', async () => {
    const fake = fakeWorld();
    const execution = await fake.execute(machine({ Nap: { Type: 'Wait', Seconds: 100, End: true } }, { TimeoutSeconds: 60 }));
    expect(execution.status).toBe('TIMED_OUT');
    expect('error' in execution).toBe(false);
    expect(Math.round((execution.stopDate.getTime() - execution.startDate.getTime()) / 1000)).toBe(60);
    expect(chain(await fake.history(execution.executionArn)).at(-1)).toBe('0 ExecutionTimedOut');
  });
});
