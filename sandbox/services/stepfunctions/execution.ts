import type { HistoryEvent } from '@aws-sdk/client-sfn';
import type { Json } from '../../../core/bucket.ts';
import type { Machine, Scope } from './definition.ts';

/**
 * One execution, as data: where each scope stands, what it knows, and everything that has happened. A run (`run.ts`)
 * moves it on; a redrive is another run of the same data. Times are sandbox milliseconds since the epoch.
 */
export interface Execution {
  readonly arn: string;
  readonly name: string;
  readonly stateMachineArn: string;
  readonly stateMachineName: string;
  readonly roleArn: string;
  /** As it was when the execution started: an update of the state machine does not reach it. */
  readonly machine: Machine;
  /** The text that it was made of, and which revision that was. */
  readonly definition: string;
  readonly revisionId: string | null;
  /** The text that was sent. */
  readonly input: string;
  readonly startDate: number;
  readonly root: Frame;
  readonly events: HistoryEvent[];
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  stopDate: number | null;
  /** JSON text. */
  output: string | null;
  error: string | null;
  cause: string | null;
  redriveCount: number;
  redriveDate: number | null;
}

/** Where one scope stands: the machine's own, a branch's, or an iteration's. */
export interface Frame {
  readonly scope: Scope;
  /** `null` in the machine's own scope and in branches. */
  readonly item: { readonly index: number; readonly value: Json } | null;
  state: string;
  input: Json;
  /** The id of the `…StateEntered` event; `null` until the state is entered, so that a redrive does not enter twice. */
  entered: number | null;
  enteredAt: number;
  retries: number;
  /** The event that the next one follows. */
  last: number;
  /** What the outer scopes assigned, copied when the scope began, and its own. */
  variables: Readonly<Record<string, Json>>;
  /** Of the Parallel or Map state that it is in. */
  children: Frame[] | null;
  status: 'waiting' | 'running' | 'succeeded' | 'failed' | 'aborted';
  output: Json;
}

export function newFrame(scope: Scope, input: Json, variables: Frame['variables'], last: number, item: Frame['item'] = null): Frame {
  return { scope, item, state: scope.StartAt, input, entered: null, enteredAt: 0, retries: 0, last, variables, children: null, status: 'waiting', output: null };
}
