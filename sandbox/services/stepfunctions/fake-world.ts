import { createStepFunctions } from '../stepfunctions.ts';
import { skippingClock, type Clock } from '../../clock.ts';
import { AwsError, type Call, type Caller, type Service, type World } from '../../service.ts';

/** A world around Step Functions alone, for tests: services are functions, and calls are kept. */
export interface FakeWorld {
  readonly world: World;
  readonly states: Service;
  readonly calls: { readonly service: string; readonly operation: string; readonly input: unknown; readonly as: Caller }[];
  readonly emitted: Parameters<World['emit']>[0][];
  /** Calls an operation of Step Functions. */
  readonly sfn: <Output = Record<string, unknown>>(operation: string, input: object) => Promise<Output>;
  /** Creates a state machine, starts it, waits for its end and describes it. */
  readonly execute: (definition: object, input?: unknown, name?: string) => Promise<Execution>;
  readonly ended: (executionArn: string) => Promise<Execution>;
  readonly history: (executionArn: string) => Promise<readonly Event[]>;
}

export interface Execution {
  readonly executionArn: string;
  readonly status: string;
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
  readonly startDate: Date;
  readonly stopDate: Date;
  readonly redriveCount: number;
  readonly redriveStatus: string;
  readonly redriveStatusReason?: string;
}

export type Event = { readonly type: string; readonly id: number; readonly previousEventId: number; readonly timestamp: Date } & Readonly<Record<string, unknown>>;

export type Handler = (input: Readonly<Record<string, unknown>>) => unknown;

export const ROLE = 'arn:aws:iam::111122223333:role/stopbath-dev-playbook';

/** @param handlers - `lambda.Invoke`, `s3.PutBucketPolicy` …; what is not there answers AccessDenied */
export function fakeWorld(handlers: Readonly<Record<string, Handler>> = {}, clock: Clock = skippingClock()): FakeWorld {
  const calls: FakeWorld['calls'] = [];
  const emitted: FakeWorld['emitted'] = [];
  let seed = 1;
  const world: World = {
    clock,
    account: '111122223333',
    region: 'us-east-1',
    endpoint: 'http://127.0.0.1:0',
    propagationMs: 0,
    random: () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed / 2_147_483_648;
    },
    call: async (service, operation, input, as) => {
      calls.push({ service, operation, input, as });
      const handler = handlers[`${service}.${operation}`];
      if (handler) return handler(input as Readonly<Record<string, unknown>>);
      if (service === 'states') return run(operation, input as object, as);
      throw new AwsError('AccessDeniedException', `not authorized to perform: ${service}:${operation}`, 403);
    },
    assume: (roleArn, sessionName, service) => {
      if (roleArn.endsWith('untrusting')) throw new AwsError('AccessDenied', `${service} may not assume ${roleArn}`, 403);
      return { kind: 'role', account: '111122223333', principalArn: roleArn, arn: `arn:aws:sts::111122223333:assumed-role/${roleArn.split('/').at(-1)}/${sessionName}`, userId: `AROA:${sessionName}` };
    },
    credentials: () => ({ accessKeyId: 'ASIA', secretAccessKey: 'secret' }),
    identityDecision: () => 'allow',
    idOf: () => null,
    emit: (event) => void emitted.push(event),
  };
  const states = createStepFunctions(world);
  const run = async (operation: string, input: object, caller: Caller): Promise<unknown> => {
    const found = states.operations[operation];
    if (!found) throw new AwsError('NotImplemented', `${operation} is not there`, 501);
    const call: Call = { world, caller, requestId: '1', region: 'us-east-1', sourceIp: '127.0.0.1', time: clock.now(), authType: 'REST-HEADER' };
    return found.run(input, call);
  };
  const sfn = async <Output = Record<string, unknown>>(operation: string, input: object) => (await run(operation, input, { kind: 'service', service: 'test' })) as Output;
  const describe = (executionArn: string) => sfn<Execution>('DescribeExecution', { executionArn });
  const ended = async (executionArn: string): Promise<Execution> => {
    for (;;) {
      const execution = await describe(executionArn);
      if (execution.status !== 'RUNNING') return execution;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return {
    world,
    states,
    calls,
    emitted,
    sfn,
    ended,
    execute: async (definition, input = {}, name) => {
      const machine = await sfn<{ stateMachineArn: string }>('CreateStateMachine', { name: `m${(await sfn<{ stateMachines: unknown[] }>('ListStateMachines', {})).stateMachines.length}`, definition: JSON.stringify(definition), roleArn: ROLE });
      const { executionArn } = await sfn<{ executionArn: string }>('StartExecution', { ...machine, input: JSON.stringify(input), name });
      return ended(executionArn);
    },
    history: async (executionArn) => (await sfn<{ events: Event[] }>('GetExecutionHistory', { executionArn, maxResults: 1000 })).events,
  };
}
