import type { World } from '../../service.ts';
import type { Json } from '../../../core/bucket.ts';
import type { Bindings } from './jsonata.ts';
import type { Execution, Frame } from './execution.ts';
import type { Tokens } from './tokens.ts';
import { record, type Details } from './history.ts';

/** One run of an execution: from its start or a redrive until it ends. */
export interface Run {
  readonly execution: Execution;
  readonly world: World;
  readonly tokens: Tokens;
  /** Resolves when the execution of this ARN is closed. */
  readonly closed: (executionArn: string) => Promise<Execution>;
}

/** One scope of a run. The signal is aborted when the execution ends or a sibling has failed. */
export interface Step {
  readonly run: Run;
  readonly frame: Frame;
  readonly signal: AbortSignal;
}

export type EventType = Parameters<typeof record>[2];

/** Writes the scope's next event; an aborted scope writes nothing. */
export function note(step: Step, type: EventType, details: Details = {}): number {
  step.signal.throwIfAborted();
  return record(step.run.execution, step.frame, type, step.run.world.clock.now(), details);
}

/** What the expressions of the scope's present state see. `more` has the result, or the error of a catcher. */
export function bindingsOf({ run, frame }: Step, more: { readonly result?: Json; readonly errorOutput?: Json; readonly token?: string | undefined; readonly item?: Frame['item'] } = {}): Bindings {
  const { token, item = frame.item, ...members } = more;
  return {
    variables: frame.variables,
    states: { input: frame.input, context: contextOf(run.execution, frame, token ?? null, item), ...members },
    surroundings: { now: () => run.world.clock.now(), random: run.world.random },
  };
}

/** @see https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html */
function contextOf(execution: Execution, frame: Frame, token: string | null, item: Frame['item']): Json {
  return {
    Execution: {
      Id: execution.arn,
      Input: JSON.parse(execution.input) as Json,
      Name: execution.name,
      RoleArn: execution.roleArn,
      StartTime: new Date(execution.startDate).toISOString(),
      RedriveCount: execution.redriveCount,
      ...(execution.redriveDate === null ? {} : { RedriveTime: new Date(execution.redriveDate).toISOString() }),
    },
    StateMachine: { Id: execution.stateMachineArn, Name: execution.stateMachineName },
    State: { EnteredTime: new Date(frame.enteredAt).toISOString(), Name: frame.state, RetryCount: frame.retries },
    ...(token === null ? {} : { Task: { Token: token } }),
    ...(item === null ? {} : { Map: { Item: { Index: item.index, Value: item.value } } }),
  };
}
