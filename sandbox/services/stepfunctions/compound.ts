import type { Json } from '../../../core/bucket.ts';
import type { MapState, ParallelState } from './definition.ts';
import { newFrame, type Frame } from './execution.ts';
import { StateFailure } from './failure.ts';
import { append } from './history.ts';
import { evaluate, evaluateAs } from './jsonata.ts';
import { bindingsOf, note, type EventType, type Step } from './run.ts';

type RunScope = (step: Step) => Promise<Json>;

/** All branches at once, each on the same input. @returns their outputs, in the order of the branches */
export async function runParallel(step: Step, state: ParallelState, runScope: RunScope): Promise<Json> {
  const { frame } = step;
  if (!resumes(frame)) {
    const input = state.Arguments === undefined ? frame.input : await evaluate(state.Arguments, 'Arguments', bindingsOf(step));
    const started = note(step, 'ParallelStateStarted');
    frame.children = state.Branches.map((branch) => newFrame(branch, input, frame.variables, started));
  }
  return runChildren(step, { type: 'Parallel', limit: Number.POSITIVE_INFINITY, tolerated: null }, runScope);
}

/** The processor over every item. @returns the outputs, in the order of the items; failed items that are tolerated are left out */
export async function runMap(step: Step, state: MapState, runScope: RunScope): Promise<Json> {
  const { frame } = step;
  const bindings = bindingsOf(step);
  const items = await evaluateAs('array', state.Items ?? frame.input, 'Items', bindings);
  const number = async (field: 'MaxConcurrency' | 'ToleratedFailureCount' | 'ToleratedFailurePercentage') =>
    state[field] === undefined ? 0 : evaluateAs('number', state[field], field, bindings);
  const [concurrency, count, percentage] = [await number('MaxConcurrency'), await number('ToleratedFailureCount'), await number('ToleratedFailurePercentage')];
  if (!resumes(frame)) {
    const inputs: Json[] = [];
    for (const [index, value] of items.entries()) {
      inputs.push(state.ItemSelector === undefined ? value : await evaluate(state.ItemSelector, 'ItemSelector', bindingsOf(step, { item: { index, value } })));
    }
    const started = note(step, 'MapStateStarted', { mapStateStartedEventDetails: { length: items.length } });
    frame.children = items.map((value, index) => newFrame(state.ItemProcessor, inputs[index] ?? null, frame.variables, started, { index, value }));
  }
  const tolerated = count > 0 || percentage > 0 ? Math.max(count, Math.floor((items.length * percentage) / 100)) : null;
  return runChildren(step, { type: 'Map', limit: concurrency > 0 ? concurrency : Number.POSITIVE_INFINITY, tolerated }, runScope);
}

/** A redrive runs only what did not succeed; where all did (the state's own output was too large), it starts anew. */
function resumes({ children }: Frame): boolean {
  return children !== null && children.some(({ status }) => status !== 'succeeded');
}

interface Plan {
  readonly type: 'Parallel' | 'Map';
  readonly limit: number;
  /** How many items may fail; `null`: none, and the item's own error is the state's. */
  readonly tolerated: number | null;
}

/** Runs the children that are not done, at most `limit` at once; the first failure that is not tolerated aborts the rest. */
async function runChildren(step: Step, plan: Plan, runScope: RunScope): Promise<Json> {
  const { run, frame } = step;
  const children = frame.children ?? [];
  const siblings = new AbortController();
  const signal = AbortSignal.any([step.signal, siblings.signal]);
  const queue = children.filter(({ status }) => status !== 'succeeded');
  const failures: StateFailure[] = [];

  /** @returns the event that the next iteration in its place follows */
  const runOne = async (child: Frame): Promise<number> => {
    try {
      await runScope({ run, frame: child, signal });
      const { last } = child;
      frame.last = plan.type === 'Map' ? iteration(step, child, 'MapIterationSucceeded', last) : last;
      return last;
    } catch (error) {
      if (signal.aborted || !(error instanceof StateFailure)) {
        child.status = 'aborted';
        throw error;
      }
      child.status = 'failed';
      frame.last = child.last;
      failures.push(error);
      if (plan.type === 'Map' && !error.terminal) iteration(step, child, 'MapIterationFailed', child.last);
      if (!error.terminal && failures.length <= (plan.tolerated ?? 0)) return child.last;
      const exceeded = () => new StateFailure('States.ExceedToleratedFailureThreshold', 'The specified tolerated failure threshold was exceeded');
      throw fail(step, plan, children, error.terminal || plan.tolerated === null ? error : exceeded(), siblings);
    }
  };
  const work = async (first: Frame): Promise<void> => {
    let last = await runOne(first);
    for (let child = queue.shift(); child; child = queue.shift()) {
      begin(step, child, last);
      last = await runOne(child);
    }
  };

  const wave = queue.splice(0, plan.limit);
  const started = frame.last;
  for (const child of wave) begin(step, child, started);
  const results = await Promise.allSettled(wave.map(work));
  step.signal.throwIfAborted();
  if (siblings.signal.aborted) throw siblings.signal.reason;
  const broken = results.find((result) => result.status === 'rejected');
  if (broken) throw broken.reason;
  // Recorded on AWS: the state's Exited event follows the last iteration, as its Succeeded event does.
  append(run.execution, `${plan.type}StateSucceeded`, run.world.clock.now(), frame.last);
  return children.filter(({ status }) => status === 'succeeded').map(({ output }) => output);
}

function begin(step: Step, child: Frame, previous: number): void {
  if (child.item !== null && child.status === 'waiting') child.last = iteration(step, child, 'MapIterationStarted', previous);
}

function iteration(step: Step, child: Frame, type: EventType & `MapIteration${string}`, previous: number): number {
  const { execution, world } = step.run;
  step.signal.throwIfAborted();
  const key = `m${type.slice(1)}EventDetails`;
  return append(execution, type, world.clock.now(), previous, { [key]: { name: step.frame.state, index: child.item?.index ?? 0 } });
}

const ABORTABLE = ['Task', 'Wait', 'Parallel', 'Map'] as const;

/**
 * Aborts the siblings and writes that down: every event follows the last one of the child that failed. A terminal failure
 * ends the execution at once and says nothing more.
 */
function fail(step: Step, plan: Plan, children: readonly Frame[], failure: StateFailure, siblings: AbortController): StateFailure {
  const { run, frame } = step;
  if (!failure.terminal) {
    const now = run.world.clock.now();
    const { last } = frame;
    for (const child of children) {
      if (child.status !== 'running' && child.status !== 'failed') continue;
      if (child.status === 'running' && plan.type === 'Map') iteration(step, child, 'MapIterationAborted', last);
      const type = ABORTABLE.find((name) => name === child.scope.States[child.state]?.Type);
      if (type !== undefined && child.entered !== null) append(run.execution, `${type}StateAborted`, now, last);
    }
    frame.last = append(run.execution, `${plan.type}StateFailed`, now, last);
  }
  siblings.abort(failure);
  return failure;
}
