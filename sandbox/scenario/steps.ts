import { digestOf } from '../../core/canonical.ts';
import type { Account } from '../account.ts';
import { PEOPLE, type Person } from '../photos/people.ts';
import { accountIn } from '../photos/seed.ts';
import { AwsError, type Credentials } from '../service.ts';
import { parseFile, ROOT, type CallStep, type Scenario, type Step } from './scenario.ts';
import { fetchSigned, presigned } from './signed.ts';
import { StepError, type Stage } from './stage.ts';
import { until, waiting } from './waiting.ts';
import { join } from 'node:path';

export async function playStep(step: Step, stage: Stage): Promise<void> {
  if ('attack' in step) return await attack(step.attack, stage);
  if ('call' in step) return await call(step, stage, 1);
  if ('event' in step) return await send(step, stage);
  if ('await' in step) return await until(step.await, step.withinSeconds, stage);
  if ('restore' in step) return await restore(step, stage);
  if ('start' in step) return await start(step, stage);
  if ('steal' in step) return await steal(step, stage);
  if ('tick' in step) return await tick(step.tick, stage);
  if ('release' in step) return void (await ask('release', step.release, { incident: await newest(stage), reason: step.reason }, step.answers, stage));
  if ('approve' in step || 'reject' in step) return await decide(step, stage);
  if ('pause' in step) return void (await ask('pause', 'rosa', { reason: step.pause }, 200, stage));
  if ('respond' in step) return void (await ask(step.respond.slice(1), step.as, fill(step.body, { ...namesOf(stage.scenario, stage.account), ...(await incidentName(stage)) }), step.answers, stage));
  if ('reads' in step) return await reads(step, stage);
  if ('share' in step || 'fill' in step || 'mint' in step || 'end' in step) {
    if (!stage.followers) throw new StepError('there is no share service: name a link in given.follows');
    return await stage.followers.play(step);
  }
  await stage.account.clock.sleep(step.pass * 1000);
}

async function attack(name: 'make-public', stage: Stage): Promise<void> {
  const { scenario, account, photos, outsider, say } = stage;
  const { bucket, propagationMs } = scenario.given;
  await outsider.ask();
  await account.clock.work(() => photos.attacks[name](bucket));
  say('deploy-bot', `takes the block off ${bucket} and lets everyone in: policy and ACL`, 'bad');
  await account.clock.sleep(propagationMs);
  // What counts is what the outsider sees from here on: before, the attack itself was still propagating.
  stage.opened(account.clock.now());
  await outsider.ask();
}

/** Calls an operation as somebody, inside the sandbox but on the same way as over HTTP. */
export async function call(step: CallStep, stage: Stage, n: number): Promise<void> {
  const { scenario, account, followers, say } = stage;
  const [service = '', operation = ''] = step.call.split(':');
  const { accessKeyId } = stage.stolen.get(step.as) ?? (await credentialsOf(step.as, stage));
  const caller = account.directory.findKey(accessKeyId)?.caller;
  if (!caller) {
    if (!step.refused) throw new StepError(`${step.as} has no key`);
    return say(step.as, `${step.text}: refused, the key is not known`, 'good');
  }
  const input = fill(step.input, { ...namesOf(scenario, account, followers?.names()), ...(await incidentName(stage)), n: String(n) });
  try {
    await account.world.call(service, operation, input, caller);
  } catch (error) {
    if (error instanceof AwsError && step.refused && /AccessDenied|InvalidClientTokenId|InvalidAccessKeyId/.test(error.code)) return say(step.as, `${step.text}: refused (${error.code})`, 'good');
    if (error instanceof AwsError) throw new StepError(`${step.as}: ${step.call}: ${error.code}: ${error.message}`);
    throw error;
  }
  if (step.refused) throw new StepError(`${step.as}: ${step.call} was answered, and had to be refused`);
  say(step.as, step.text, 'neutral');
}

async function steal({ steal: name, from }: Extract<Step, { steal: string }>, stage: Stage): Promise<void> {
  stage.stolen.set(name, await credentialsOf(from, stage));
  stage.say('somebody', `has the credentials of ${from}`, 'bad');
}

async function credentialsOf(name: string, { photos }: Stage): Promise<Credentials> {
  const person = PEOPLE.find((one): one is Person => one === name) ?? 'admin';
  if (person === 'admin' && name !== 'admin') throw new StepError(`there is no ${name} in the photos seed: use admin, ${PEOPLE.join(', ')}`);
  return await photos.credentialsOf(person);
}

async function send(step: Extract<Step, { event: string }>, stage: Stage): Promise<void> {
  const { scenario, account, say } = stage;
  const event = fill(merge(parseFile(join(ROOT, step.event)), step.with ?? {}), { ...namesOf(scenario, account), ...(await incidentName(stage)) });
  say(sourceOf(event), `reports: ${titleOf(event)}${step.times > 1 ? ` (${step.times} times at once)` : ''}`, 'neutral');
  stage.noteSent(idsOf(event));
  const body = JSON.stringify(Array.from({ length: step.times }, () => event));
  const answer = await account.clock.work(() => fetch(`${account.endpoint}/_sandbox/events`, { method: 'POST', headers: { 'content-type': 'application/json' }, body }));
  if (!answer.ok) throw new StepError(`${step.event}: ${await answer.text()}`);
}

async function restore(step: Extract<Step, { restore: string }>, stage: Stage): Promise<void> {
  await ask('restore', step.restore, { incident: await newest(stage), reason: step.reason }, step.answers, stage);
  const approver = step.approvedBy === undefined ? (step.restore === 'rosa' ? 'ravi' : 'rosa') : step.approvedBy;
  if (approver === null || step.answers !== 202 || (await waiting(stage)) === null) return;
  await decide({ approve: approver, answers: 200 }, stage);
}

/** Lets a schedule's time come, and waits until its function has run. */
async function tick(rule: string, { account, deployment }: Stage): Promise<void> {
  account.events.tick(`${deployment.name}-${rule}`);
  await account.events.idle();
  await account.clock.sleep(TICK_MS);
}

/** Sandbox time, which stands still while a function runs. */
const TICK_MS = 5_000;

async function start({ start: who, playbook, inputs, reason, mode, planned, meanwhile, answers }: Extract<Step, { start: string }>, stage: Stage): Promise<void> {
  const wanted = { playbook: playbook ?? stage.scenario.playbook, mode, inputs: fill(inputs, namesOf(stage.scenario, stage.account, stage.followers?.names())) };
  const seen = planned ? (JSON.parse(await ask('plan', who, wanted, 200, stage)) as { readonly plan: { readonly digest: string } }) : null;
  if (meanwhile) await call(meanwhile, stage, 1);
  await ask('start', who, { ...wanted, reason, digest: seen?.plan.digest ?? null }, answers, stage);
}

async function decide(step: Extract<Step, { approve: string } | { reject: string }>, stage: Stage): Promise<void> {
  // Where nothing waits any more, the last that did: for who comes too late.
  const approval = (await waiting(stage)) ?? (await stage.account.clock.work(() => stage.suite.incidents())).at(-1)?.approvals.at(-1);
  if (!approval) throw new StepError('nothing waits for an approval');
  const { incident, digest } = approval;
  if ('reject' in step) await ask('reject', step.reject, { incident, digest, reason: step.reason }, step.answers, stage);
  else await ask('approve', step.approve, { incident, digest: step.digest ?? digest }, step.answers, stage);
}

/** Asks through the `respond` URL, signed as that responder. */
async function ask(what: string, who: string, body: unknown, expected: number, { account, photos, deployment }: Stage): Promise<string> {
  const person = PEOPLE.find((one): one is Person => one === who);
  if (!person) throw new StepError(`there is no ${who} in the photos seed: use ${PEOPLE.join(', ')}`);
  return await account.clock.work(async () => {
    const credentials = await photos.credentialsOf(person);
    const url = new URL(what, deployment.urls['respond']);
    const answer = await fetchSigned({ service: 'lambda', region: account.world.region, credentials, method: 'POST', url, body: JSON.stringify(body), now: account.clock.now() });
    const text = await answer.text();
    if (answer.status !== expected) throw new StepError(`${what} by ${who} was answered ${answer.status}, not ${expected}: ${text}`);
    return text;
  });
}

/** Asks once for the picture, as somebody, by some door. */
async function reads(step: Extract<Step, { reads: string }>, stage: Stage): Promise<void> {
  const { account, photos, scenario } = stage;
  const person = personOf(step.reads);
  const door = step.through === undefined ? scenario.given.bucket : await aliasOf(step.through, stage);
  const url = new URL(`${account.endpoint}/${door}/${photos.picture}`);
  const status = await account.clock.work(async () => {
    if (person === null) return (await fetch(url)).status;
    const request = { service: 's3', region: account.world.region, credentials: await photos.credentialsOf(person), method: 'GET', url, now: account.clock.now() };
    return (await (step.presigned ? fetch(await presigned(request)) : fetchSigned(request))).status;
  });
  const way = `${step.presigned ? ', by a presigned URL' : ''}${step.through === undefined ? '' : `, through ${step.through}`}`;
  stage.say(step.reads, `${status < 400 ? 'reads' : 'is refused'} a picture (${status})${way}`, 'neutral');
  if (status !== step.answers) throw new StepError(`${step.reads} was answered ${status}, not ${step.answers}${way}`);
}

function personOf(name: string): Person | 'admin' | null {
  const person = PEOPLE.find((one): one is Person => one === name) ?? (name === 'admin' ? name : null);
  if (person === null && name !== 'anonymous') throw new StepError(`there is no ${name} in the photos seed: use anonymous, admin, ${PEOPLE.join(', ')}`);
  return person;
}

async function aliasOf(point: string, { account }: Stage): Promise<string> {
  const caller = account.directory.findKey(account.admin.accessKeyId)?.caller;
  const found: unknown = caller && (await account.world.call('s3-control', 'GetAccessPoint', { AccountId: account.world.account, Name: point }, caller));
  return isRecord(found) ? String(found['Alias']) : '';
}

async function incidentName({ suite, account }: Stage): Promise<Readonly<Record<string, string>>> {
  const last = (await account.clock.work(() => suite.incidents())).at(-1);
  return last ? { incident: last.incident.id } : {};
}

async function newest({ suite, account }: Stage): Promise<string> {
  const last = (await account.clock.work(() => suite.incidents())).at(-1);
  if (!last) throw new StepError('there is no incident');
  return last.incident.id;
}

function namesOf({ given }: Scenario, account: Account, links: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const owner = accountIn(given.bucket);
  return { bucket: given.bucket, account: account.accounts.members.includes(owner) ? owner : account.world.account, region: account.world.region, now: new Date(account.clock.now()).toISOString(), ...links };
}

/** Replaces `${name}` in every text of a JSON value. */
function fill(value: unknown, names: Readonly<Record<string, string>>): unknown {
  if (typeof value === 'string') return value.replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => names[name] ?? whole);
  if (Array.isArray(value)) return value.map((entry) => fill(entry, names));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, fill(entry, names)]));
}

/** JSON merge patch. @see https://www.rfc-editor.org/rfc/rfc7396 */
function merge(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const base = isRecord(target) ? target : {};
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, merge(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

function idsOf(event: unknown): readonly string[] {
  const envelope = isRecord(event) ? event : {};
  const detail = isRecord(envelope['detail']) ? envelope['detail'] : {};
  return [detail['id'], detail['eventID'], envelope['id'], `sha256:${digestOf(event)}`].filter((id) => typeof id === 'string');
}

function sourceOf(event: unknown): string {
  return isRecord(event) && event['source'] === 'aws.guardduty' && event['detail-type'] === 'GuardDuty Finding' ? 'GuardDuty' : 'CloudTrail';
}

function titleOf(event: unknown): string {
  const detail = isRecord(event) && isRecord(event['detail']) ? event['detail'] : {};
  const title = detail['type'] ?? detail['eventName'];
  return typeof title === 'string' ? title : 'an event';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
