import { describe, expect, it } from 'vitest';
import { fakeWorld, ROLE } from './fake-world.ts';
import { readDefinition } from './schema.ts';

const problems = (definition: object) => readDefinition(JSON.stringify({ QueryLanguage: 'JSONata', ...definition })).problems.map(({ code, message, location }) => `${code}: ${message} at ${location}`);
const one = (state: object) => problems({ StartAt: 'A', States: { A: state } });

describe('a definition', () => {
  it.each([
    ['a field that the state does not have', { Type: 'Pass', TimeoutSeconds: 5, End: true }, "SCHEMA_VALIDATION_FAILED: Field 'TimeoutSeconds' is not supported at /States/A"],
    ['a Catch on a Pass', { Type: 'Pass', Catch: [], End: true }, "SCHEMA_VALIDATION_FAILED: Field 'Catch' is not supported at /States/A"],
    ['a JSONPath field', { Type: 'Pass', Parameters: {}, End: true }, "SCHEMA_VALIDATION_FAILED: Field 'Parameters' is not supported at /States/A"],
    ['a state without a way on', { Type: 'Pass' }, 'SCHEMA_VALIDATION_FAILED: These fields are required: [Next or End] at /States/A'],
    ['a missing field', { Type: 'Task', End: true }, 'SCHEMA_VALIDATION_FAILED: These fields are required: [Resource] at /States/A'],
    ['a target that is not there', { Type: 'Pass', Next: 'B' }, "MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /States/A/Next"],
    ['an expression that does not parse', { Type: 'Pass', Output: { v: '{% 1 + %}' }, End: true }, 'INVALID_JSONATA_EXPRESSION: Unexpected end of expression at /States/A/Output/v'],
    ['a name without a source', { Type: 'Pass', Output: '{% $uppercase(phone) %}', End: true }, "UNSUPPORTED_JSONATA_EXPRESSION: Reference to 'phone' at the top level is not supported. at /States/A/Output"],
    ['$ at the top level', { Type: 'Pass', Output: '{% $.phone %}', End: true }, "UNSUPPORTED_JSONATA_EXPRESSION: Reference to '$' at the top level is not supported. at /States/A/Output"],
    ['an error output where there is none', { Type: 'Pass', Output: { e: '{% $string($states.errorOutput.Error) %}' }, End: true }, "'$states.errorOutput' is only there in the Output and Assign of a Catch. at /States/A/Output/e"],
    ['a resource nobody knows', { Type: 'Task', Resource: 'arn:aws:states:::nosuch:thing', End: true }, 'is not recognized. The value is not a valid resource ARN'],
    ['States.ALL beside others', { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', Retry: [{ ErrorEquals: ['States.ALL', 'X'] }], End: true }, "'States.ALL' must be alone and in the last element at /States/A/Retry[0]/ErrorEquals"],
    ['a distributed Map', { Type: 'Map', ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED' }, StartAt: 'B', States: { B: { Type: 'Succeed' } } }, End: true }, "only 'INLINE' is run by this sandbox"],
    ['both ways to wait', { Type: 'Wait', Seconds: 1, Timestamp: '2026-01-01T00:00:00Z', End: true }, 'exactly one of [Seconds, Timestamp] is required at /States/A'],
  ])('with %s is refused', (_what, state, expected) => {
    expect(one(state).join('\n')).toContain(expected);
  });

  it('that leads nowhere, or that nothing leads to, is refused', () => {
    expect(problems({ StartAt: 'A', States: { A: { Type: 'Pass', Next: 'A' } } })).toContain('MISSING_END_STATE: there is no terminal state at /States');
    expect(problems({ StartAt: 'A', States: { A: { Type: 'Succeed' }, B: { Type: 'Succeed' } } })).toEqual(['MISSING_TRANSITION_TARGET: State "B" is not reachable. at /States/B']);
    expect(problems({ StartAt: 'Z', States: { A: { Type: 'Succeed' } } })[0]).toContain("Missing 'StartAt' target: Z");
    expect(problems({ StartAt: 'A' })).toEqual(['SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /']);
  });

  it('in JSONPath is refused by name, wherever it stands', () => {
    const pass = { StartAt: 'A', States: { A: { Type: 'Pass', End: true } } };
    expect(readDefinition(JSON.stringify(pass)).problems[0]?.message).toContain("set 'QueryLanguage' to 'JSONata' for the whole state machine");
    expect(one({ Type: 'Pass', QueryLanguage: 'JSONPath', End: true })).toEqual(["SCHEMA_VALIDATION_FAILED: 'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine at /States/A"]);
    const inner = { Type: 'Parallel', End: true, Branches: [{ StartAt: 'B', States: { B: { Type: 'Pass', QueryLanguage: 'JSONPath', End: true } } }] };
    expect(one(inner)[0]).toContain('at /States/A/Branches[0]/States/B');
  });

  it('may use names inside predicates, paths and functions over items', () => {
    expect(one({ Type: 'Pass', Output: "{% $states.input.items[price > 5 and $.kind = 'x']^(name).{'n': name} ~> $map(function($i) { $i.n }) %}", End: true })).toEqual([]);
  });
});

describe('state machines', () => {
  const text = JSON.stringify({ QueryLanguage: 'JSONata', StartAt: 'A', States: { A: { Type: 'Succeed' } } });

  it('are created once, described, updated and deleted', async () => {
    const { sfn } = fakeWorld();
    const input = { name: 'm', definition: text, roleArn: ROLE };
    const created = await sfn<{ stateMachineArn: string }>('CreateStateMachine', input);
    expect(created.stateMachineArn).toBe('arn:aws:states:us-east-1:111122223333:stateMachine:m');
    expect(await sfn('CreateStateMachine', input)).toEqual(created);
    await expect(sfn('CreateStateMachine', { ...input, roleArn: `${ROLE}-other` })).rejects.toMatchObject({ code: 'StateMachineAlreadyExists' });
    const { stateMachineArn } = created;
    await expect(sfn('UpdateStateMachine', { stateMachineArn })).rejects.toMatchObject({ code: 'MissingRequiredParameter' });
    const { revisionId } = await sfn('UpdateStateMachine', { stateMachineArn, roleArn: `${ROLE}-other` });
    expect(await sfn('DescribeStateMachine', { stateMachineArn })).toMatchObject({ definition: text, roleArn: `${ROLE}-other`, status: 'ACTIVE', type: 'STANDARD', revisionId });
    await sfn('DeleteStateMachine', { stateMachineArn });
    expect(await sfn('DeleteStateMachine', { stateMachineArn })).toEqual({});
    await expect(sfn('DescribeStateMachine', { stateMachineArn })).rejects.toMatchObject({ code: 'StateMachineDoesNotExist' });
    expect(await sfn('ListStateMachines', {})).toMatchObject({ stateMachines: [] });
  });

  it('are refused with every problem, and with a role that Step Functions may not assume', async () => {
    const { sfn } = fakeWorld();
    await expect(sfn('CreateStateMachine', { name: 'm', definition: '{"StartAt":"A"}', roleArn: ROLE })).rejects.toMatchObject({
      code: 'InvalidDefinition',
      message: "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /'",
    });
    await expect(sfn('CreateStateMachine', { name: 'm', definition: text, roleArn: 'arn:aws:iam::111122223333:role/untrusting' })).rejects.toMatchObject({ code: 'AccessDeniedException' });
    await expect(sfn('CreateStateMachine', { name: 'a b', definition: text, roleArn: ROLE })).rejects.toMatchObject({ code: 'InvalidName' });
    expect(await sfn('ValidateStateMachineDefinition', { definition: '{' })).toMatchObject({ result: 'FAIL', diagnostics: [{ severity: 'ERROR', code: 'INVALID_JSON_DESCRIPTION' }] });
  });

  it('need the permissions that AWS names', () => {
    const { states, world } = fakeWorld();
    const caller = { kind: 'service', service: 'test' } as const;
    const call = { world, caller, requestId: '1', region: 'us-east-1', sourceIp: '127.0.0.1', time: 0, authType: 'REST-HEADER' } as const;
    const needs = (name: string, input: object) => states.operations[name]?.needs?.(input, call);
    expect(needs('CreateStateMachine', { name: 'm', roleArn: ROLE })).toEqual([
      { action: 'states:CreateStateMachine', resource: 'arn:aws:states:us-east-1:111122223333:stateMachine:m' },
      { action: 'iam:PassRole', resource: ROLE, context: { 'iam:passedtoservice': 'states.amazonaws.com' } },
    ]);
    expect(needs('StartExecution', { stateMachineArn: 's' })).toEqual([{ action: 'states:StartExecution', resource: 's' }]);
    expect(needs('GetExecutionHistory', { executionArn: 'e' })).toEqual([{ action: 'states:GetExecutionHistory', resource: 'e' }]);
    for (const [name, operation] of Object.entries(states.operations)) expect(operation.needs, name).toBeTypeOf('function');
  });
});
