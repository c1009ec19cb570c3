import { setImmediate as turn } from 'node:timers/promises';
import type { Json } from '../../../core/bucket.ts';
import { runMap, runParallel } from './compound.ts';
import type { ChoiceState, FailState, State, WaitState } from './definition.ts';
import { Aborted, catcherOf, dataLimitFailure, errorOutput, PAYLOAD_LIMIT, retryDelay, runtimeFailure, StateFailure } from './failure.ts';
import { inputOf, outputOf } from './history.ts';
import { evaluate, evaluateAs, QueryError, type Bindings } from './jsonata.ts';
import { bindingsOf, note, type Step } from './run.ts';
import { runTask } from './task.ts';

/** How a state is left. `next` is null where the scope ends. */
interface Exit {
  readonly output: Json;
  readonly assign: Readonly<Record<string, Json>>;
  readonly next: string | null;
}

/**
 * Run a scope from where it stands to its end.
 *
 * @returns its output
 * @throws {StateFailure} where a state failed and nothing caught it
 * @throws {Aborted} where the signal was aborted
 */
export async function runScope(step: Step): Promise<Json> {
  const { frame, run } = step;
  frame.status = 'running';
  for (;;) {
    // Other executions and requests get their turn; the clock stands still meanwhile.
    await run.world.clock.work(() => turn());
    const state = frame.scope.States[frame.state];
    if (!state) throw runtimeFailure(`There is no state '${frame.state}'.`);
    enter(step, state);
    const exit = await leave(step, state);
    if (Buffer.byteLength(JSON.stringify(exit.output)) > PAYLOAD_LIMIT) throw dataLimitFailure(frame.state, true);
    const assigned = Object.entries(exit.assign);
    const variables = { assignedVariables: Object.fromEntries(assigned.map(([name, value]) => [name, JSON.stringify(value)])), assignedVariablesDetails: { truncated: false } };
    note(step, `${exitable(state)}StateExited`, { stateExitedEventDetails: { name: frame.state, ...outputOf(exit.output), ...(assigned.length > 0 ? variables : {}) } });
    frame.variables = { ...frame.variables, ...exit.assign };
    frame.children = null;
    frame.entered = null;
    frame.retries = 0;
    if (exit.next === null) {
      frame.status = 'succeeded';
      frame.output = exit.output;
      return exit.output;
    }
    frame.state = exit.next;
    frame.input = exit.output;
  }
}

/** A redriven state is entered already. */
function enter(step: Step, state: State): void {
  if (step.frame.entered !== null) return;
  step.frame.enteredAt = step.run.world.clock.now();
  step.frame.entered = note(step, `${state.Type}StateEntered`, { stateEnteredEventDetails: { name: step.frame.state, ...inputOf(step.frame.input) } });
}

function exitable(state: State): Exclude<State['Type'], 'Fail'> {
  if (state.Type === 'Fail') throw new Aborted('a Fail state is never left');
  return state.Type;
}

/** With `Retry` and `Catch`, where the state has them. */
async function leave(step: Step, state: State): Promise<Exit> {
  const { frame, run, signal } = step;
  const guarded = 'Retry' in state || 'Catch' in state ? state : null;
  const attempts = new Map();
  for (;;) {
    try {
      return await named(step, () => attempt(step, state));
    } catch (error) {
      if (!(error instanceof StateFailure)) throw error;
      const delay = retryDelay(error, guarded?.Retry, attempts, run.world.random);
      if (delay === null) return caught(step, error, guarded);
      await run.world.clock.sleep(delay * 1000, signal);
      frame.retries++;
      frame.children = null;
    }
  }
}

async function caught(step: Step, failure: StateFailure, guarded: Extract<State, { readonly Type: 'Task' | 'Parallel' | 'Map' }> | null): Promise<Exit> {
  const found = catcherOf(failure, guarded?.Catch);
  if (!found) throw failure;
  const error = errorOutput(failure);
  const bindings = bindingsOf(step, { errorOutput: error });
  return named(step, () => exitBy(found.catcher, `Catch[${found.index}]/`, bindings, error, found.catcher.Next));
}

/** Turns a failed expression into the state's failure, as AWS words it. */
async function named<T>(step: Step, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    const { frame } = step;
    const cause = `An error occurred while executing the state '${frame.state}' (entered at the event id #${frame.entered}). ${error.message}`;
    const details = { error: 'States.QueryEvaluationError', cause, location: error.field, state: frame.state };
    note(step, 'EvaluationFailed', { evaluationFailedEventDetails: details });
    throw new StateFailure(details.error, cause);
  }
}

async function attempt(step: Step, state: State): Promise<Exit> {
  const { frame } = step;
  const bindings = bindingsOf(step);
  switch (state.Type) {
    case 'Pass':
      return exitBy(state, '', bindings, frame.input, state.Next ?? null);
    case 'Succeed':
      return exitBy({ Output: state.Output }, '', bindings, frame.input, null);
    case 'Fail':
      throw await failureOf(state, bindings);
    case 'Choice':
      return choose(step, state, bindings);
    case 'Wait':
      await wait(step, state, bindings);
      return exitBy(state, '', bindings, frame.input, state.Next ?? null);
    case 'Task':
    case 'Parallel':
    case 'Map': {
      const result = state.Type === 'Task' ? await runTask(step, state) : state.Type === 'Parallel' ? await runParallel(step, state, runScope) : await runMap(step, state, runScope);
      return exitBy(state, '', bindingsOf(step, { result }), result, state.Next ?? null);
    }
  }
}

/** `Assign` and `Output` see the same values: those from before the assignment. */
async function exitBy(
  leaving: { readonly Output?: Json | undefined; readonly Assign?: Readonly<Record<string, Json>> | undefined },
  at: string,
  bindings: Bindings,
  fallback: Json,
  next: string | null,
): Promise<Exit> {
  const assign: [string, Json][] = [];
  for (const [name, value] of Object.entries(leaving.Assign ?? {})) assign.push([name, await evaluate(value, `${at}Assign/${name}`, bindings)]);
  const output = leaving.Output === undefined ? fallback : await evaluate(leaving.Output, `${at}Output`, bindings);
  return { output, assign: Object.fromEntries(assign), next };
}

async function choose(step: Step, state: ChoiceState, bindings: Bindings): Promise<Exit> {
  for (const [index, rule] of state.Choices.entries()) {
    const at = `Choices[${index}]/`;
    if (await evaluateAs('boolean', rule.Condition, `${at}Condition`, bindings)) return exitBy(rule, at, bindings, step.frame.input, rule.Next);
  }
  if (state.Default === undefined) throw new StateFailure('States.NoChoiceMatched', `No choice rule of the state '${step.frame.state}' matched, and it has no Default.`);
  return exitBy(state, '', bindings, step.frame.input, state.Default);
}

async function wait(step: Step, state: WaitState, bindings: Bindings): Promise<void> {
  const { clock } = step.run.world;
  if (state.Seconds !== undefined) {
    const seconds = await evaluateAs('number', state.Seconds, 'Seconds', bindings);
    if (seconds < 0 || seconds > 99_999_999) throw runtimeFailure(`The field 'Seconds' must be between 0 and 99999999, not ${seconds}.`);
    await clock.sleep(seconds * 1000, step.signal);
    return;
  }
  const timestamp = await evaluateAs('string', state.Timestamp ?? '', 'Timestamp', bindings);
  const due = Date.parse(timestamp);
  if (Number.isNaN(due)) throw runtimeFailure(`The field 'Timestamp' must be an ISO 8601 time, not '${timestamp}'.`);
  await clock.sleep(Math.max(0, due - clock.now()), step.signal);
}

async function failureOf(state: FailState, bindings: Bindings): Promise<StateFailure> {
  const error = state.Error === undefined ? null : await evaluateAs('string', state.Error, 'Error', bindings);
  const cause = state.Cause === undefined ? null : await evaluateAs('string', state.Cause, 'Cause', bindings);
  return new StateFailure(error, cause);
}
