import { CASES, type Case } from '../../sandbox/faults/cases.ts';
import { rest } from '../../sandbox/faults/run.ts';
import type { Stage } from '../../sandbox/faults/stage.ts';
import type { Caller } from '../../sandbox/service.ts';
import { longestChain, type Interval } from './chain.ts';

/** A call that the suite made, and in which invocation: `quarantine-bucket-plan 1`. */
export interface Call extends Interval {
  readonly function: string;
  readonly invocation: number;
  readonly input: unknown;
}

/** A call in sequence, with how many others were under way beside it. */
export interface Step {
  readonly function: string;
  readonly call: string;
  readonly beside: number;
}

/** What an incident's containment took, up to the write that shuts the attacker out, and up to the record that says that it is proven. */
export interface Way {
  readonly playbook: string;
  /** What shuts out: `s3:PutPublicAccessBlock`. */
  readonly write: string;
  /** Every call in sequence before and with it; hops aside. */
  readonly steps: readonly Step[];
  /** All calls until then. */
  readonly calls: number;
  /** Which service hands on to what: `states:StartExecution`, `lambda:Invoke quarantine-bucket-plan`. */
  readonly hops: readonly string[];
  /** What the calls in sequence took, ms; and what all took from the event on, with the suite's own code and the hops of a sandbox. */
  readonly callsMs: number;
  readonly wholeMs: number;
  /** From there until it is on record as proven: calls in sequence, and seconds, in which a workflow waits between looks. */
  readonly proven: { readonly steps: number; readonly seconds: number };
}

/** The write that shuts out, by playbook: what is asked for, and by which function. */
const WRITES: Readonly<Record<string, { readonly what: string; readonly is?: (input: unknown, stage: Stage) => boolean }>> = {
  'quarantine-bucket': { what: 's3:PutPublicAccessBlock' },
  'revoke-share-links': { what: 'dynamodb:UpdateItem', is: (input, { shares }) => tableOf(input) === shares.config.epochs?.table },
  'contain-principal': { what: 'iam:PutRolePolicy' },
};

/** How an incident begins; not of the suite's work, so that it is not counted as a call. */
const BEGINS = ['triage', 'respond'];

/**
 * Contains targets of a playbook, one after the other: to load the functions, to see which calls follow each other, and to see what they take.
 *
 * @param latency - of each call of the suite's functions, ms
 */
export async function goWay(stage: Stage, playbook: string, latency: number): Promise<Way> {
  await goOnce(stage, playbook, 0);
  // Calls so long that two which begin together never look like one after the other, however busy the machine is.
  const { steps, calls } = await goOnce(stage, playbook, LONG_MS);
  return { ...(await goOnce(stage, playbook, latency)), steps, calls };
}

const LONG_MS = 120;

async function goOnce(stage: Stage, playbook: string, latency: number): Promise<Way> {
  const { account, deployment } = stage;
  const prepared = await caseOf(playbook).prepare(stage);
  const recorder = createRecorder(deployment.name, latency);
  account.around(recorder.around);
  const began = performance.now();
  await prepared.contain();
  await rest(stage, prepared);
  account.around(null);
  const view = await stage.find(prepared.arn);
  if (view?.incident.status !== 'contained') throw new Error(`${playbook}: it is ${view?.incident.status ?? 'without an incident'}, not contained: ${view?.incident.outcome ?? ''}`);
  return wayOf(stage, playbook, recorder.calls, { began, seconds: (Date.parse(view.incident.verifiedAt ?? '') - Date.parse(view.incident.containedAt ?? '')) / 1000 });
}

function caseOf(playbook: string): Case {
  const found = CASES.find((one) => one.playbook === playbook && one.direction === 'contain');
  if (!found) throw new Error(`there is no case of ${playbook}`);
  return found;
}

export interface Recorder {
  readonly calls: Call[];
  readonly around: Parameters<Stage['account']['around']>[0];
}

export interface Time {
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

const REAL: Time = { now: () => performance.now(), sleep: async (ms) => await new Promise((resolve) => void setTimeout(resolve, ms)) };

/** Notes every call of the suite's functions, and makes it take longer: in real time unless told, as a function works, whatever clock the sandbox has. */
export function createRecorder(name: string, latency: number, time = REAL, keeps: (call: Omit<Call, 'end'>) => boolean = () => true): Recorder {
  const calls: Call[] = [];
  const invocations = new Map<string, number>();
  /** Which functions a workflow waits for: whoever calls without a role of the suite is one of them, as nobody or as the probe. */
  const open: string[] = [];
  const around: Recorder['around'] = async ({ service, operation, input, caller }, run) => {
    const what = `${service}:${operation}`;
    const hop = what === 'lambda:Invoke' && caller.kind === 'service' ? functionIn(input, name) : null;
    if (hop !== null) {
      invocations.set(hop, (invocations.get(hop) ?? 0) + 1);
      open.push(hop);
      return await run().finally(() => void open.splice(open.indexOf(hop), 1));
    }
    const role = roleOf(caller);
    const of = role === `${name}-probe` || caller.kind === 'anonymous' ? (open.findLast((entry) => /-(plan|verify)$/.test(entry)) ?? null) : role?.startsWith(`${name}-`) ? role.slice(name.length + 1) : null;
    if (of === null) return await run();
    const begin = time.now();
    // Drawn here: a call of a later invocation may begin before this one is written down.
    const invocation = invocations.get(of) ?? 1;
    const call = { what, function: of, invocation, input, begin };
    await time.sleep(latency);
    return await run().finally(() => keeps(call) && void calls.push({ ...call, end: time.now() }));
  };
  return { calls, around };
}

function roleOf(caller: Caller): string | null {
  return caller.kind === 'role' ? (caller.principalArn.split('/').at(-1) ?? null) : null;
}

function functionIn(input: unknown, name: string): string | null {
  const reference = typeof input === 'object' && input !== null ? String(Reflect.get(input, 'FunctionName') ?? '') : '';
  return new RegExp(`:function:${name}-([\\w-]+)`).exec(reference)?.[1] ?? null;
}

function tableOf(input: unknown): unknown {
  return typeof input === 'object' && input !== null ? Reflect.get(input, 'TableName') : undefined;
}

function wayOf(stage: Stage, playbook: string, calls: readonly Call[], { began, seconds }: { readonly began: number; readonly seconds: number }): Way {
  const { what, is = () => true } = WRITES[playbook] ?? { what: '' };
  const write = calls.filter((call) => call.function === `${playbook}-apply` && call.what === what && is(call.input, stage)).toSorted((a, b) => a.begin - b.begin)[0];
  const start = calls.filter((call) => BEGINS.includes(call.function) && call.what === 'states:StartExecution').toSorted((a, b) => a.begin - b.begin)[0];
  if (!write || !start) throw new Error(`${playbook} was contained, and ${write ? 'nothing started it' : `no ${what} shut anybody out`}`);
  const invocation = (name: string) => calls.filter((call) => call.function === name && call.invocation === 1);
  // A function's workflow waits for all of it; triage hands on while it still writes down, and apply writes first what counts most.
  const before = longestChain(invocation(start.function), start).slice(0, -1);
  const chain = [...before, ...longestChain(invocation(`${playbook}-plan`)), ...longestChain(invocation(`${playbook}-apply`), write)];
  const until = calls.filter(({ begin }) => begin <= write.begin);
  const rounds = [...Map.groupBy(calls.filter((call) => call.begin >= write.end && (call.function.startsWith(`${playbook}-`) || call.function === 'record')), (call) => `${call.function} ${call.invocation}`).values()];
  return {
    playbook,
    write: what,
    steps: chain.map((call) => ({ function: call.function, call: call.what, beside: until.filter((other) => other !== call && other.function === call.function && other.begin < call.end && other.end > call.begin).length })),
    calls: until.length,
    hops: [`lambda:Invoke ${start.function}`, 'states:StartExecution', `lambda:Invoke ${playbook}-plan`, `lambda:Invoke ${playbook}-apply`],
    callsMs: chain.reduce((sum, { begin, end }) => sum + end - begin, 0),
    wholeMs: write.end - began,
    proven: { steps: rounds.reduce((sum, round) => sum + longestChain(round).length, 0), seconds },
  };
}
