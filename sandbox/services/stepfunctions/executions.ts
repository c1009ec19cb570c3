import type { World } from '../../service.ts';
import type { Json } from '../../../core/bucket.ts';
import { newFrame, type Execution, type Frame } from './execution.ts';
import { Aborted, runtimeFailure, StateFailure } from './failure.ts';
import { append, inputOf } from './history.ts';
import { runScope } from './states.ts';
import { reasonOf } from './task.ts';
import { within } from './timing.ts';
import type { Tokens } from './tokens.ts';

const DAY = 86_400_000;
/** Names are free, and histories gone, 90 days after an execution closed. @see https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const RETENTION = 90 * DAY;

export interface Executions {
  readonly find: (arn: string) => Execution | null;
  /** Newest first. */
  readonly list: () => readonly Execution[];
  readonly start: (of: Started) => Execution;
  readonly stop: (execution: Execution, error: string | null, cause: string | null) => void;
  readonly redrive: (execution: Execution) => void;
  /** Why it cannot be redriven, in AWS's words; `null` where it can. */
  readonly notRedrivable: (execution: Execution) => string | null;
  readonly forget: (stateMachineArn: string) => void;
}

export type Started = Pick<Execution, 'arn' | 'name' | 'stateMachineArn' | 'stateMachineName' | 'roleArn' | 'machine' | 'definition' | 'revisionId' | 'input'>;

export function createExecutions(world: World, tokens: Tokens): Executions {
  const executions = new Map<string, Execution>();
  const running = new Map<string, AbortController>();
  const waiting = new Map<string, (() => void)[]>();

  const find = (arn: string): Execution | null => {
    const execution = executions.get(arn);
    if (!execution) return null;
    if (execution.stopDate === null || world.clock.now() - execution.stopDate <= RETENTION) return execution;
    executions.delete(arn);
    return null;
  };

  const close = (execution: Execution, status: Execution['status'], write: (now: number) => void) => {
    if (execution.status !== 'RUNNING') return;
    const now = world.clock.now();
    execution.status = status;
    execution.stopDate = now;
    write(now);
    running.get(execution.arn)?.abort(new Aborted(`the execution is ${status}`));
    running.delete(execution.arn);
    for (const resolve of waiting.get(execution.arn) ?? []) resolve();
    waiting.delete(execution.arn);
    announce(world, execution);
  };

  const closed = async (arn: string): Promise<Execution> => {
    const execution = executions.get(arn);
    if (!execution) throw runtimeFailure(`There is no execution ${arn}.`);
    if (execution.status === 'RUNNING') await new Promise<void>((resolve) => waiting.set(arn, [...(waiting.get(arn) ?? []), resolve]));
    return execution;
  };

  const drive = async (execution: Execution): Promise<void> => {
    const controller = new AbortController();
    running.set(execution.arn, controller);
    const { root, machine } = execution;
    const run = { execution, world, tokens, closed };
    try {
      const limit = machine.TimeoutSeconds ?? null;
      const output = await within(world.clock, limit, controller.signal, (signal) => runScope({ run, frame: root, signal }), () => new TimedOut());
      close(execution, 'SUCCEEDED', (now) => {
        execution.output = JSON.stringify(output);
        append(execution, 'ExecutionSucceeded', now, root.last, { executionSucceededEventDetails: { output: execution.output, outputDetails: { truncated: false } } });
      });
    } catch (error) {
      // A stopped execution is closed already, and `close` does nothing.
      if (error instanceof TimedOut) {
        close(execution, 'TIMED_OUT', (now) => append(execution, 'ExecutionTimedOut', now, 0, { executionTimedOutEventDetails: { error: 'States.Timeout' } }));
        return;
      }
      const failure = error instanceof StateFailure ? error : runtimeFailure(`The sandbox failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      close(execution, 'FAILED', (now) => {
        execution.error = failure.error;
        execution.cause = failure.cause;
        append(execution, 'ExecutionFailed', now, root.last, { executionFailedEventDetails: reasonOf(failure) });
      });
    }
  };

  const notRedrivable = (execution: Execution): string | null => {
    if (execution.status === 'RUNNING' || execution.status === 'SUCCEEDED') return `Execution is ${execution.status} and cannot be redriven`;
    if (world.clock.now() - (execution.stopDate ?? 0) > 14 * DAY) return 'Execution redrivable period exceeded';
    return execution.events.length >= 24_999 ? 'Execution history event limit exceeded' : null;
  };

  return {
    find,
    notRedrivable,
    list: () => [...executions.keys()].flatMap((arn) => find(arn) ?? []).sort((one, other) => other.startDate - one.startDate),
    start: (of) => {
      const startDate = world.clock.now();
      const input = JSON.parse(of.input) as Json;
      // Recorded on AWS: the first state's event follows 0, not the ExecutionStarted event.
      const execution: Execution = { ...of, ...OPEN, startDate, root: newFrame(of.machine, input, {}, 0), events: [] };
      append(execution, 'ExecutionStarted', startDate, 0, { executionStartedEventDetails: { ...inputOf(input), input: of.input, roleArn: of.roleArn } });
      executions.set(execution.arn, execution);
      announce(world, execution);
      void drive(execution);
      return execution;
    },
    stop: (execution, error, cause) =>
      close(execution, 'ABORTED', (now) => {
        execution.error = error;
        execution.cause = cause;
        append(execution, 'ExecutionAborted', now, 0, { executionAbortedEventDetails: reasonOf({ error, cause }) });
      }),
    redrive: (execution) => {
      const now = world.clock.now();
      Object.assign(execution, OPEN, { redriveCount: execution.redriveCount + 1, redriveDate: now });
      execution.root.last = append(execution, 'ExecutionRedriven', now, execution.root.last, { executionRedrivenEventDetails: { redriveCount: execution.redriveCount } });
      forgetRetries(execution.root);
      announce(world, execution);
      void drive(execution);
    },
    forget: (stateMachineArn) => {
      for (const execution of executions.values()) {
        if (execution.stateMachineArn !== stateMachineArn) continue;
        close(execution, 'ABORTED', (now) => append(execution, 'ExecutionAborted', now, 0, { executionAbortedEventDetails: {} }));
        executions.delete(execution.arn);
      }
    },
  };
}

const OPEN = { status: 'RUNNING', stopDate: null, output: null, error: null, cause: null, redriveCount: 0, redriveDate: null } as const;

/** The execution's own `TimeoutSeconds` passed. Describing it then shows neither error nor cause. */
class TimedOut extends Error {
  override readonly name = 'TimedOut';
}

/** A redrive starts to count attempts anew. */
function forgetRetries(frame: Frame): void {
  frame.retries = 0;
  for (const child of frame.children ?? []) forgetRetries(child);
}

/** EventBridge refuses more: the input goes first, then the output. */
const EVENT_LIMIT = 248 * 1024;

/**
 * `Step Functions Execution Status Change`, as EventBridge delivers it; times in milliseconds.
 *
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
 */
function announce(world: World, execution: Execution): void {
  const { arn, input, output } = execution;
  const outputFits = output === null || JSON.stringify(output).length <= EVENT_LIMIT;
  const inputFits = JSON.stringify(input).length + (output === null ? 0 : JSON.stringify(output).length) <= EVENT_LIMIT;
  world.emit({
    source: 'aws.states',
    detailType: 'Step Functions Execution Status Change',
    resources: [arn],
    detail: {
      executionArn: arn,
      stateMachineArn: execution.stateMachineArn,
      name: execution.name,
      status: execution.status,
      startDate: execution.startDate,
      stopDate: execution.stopDate,
      input: inputFits ? input : null,
      output: outputFits ? output : null,
      inputDetails: { included: inputFits },
      outputDetails: output === null ? null : { included: outputFits },
      stateMachineVersionArn: null,
      stateMachineAliasArn: null,
      redriveCount: execution.redriveCount,
      redriveDate: execution.redriveDate,
      redriveStatus: execution.status === 'RUNNING' || execution.status === 'SUCCEEDED' ? 'NOT_REDRIVABLE' : 'REDRIVABLE',
      redriveStatusReason: execution.status === 'RUNNING' || execution.status === 'SUCCEEDED' ? `Execution is ${execution.status} and cannot be redriven` : null,
      error: execution.error,
      cause: execution.cause,
    },
  });
}
