import type { Json } from '../../../core/bucket.ts';

/**
 * A state machine in Amazon States Language as this engine runs it: JSONata only, inline Map only.
 * `schema.ts` reads a definition into these types and says what is wrong with it.
 *
 * @see https://states-language.net/spec.html
 */
export interface Machine extends Scope {
  /** Seconds the whole execution may take. */
  readonly TimeoutSeconds?: number | undefined;
}

/** States that only see each other: a machine, a branch, an item processor. */
export interface Scope {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

export type State = PassState | TaskState | ChoiceState | WaitState | SucceedState | FailState | ParallelState | MapState;

/** A string that is `{% … %}` is a JSONata expression; anywhere inside a template. */
export type Template = Json;

interface Leaving {
  readonly Output?: Template | undefined;
  readonly Assign?: Readonly<Record<string, Template>> | undefined;
}

interface Flow extends Leaving {
  readonly Next?: string | undefined;
  readonly End?: boolean | undefined;
}

interface Guarded extends Flow {
  readonly Retry?: readonly Retrier[] | undefined;
  readonly Catch?: readonly Catcher[] | undefined;
}

export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number | undefined;
  readonly MaxAttempts?: number | undefined;
  readonly BackoffRate?: number | undefined;
  readonly MaxDelaySeconds?: number | undefined;
  readonly JitterStrategy?: 'FULL' | 'NONE' | undefined;
}

export interface Catcher extends Leaving {
  readonly ErrorEquals: readonly string[];
  readonly Next: string;
}

export interface PassState extends Flow {
  readonly Type: 'Pass';
}

export interface TaskState extends Guarded {
  readonly Type: 'Task';
  readonly Resource: string;
  readonly Arguments?: Template | undefined;
  readonly TimeoutSeconds?: number | string | undefined;
  readonly HeartbeatSeconds?: number | string | undefined;
}

export interface ChoiceState extends Leaving {
  readonly Type: 'Choice';
  readonly Choices: readonly Rule[];
  readonly Default?: string | undefined;
}

export interface Rule extends Leaving {
  readonly Condition: string | boolean;
  readonly Next: string;
}

export interface WaitState extends Flow {
  readonly Type: 'Wait';
  readonly Seconds?: number | string | undefined;
  readonly Timestamp?: string | undefined;
}

export interface SucceedState {
  readonly Type: 'Succeed';
  readonly Output?: Template | undefined;
}

export interface FailState {
  readonly Type: 'Fail';
  readonly Error?: string | undefined;
  readonly Cause?: string | undefined;
}

export interface ParallelState extends Guarded {
  readonly Type: 'Parallel';
  readonly Branches: readonly Scope[];
  readonly Arguments?: Template | undefined;
}

export interface MapState extends Guarded {
  readonly Type: 'Map';
  readonly ItemProcessor: Scope;
  readonly Items?: Template | undefined;
  readonly ItemSelector?: Template | undefined;
  readonly MaxConcurrency?: number | string | undefined;
  readonly ToleratedFailureCount?: number | string | undefined;
  readonly ToleratedFailurePercentage?: number | string | undefined;
}

/** The scopes inside a state, with the path of each from the state. */
export function innerScopes(state: State): readonly { readonly path: string; readonly scope: Scope }[] {
  if (state.Type === 'Parallel') return state.Branches.map((scope, index) => ({ path: `/Branches[${index}]`, scope }));
  if (state.Type === 'Map') return [{ path: '/ItemProcessor', scope: state.ItemProcessor }];
  return [];
}
