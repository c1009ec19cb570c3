import type { Account } from '../account.ts';
import { AwsError, CutError, type Caller } from '../service.ts';
import type { Around } from '../world.ts';

/** What may befall one call of AWS's. `-after`: although it took effect. */
export const FAULTS = ['throttled', 'error', 'timeout', 'timeout-after', 'denied', 'cut', 'stale', 'killed', 'killed-after', 'restarted'] as const;
export type FaultKind = (typeof FAULTS)[number];

/** Which call is struck, and by what. */
export interface Strike {
  readonly kind: FaultKind;
  /**
   * The how manieth of all, from 1 (0 strikes none, and counts), or which by what it is: `triage dynamodb:PutItem#2`, the second one. What runs side by
   * side comes in another order each time, so that a name plays the same again and a number may not.
   */
  readonly call: number | string;
}

/** A call that a run makes, and the faults that mean anything to it. */
export interface Counted {
  /** `triage dynamodb:PutItem` */
  readonly what: string;
  /** The how manieth of these, from 1. */
  readonly nth: number;
  readonly faults: readonly FaultKind[];
  /** It changes nothing. */
  readonly reads: boolean;
}

export interface Striker {
  readonly around: Around;
  /** The calls of the suite so far, in order; none where one is to be struck. */
  readonly calls: () => readonly Counted[];
  /** What was struck, `triage dynamodb:PutItem#2`; `null` where it was none, or the fault means nothing to it. */
  readonly struck: () => string | null;
}

/** As often as the SDK of the suite tries: the function sees the failure, and not only its client. */
const ATTEMPTS = 4;

/**
 * Counts the calls that the suite's own roles make, and what services call for it, and strikes one of them: with the SDK's own
 * retries of it, where it is a failure that an SDK retries; for good, where a permission is missing.
 *
 * @param name - what the suite's names begin with
 */
export function createStriker(account: Account, name: string, { kind, call: wanted }: Strike): Striker {
  const seen: Seen = { answers: new Map(), invoked: new Set(), started: false };
  const each = new Map<string, number>();
  const calls: Counted[] = [];
  let [made, left] = [0, 0];
  let struck: { readonly what: string; readonly nth: number } | null = null;
  // A run that only counts asks of every call what each fault means to it; others ask of the one that they look for.
  const counts = wanted === 0;
  const remembers = counts || kind === 'stale';

  const around: Around = async (call, run) => {
    const who = suitePart(call.caller, name);
    if (who === null) return await run();
    const what = `${who} ${call.service}:${call.operation}`;
    const nth = (each.get(what) ?? 0) + 1;
    each.set(what, nth);
    made++;
    if (counts) calls.push({ what, nth, faults: FAULTS.filter((fault) => applies(fault, what, call.input, seen)), reads: READS.test(what) });
    if (struck === null && (made === wanted || `${what}#${nth}` === wanted || (nth === 1 && what === wanted)) && applies(kind, what, call.input, seen)) {
      struck = { what, nth };
      left = kind === 'denied' ? Number.POSITIVE_INFINITY : REPEATED.has(kind) ? ATTEMPTS : 1;
    }
    if (call.operation === 'StartExecution') seen.started = true;
    const invoked = call.operation === 'Invoke' && call.caller.kind === 'role' ? /:function:([\w-]+)/.exec(String(Reflect.get(Object(call.input), 'FunctionName')))?.[1] : undefined;
    if (invoked?.startsWith(`${name}-`)) seen.invoked.add(invoked.slice(name.length + 1));
    if (what !== struck?.what || left === 0) return remembers ? await remembered(seen, what, call.input, run) : await run();
    left--;
    return await strike(account, kind, what, call.input, seen, run);
  };
  return { around, calls: () => calls, struck: () => (struck === null ? null : `${struck.what}#${struck.nth}`) };
}

/** What of a run says whether a fault means anything to a call. */
interface Seen {
  /** The first answer to each question. */
  readonly answers: Map<string, unknown>;
  /** Functions that a workflow has invoked. */
  readonly invoked: Set<string>;
  /** Whether any execution was started. */
  started: boolean;
}

const REPEATED: ReadonlySet<FaultKind> = new Set(['throttled', 'error', 'timeout', 'timeout-after', 'cut']);
/** Read by two roles only, and never on the way of an incident. */
const READERS = /-(audit|probe)$/;

/** The role of the suite's own that calls, or the service that calls for it; `null` for everybody else. */
function suitePart(caller: Caller, name: string): string | null {
  if (caller.kind === 'service') return caller.service;
  if (caller.kind !== 'role') return null;
  const role = caller.principalArn.split('/').at(-1) ?? '';
  return role.startsWith(`${name}-`) && !READERS.test(role) ? role.slice(name.length + 1) : null;
}

async function strike(account: Account, kind: FaultKind, what: string, input: unknown, seen: Seen, run: () => Promise<unknown>): Promise<unknown> {
  const [who = '', call = ''] = what.split(' ');
  const service = call.split(':')[0] ?? '';
  switch (kind) {
    case 'throttled':
      throw service === 's3' ? new AwsError('SlowDown', 'Please reduce your request rate.', 503) : service === 'lambda' ? new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429) : new AwsError('ThrottlingException', 'Rate exceeded');
    case 'error':
      throw new AwsError(failureOf(service), 'We encountered an internal error. Please try again.', 500);
    case 'timeout':
      throw new CutError('before', failureOf(service));
    case 'timeout-after':
      await run();
      throw new CutError('before', failureOf(service));
    case 'cut':
      await run();
      throw new CutError('within', failureOf(service));
    case 'denied':
      throw new AwsError(service === 's3' ? 'AccessDenied' : 'AccessDeniedException', `User: ${who} is not authorized to perform: ${call}`, service === 's3' ? 403 : 400);
    case 'stale':
      return seen.answers.get(keyOf(what, input)) ?? (await run());
    case 'killed':
      await account.killFunctions();
      throw new CutError('before', failureOf(service));
    case 'killed-after':
      await run();
      await account.killFunctions();
      throw new CutError('before', failureOf(service));
    case 'restarted':
      await stopExecutions(account, who);
      return await run();
  }
}

/** A service's own word for a failure of its own. */
function failureOf(service: string): string {
  return ({ lambda: 'ServiceException', dynamodb: 'InternalServerError', s3: 'InternalError' } as Readonly<Record<string, string>>)[service] ?? 'InternalFailure';
}

const READS = /:(Get|Query|BatchGet|Describe|List|Head|Lookup|Simulate)/;

/** Whether the fault can befall this call at all, and does anything that another one does not. */
function applies(kind: FaultKind, what: string, input: unknown, { answers, invoked, started }: Seen): boolean {
  const [who = '', call = ''] = what.split(' ');
  const reads = READS.test(call);
  switch (kind) {
    case 'stale':
      // Only what is read without asking for consistency may be old, and only if it was read before.
      return reads && !(typeof input === 'object' && input !== null && Reflect.get(input, 'ConsistentRead') === true) && answers.has(keyOf(what, input));
    case 'timeout-after':
      // A read has no effect: what comes after it is what comes before it.
      return !reads;
    case 'killed':
      return inFunction(who, call);
    case 'killed-after':
      return inFunction(who, call) && !reads;
    case 'restarted':
      // A function goes on while the engine restarts: within one that a workflow called, it is the same as at that call.
      return started && !invoked.has(who);
    default:
      return true;
  }
}

/** Services and workflows run in no function of the suite. */
function inFunction(who: string, call: string): boolean {
  return !who.endsWith('.amazonaws.com') && !call.startsWith('lambda:Invoke');
}

async function remembered({ answers }: Seen, what: string, input: unknown, run: () => Promise<unknown>): Promise<unknown> {
  const output = await run();
  const key = keyOf(what, input);
  if (!answers.has(key)) answers.set(key, output);
  return output;
}

function keyOf(what: string, input: unknown): string {
  return `${what.split(' ')[1] ?? ''} ${JSON.stringify(input, (_, value: unknown) => (value instanceof Uint8Array || typeof value === 'bigint' ? String(value) : value))}`;
}

/** What an outage of the engine looks like from outside: executions that stand still until somebody redrives them. */
async function stopExecutions(account: Account, who: string): Promise<void> {
  const root = rootOf(account);
  const { stateMachines } = (await account.world.call('states', 'ListStateMachines', {}, root)) as { readonly stateMachines: readonly { readonly stateMachineArn: string }[] };
  for (const { stateMachineArn } of stateMachines) {
    const { executions } = (await account.world.call('states', 'ListExecutions', { stateMachineArn, statusFilter: 'RUNNING' }, root)) as { readonly executions: readonly { readonly executionArn: string }[] };
    for (const { executionArn } of executions) await account.world.call('states', 'StopExecution', { executionArn, cause: `the engine restarted while ${who} called` }, root);
  }
}

export function rootOf(account: Account): Caller {
  const arn = `arn:aws:iam::${account.accounts.home}:root`;
  return { kind: 'root', account: account.accounts.home, principalArn: arn, arn, userId: account.accounts.home };
}
