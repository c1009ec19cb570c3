import { LambdaClient } from '@aws-sdk/client-lambda';
import { Sha256 } from '@smithy/core/checksum';
import { HttpRequest } from '@smithy/core/protocols';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsCredentialIdentity } from '@smithy/types';
import { z } from 'zod';
import type { Incident, IncidentView, Plan } from '../core/incident.ts';
import type { BudgetLeft } from '../core/budget.ts';
import type { PlanResult } from '../core/next.ts';
import { CliError, EXIT } from './exit.ts';

/** What the verbs of responders and auditors ask: the suite's two function URLs, signed. AWS and the sandbox alike. */
export async function listIncidents(which: 'open' | 'closed', options: Person): Promise<readonly Incident[]> {
  const incidents: Incident[] = [];
  let cursor: string | null = null;
  do {
    const query: Record<string, string> = cursor === null ? { which } : { which, before: cursor };
    const page: z.infer<typeof pageAnswer> = read(pageAnswer, await ask('STOPBATH_AUDIT_URL', 'GET', '/incidents', { query, ...options }));
    incidents.push(...page.incidents);
    cursor = page.cursor;
  } while (cursor !== null);
  return incidents;
}

/** One page of the history, as `GET /history` gives it. */
export async function historyPage(query: Readonly<Record<string, string>>, person: Person): Promise<{ readonly incidents: readonly Incident[]; readonly cursor: string | null }> {
  return read(pageAnswer, await ask('STOPBATH_AUDIT_URL', 'GET', '/history', { query, ...person }));
}

/** Whatever else the `audit` URL serves. */
export async function readAudit<T>(schema: z.ZodType<T>, path: string, query: Readonly<Record<string, string>>, { as }: Person): Promise<T> {
  return read(schema, await ask('STOPBATH_AUDIT_URL', 'GET', path, { query, as }));
}

export async function viewIncident(id: string, options: Person): Promise<IncidentView> {
  return read(viewAnswer, await ask('STOPBATH_AUDIT_URL', 'GET', `/incidents/${encodeURIComponent(id.toWellFormed())}`, options));
}

export interface Started {
  readonly incident: string;
  readonly execution: string;
  readonly mode: string;
}

export async function askRestore(incident: string, ask: { readonly reason: string; readonly newer: 'keep' | 'overwrite'; readonly digest: string | null }, options: Person): Promise<Started> {
  return read(startedAnswer, await post('/restore', { incident, ...ask }, options));
}

export async function askRestorePlan(incident: string, newer: 'keep' | 'overwrite', options: Person): Promise<PlanAnswer> {
  return read(planAnswer, await post('/plan', { incident, newer }, options));
}

export interface PlaybookAsk {
  readonly playbook: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly mode?: string | undefined;
}

export interface PlanAnswer {
  readonly plan: Plan;
  readonly result: PlanResult;
  readonly budgets?: readonly { readonly account: BudgetLeft; readonly all: BudgetLeft }[];
  /** The incident that holds the target now. */
  readonly holding?: { readonly id: string; readonly status: Incident['status']; readonly playbook: string } | null;
}

export async function askPlan(ask: PlaybookAsk, options: Person): Promise<PlanAnswer> {
  return read(planAnswer, await post('/plan', ask, options));
}

export async function askStart(ask: PlaybookAsk & { readonly reason: string; readonly digest: string | null }, options: Person): Promise<Started> {
  return read(startedAnswer, await post('/start', ask, options));
}

export interface Decided {
  readonly incident: string;
  readonly execution: string;
  readonly state: string;
  readonly have: number;
  readonly needed: number;
}

export async function askDecision(word: 'approve' | 'reject', ask: { readonly incident: string; readonly digest: string; readonly reason?: string | undefined }, options: Person): Promise<Decided> {
  return read(decidedAnswer, await post(`/${word}`, ask, options));
}

/** Asks the `respond` URL. @throws {CliError} with the answer beside the reason */
export async function post(path: string, body: unknown, options: Person): Promise<unknown> {
  return await ask('STOPBATH_RESPOND_URL', 'POST', path, { body, as: options.as });
}

export async function askRelease(incident: string, reason: string, options: Person): Promise<Started> {
  return read(startedAnswer, await post('/release', { incident, reason }, options));
}

export async function askSwitch(path: '/pause' | '/resume', reason: string, options: Person): Promise<z.infer<typeof switchAnswer>> {
  return read(switchAnswer, await post(path, { reason }, options));
}

export async function askSuppress(suppression: object, options: Person): Promise<z.infer<typeof suppressionAnswer>> {
  return read(suppressionAnswer, await post('/suppress', suppression, options));
}

export async function askUnsuppress(id: string, reason: string, options: Person): Promise<z.infer<typeof endedAnswer>> {
  return read(endedAnswer, await post('/unsuppress', { id, reason }, options));
}

/** Erases an owner, for good. */
export async function askErasure(ownerId: string, reason: string, options: Person): Promise<z.infer<typeof erasedAnswer>> {
  return read(erasedAnswer, await post('/erase-owner', { ownerId, reason }, options));
}

/** The kill switch and every suppression there was. */
export async function readGuardState(options: Person): Promise<z.infer<typeof guardAnswer>> {
  return read(guardAnswer, await ask('STOPBATH_AUDIT_URL', 'GET', '/guard', options));
}

/** Brings an incident's tickets up to date again, now. */
export async function askTicket(incident: string, reason: string, options: Person): Promise<Pick<Started, 'incident' | 'execution'>> {
  return read(startedAnswer.omit({ mode: true }), await post('/ticket', { incident, reason }, options));
}

/** Sends all tickets again that lie in the dead-letter queue. */
export async function askRedrive(reason: string, options: Person): Promise<{ readonly incidents: readonly string[]; readonly more: boolean }> {
  return read(redriveAnswer, await post('/redrive-tickets', { reason }, options));
}

/** Sends all events again that lie in their dead-letter queue. */
export async function askRedriveEvents(reason: string, options: Person): Promise<z.infer<typeof eventsAnswer>> {
  return read(eventsAnswer, await post('/redrive-events', { reason }, options));
}

/** Who signs: a person of the sandbox by name, or whoever the SDK's own chain finds. */
export interface Person {
  readonly as?: string | undefined;
}

interface Ask extends Person {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

type UrlVariable = 'STOPBATH_AUDIT_URL' | 'STOPBATH_RESPOND_URL';

// The suite's own answer to a signed request: its shape is the suite's types, so only its outline is checked.
const outlined = <T>(...keys: readonly string[]) => z.custom<T>((value) => typeof value === 'object' && value !== null && keys.every((key) => key in value), `has not ${keys.join(', ')}`);
const viewAnswer = outlined<IncidentView>('incident', 'plans', 'ledger', 'entries', 'approvals');
const pageAnswer = z.object({ incidents: z.array(outlined<Incident>('id', 'status', 'target')), cursor: z.string().nullable() });
const startedAnswer = z.object({ incident: z.string(), execution: z.string(), mode: z.string() });
const planAnswer = outlined<PlanAnswer>('plan', 'result');
const decidedAnswer = z.object({ incident: z.string(), execution: z.string(), state: z.string(), have: z.number(), needed: z.number() });
const switchAnswer = z.object({ paused: z.boolean(), by: z.string(), at: z.string(), reason: z.string() });
const suppressionAnswer = z.object({ id: z.string(), owner: z.string(), reason: z.string(), expires: z.string(), by: z.string(), at: z.string(), pattern: z.record(z.string(), z.json()) });
const endedAnswer = z.object({ id: z.string(), ended: z.string(), by: z.string(), reason: z.string() });
const guardAnswer = z.intersection(
  z.union([z.object({ paused: z.object({ by: z.string(), at: z.string(), reason: z.string() }).nullable() }), z.object({ unreadable: z.string() })]),
  z.object({ suppressions: z.array(suppressionAnswer) }),
);
const erasedAnswer = z.object({ pseudonym: z.string(), incidents: z.array(z.string()), by: z.string(), at: z.string() });
const redriveAnswer = z.object({ incidents: z.array(z.string()), more: z.boolean() });
const eventsAnswer = z.object({ sent: z.array(z.string()), dropped: z.array(z.string()), more: z.boolean() });
const refusal = z.object({ error: z.string() }).or(z.object({ Message: z.string() }).or(z.object({ message: z.string() })));

const TIMEOUT_MS = 35_000;
/** By region: an export asks thousands of times. */
const chains = new Map<string, () => Promise<AwsCredentialIdentity>>();

async function ask(variable: UrlVariable, method: 'GET' | 'POST', path: string, { query = {}, body, as }: Ask): Promise<unknown> {
  const base = urlOf(variable);
  const request = new HttpRequest({
    method,
    protocol: base.protocol,
    hostname: base.hostname,
    ...(base.port === '' ? {} : { port: Number(base.port) }),
    path: `${base.pathname.replace(/\/$/, '')}${path}`,
    query: { ...query },
    headers: { host: base.host, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const region = regionOf(base);
  const signer = new SignatureV4({ service: 'lambda', region, credentials: await credentialsOf(as, region), sha256: Sha256 });
  const signed = await signer.sign(request);
  const { host: _, ...headers } = signed.headers;
  const search = new URLSearchParams(query).toString();
  const url = `${base.protocol}//${base.host}${request.path}${search === '' ? '' : `?${search}`}`;
  const response = await reach(url, variable, { method, headers, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS), ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return await answerOf(response, variable);
}

function urlOf(variable: UrlVariable): URL {
  const text = process.env[variable] ?? '';
  if (text === '') throw new CliError(EXIT.usage, `${variable} is not set: export what "stopbath sandbox" prints, or the URL among the outputs of your stack`);
  if (!URL.canParse(text)) throw new CliError(EXIT.usage, `${variable} is ${JSON.stringify(text)}, which is no URL: it looks like https://<id>.lambda-url.<region>.on.aws/`);
  return new URL(text);
}

/** A function URL names its region; the sandbox's has none and takes the environment's. */
function regionOf(url: URL): string {
  return /\.lambda-url\.([a-z0-9-]+)\.on\.aws$/.exec(url.hostname)?.[1] ?? process.env['AWS_REGION'] ?? 'us-east-1';
}

/**
 * @param person - `rosa` takes `ROSA_AWS_ACCESS_KEY_ID` and so on, which the sandbox prints
 * @throws {CliError} where there are none
 */
export async function credentialsOf(person: string | undefined, region: string): Promise<AwsCredentialIdentity> {
  if (person !== undefined) {
    const prefix = `${person.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}_AWS_`;
    const accessKeyId = process.env[`${prefix}ACCESS_KEY_ID`];
    const secretAccessKey = process.env[`${prefix}SECRET_ACCESS_KEY`];
    const sessionToken = process.env[`${prefix}SESSION_TOKEN`];
    if (accessKeyId === undefined || secretAccessKey === undefined) {
      throw new CliError(EXIT.usage, `--as ${person}: ${prefix}ACCESS_KEY_ID and ${prefix}SECRET_ACCESS_KEY are not set; export what "stopbath sandbox" prints`);
    }
    return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  }
  try {
    // The default chain of every SDK client: environment, profile, SSO, container, instance. It remembers, and renews.
    const chain = chains.get(region) ?? new LambdaClient({ region }).config.credentials;
    chains.set(region, chain);
    return await chain();
  } catch (cause) {
    throw new CliError(EXIT.refused, `there are no AWS credentials (${reasonOf(cause)}): sign in, set AWS_PROFILE, or export what "stopbath sandbox" prints`, { cause });
  }
}

async function reach(url: string, variable: UrlVariable, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new CliError(EXIT.unreachable, `${new URL(url).origin} did not answer (${reasonOf(cause)}): is the sandbox running, and is ${variable} its URL?`, { cause: error });
  }
}

async function answerOf(response: Response, variable: UrlVariable): Promise<unknown> {
  const text = await response.text();
  if (response.ok) return parseJson(text);
  const said = refusal.safeParse(parseJson(text));
  const reason = said.success ? String(Object.values(said.data)[0]) : text.slice(0, 200);
  const answer = parseJson(text);
  // The suite's own refusals say why and what to do; AWS's say neither.
  if (response.status === 403 && typeof answer === 'object' && answer !== null && 'error' in answer) throw new CliError(EXIT.refused, `refused: ${reason}`, { answer });
  if (response.status === 401 || response.status === 403) throw new CliError(EXIT.refused, `refused (${response.status}): ${reason}; ${variable === 'STOPBATH_AUDIT_URL' ? 'auditors and responders may read' : 'only responders may do this'}: sign as one of them`);
  if (response.status >= 500 || response.status === 429) throw new CliError(EXIT.unreachable, `${variable} answered ${response.status}: ${reason}; try again, and look at the function's log`);
  throw new CliError(response.status === 400 ? EXIT.usage : EXIT.no, reason, { answer });
}

function read<T>(schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new CliError(EXIT.unreachable, `the answer is not Stopbath's (${z.prettifyError(parsed.error)}): is the URL that of this version's function?`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
