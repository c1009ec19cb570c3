import type { Json } from '../../../core/bucket.ts';
import { callService } from './call.ts';
import type { TaskState } from './definition.ts';
import { dataLimitFailure, PAYLOAD_LIMIT, runtimeFailure, StateFailure } from './failure.ts';
import { inputOf, outputOf } from './history.ts';
import { evaluate, evaluateAs, type Bindings } from './jsonata.ts';
import { parseResource, type Resource } from './resource.ts';
import { bindingsOf, note, type Step } from './run.ts';
import { awaitChild } from './nested.ts';
import { untilAborted, within } from './timing.ts';
import type { Waiting } from './tokens.ts';

/** One attempt at a Task. @returns the result; @throws {StateFailure} where it failed or took too long */
export async function runTask(step: Step, state: TaskState): Promise<Json> {
  const { run, frame, signal } = step;
  const resource = parseResource(state.Resource);
  if (!resource) throw runtimeFailure(`The resource ${state.Resource} is not known.`);
  const waiting = resource.pattern === 'waitForTaskToken' ? run.tokens.issue(run.execution.stateMachineArn, run.world.random) : null;
  try {
    const bindings = bindingsOf(step, { token: waiting?.token });
    const parameters = state.Arguments === undefined ? frame.input : await evaluate(state.Arguments, 'Arguments', bindings);
    const timeout = await seconds(state, 'TimeoutSeconds', bindings);
    const heartbeat = await seconds(state, 'HeartbeatSeconds', bindings);
    const events = eventsOf(step, resource);
    events.scheduled(parameters, timeout, heartbeat);
    try {
      const perform = (own: AbortSignal) => untilDone({ ...step, signal: own }, resource, parameters, waiting, heartbeat, events);
      const result = await within(run.world.clock, timeout, signal, perform, () => new StateFailure('States.Timeout', null));
      if (Buffer.byteLength(JSON.stringify(result)) > PAYLOAD_LIMIT) throw dataLimitFailure(resource.kind === 'function' ? resource.resource : resource.resourceType, false);
      events.succeeded(result);
      return result;
    } catch (error) {
      if (error instanceof StateFailure && !signal.aborted) events.failed(error);
      throw error;
    }
  } finally {
    waiting?.close();
  }
}

async function seconds(state: TaskState, field: 'TimeoutSeconds' | 'HeartbeatSeconds', bindings: Bindings): Promise<number | null> {
  const value = state[field];
  return value === undefined ? null : evaluateAs('number', value, field, bindings);
}

async function untilDone(step: Step, resource: Resource, parameters: Json, waiting: Waiting | null, heartbeat: number | null, events: TaskEvents): Promise<Json> {
  const { run, signal } = step;
  const answer = await untilAborted(callService(step, resource, parameters), signal);
  if (resource.pattern === 'response') return answer;
  events.submitted(answer);
  return waiting ? waiting.outcome(run.world.clock, heartbeat, signal) : awaitChild(step, resource, answer);
}

/** The two families of events: of integrations, and of a bare Lambda ARN. */
interface TaskEvents {
  readonly scheduled: (parameters: Json, timeout: number | null, heartbeat: number | null) => void;
  readonly submitted: (output: Json) => void;
  readonly succeeded: (output: Json) => void;
  readonly failed: (failure: StateFailure) => void;
}

function eventsOf(step: Step, resource: Resource): TaskEvents {
  return resource.kind === 'function' ? lambdaEvents(step, resource) : serviceEvents(step, resource);
}

function serviceEvents(step: Step, { resource, resourceType }: Resource): TaskEvents {
  const which = { resource, resourceType };
  return {
    scheduled: (parameters, timeout, heartbeat) => {
      const limits = { ...(timeout === null ? {} : { timeoutInSeconds: timeout }), ...(heartbeat === null ? {} : { heartbeatInSeconds: heartbeat }) };
      note(step, 'TaskScheduled', { taskScheduledEventDetails: { ...which, region: step.run.world.region, parameters: JSON.stringify(parameters), ...limits } });
      note(step, 'TaskStarted', { taskStartedEventDetails: which });
    },
    submitted: (output) => void note(step, 'TaskSubmitted', { taskSubmittedEventDetails: { ...which, ...outputOf(output) } }),
    succeeded: (output) => void note(step, 'TaskSucceeded', { taskSucceededEventDetails: { ...which, ...outputOf(output) } }),
    failed: (failure) => {
      if (failure.error === 'States.Timeout') note(step, 'TaskTimedOut', { taskTimedOutEventDetails: { ...which, ...reasonOf(failure) } });
      else note(step, 'TaskFailed', { taskFailedEventDetails: { ...which, ...reasonOf(failure) } });
    },
  };
}

function lambdaEvents(step: Step, { resource }: Resource): TaskEvents {
  return {
    scheduled: (parameters, timeout) => {
      const limit = timeout === null ? {} : { timeoutInSeconds: timeout };
      note(step, 'LambdaFunctionScheduled', { lambdaFunctionScheduledEventDetails: { resource, ...inputOf(parameters), ...limit } });
      note(step, 'LambdaFunctionStarted');
    },
    submitted: () => {},
    succeeded: (output) => void note(step, 'LambdaFunctionSucceeded', { lambdaFunctionSucceededEventDetails: outputOf(output) }),
    failed: (failure) => {
      if (failure.error === 'States.Timeout') note(step, 'LambdaFunctionTimedOut', { lambdaFunctionTimedOutEventDetails: reasonOf(failure) });
      else note(step, 'LambdaFunctionFailed', { lambdaFunctionFailedEventDetails: reasonOf(failure) });
    },
  };
}

/** Absent, not null, where there is none. */
export function reasonOf({ error, cause }: { readonly error: string | null; readonly cause: string | null }): { readonly error?: string; readonly cause?: string } {
  return { ...(error === null ? {} : { error }), ...(cause === null ? {} : { cause }) };
}
