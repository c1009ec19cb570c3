import type { HistoryEvent, HistoryEventType } from '@aws-sdk/client-sfn';
import type { Json } from '../../../core/bucket.ts';
import type { Execution, Frame } from './execution.ts';
import { runtimeFailure } from './failure.ts';

/** Event 25,000 is the last, and it is `ExecutionFailed` unless the execution just succeeded. */
const LIMIT = 25_000;

export type Details = Omit<HistoryEvent, 'id' | 'previousEventId' | 'timestamp' | 'type'>;

/**
 * Write the next event of a scope.
 *
 * @returns its id
 * @throws {StateFailure} `States.Runtime` where the history is full
 * @see https://github.com/floci-io/floci/issues/2734 the cut, measured on AWS
 */
export function record(execution: Execution, frame: Frame, type: HistoryEventType, now: number, details: Details = {}): number {
  if (execution.events.length >= LIMIT - 1) throw runtimeFailure(`The execution reached the maximum number of history events (${LIMIT}).`);
  frame.last = append(execution, type, now, frame.last, details);
  return frame.last;
}

/** The same for events that belong to no scope, or follow another than the scope's last. */
export function append(execution: Execution, type: HistoryEventType, now: number, previousEventId: number, details: Details = {}): number {
  const id = execution.events.length + 1;
  execution.events.push({ timestamp: new Date(now), type, id, previousEventId, ...details });
  return id;
}

export function inputOf(value: Json): { readonly input: string; readonly inputDetails: { readonly truncated: false } } {
  return { input: JSON.stringify(value), inputDetails: { truncated: false } };
}

export function outputOf(value: Json): { readonly output: string; readonly outputDetails: { readonly truncated: false } } {
  return { output: JSON.stringify(value), outputDetails: { truncated: false } };
}

const DATA = new Set(['input', 'inputDetails', 'output', 'outputDetails', 'assignedVariables', 'assignedVariablesDetails']);

/** What `includeExecutionData: false` leaves out. */
export function withoutData(event: HistoryEvent): HistoryEvent {
  const stripped = Object.entries(event).flatMap(([key, details]: [string, unknown]) =>
    key.endsWith('EventDetails') && typeof details === 'object' && details !== null
      ? [[key, Object.fromEntries(Object.entries(details).filter(([field]) => !DATA.has(field)))] as const]
      : [],
  );
  return Object.assign({ ...event }, Object.fromEntries(stripped));
}
