import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { GetPublicKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { fingerprintOf } from '../../core/seal.ts';
import { verifyEvidence } from '../../core/verify.ts';
import type { Config } from '../../deploy/config.ts';
import { startAccount, type Account } from '../account.ts';
import { realClock, skippingClock } from '../clock.ts';
import type { Deployment } from '../deploy.ts';
import { accountIn, seedPhotos, type Photos } from '../photos/seed.ts';
import { seedShares, type Shares } from '../photos/shares.ts';
import { loadPlaybooks } from '../../aws/playbooks.ts';
import type { IncidentView } from '../../core/incident.ts';
import { declaredChange } from '../../core/playbook.ts';
import { keyIdOf } from '../services/kms.ts';
import { check, type Found } from './check.ts';
import { bucketFiles } from './evidence.ts';
import { arrange } from './failures.ts';
import { startFollowers } from './follow.ts';
import { history } from './history.ts';
import { seriesOf, startOutsider } from './outsider.ts';
import type { ScenarioResult, TimelineLine } from './result.ts';
import { readScenario, ROOT, type Scenario } from './scenario.ts';
import { differences, readRawSettings, type RawSettings } from './settings.ts';
import { createStage, StepError, type Stage } from './stage.ts';
import { playStep } from './steps.ts';
import { suiteReader, type SuiteReader } from './suite.ts';
import { timingsOf } from './timings.ts';

export interface PlayOptions {
  /** `skipping` plays hours in moments; `real` shows a person what happens when. */
  readonly clock: 'real' | 'skipping';
  /** What functions run from; their sources unless told. */
  readonly code?: 'sources' | 'bundles';
  /** Called with every line of the timeline, as it happens. */
  readonly onLine?: (line: TimelineLine) => void;
  /** Called with the account at the end, before it is gone: what was called in it. */
  readonly onEnd?: (account: Account) => void;
}

/**
 * Plays a scenario: an account of its own, the photo service and the suite in it, the steps over HTTP, an outsider who
 * reads all through; then everything comes to rest, and what is found is held against what the scenario expects.
 *
 * @param path - the scenario's file
 * @throws {ScenarioError} where the file is none
 */
export async function playScenario(path: string, options: PlayOptions): Promise<ScenarioResult> {
  return await play(readScenario(path), options);
}

/** The same for a scenario that was read already. */
export async function play(scenario: Scenario, options: PlayOptions): Promise<ScenarioResult> {
  const skips = options.clock === 'skipping' || scenario.given.skipTime;
  const clock = skips ? skippingClock() : realClock();
  const account = await startAccount({ clock, propagationMs: scenario.given.propagationMs });
  try {
    const { bucket, principalsIn = account.accounts.home } = scenario.given;
    const member = [accountIn(bucket), principalsIn].some((id) => account.accounts.members.includes(id));
    const photos = await seedPhotos(account, () => account.s3.settle(), member, principalsIn);
    const shares = scenario.given.follows.length > 0 ? await seedShares(account, photos) : null;
    // What a scenario says of the share service changes that, and leaves the rest of it.
    const { shares: otherwise, ...config } = scenario.given.config;
    const deployment = await account.deploy({ ...(options.code ? { code: options.code } : {}), config: { ...atHome(photos), ...(shares ? { shares: { ...shares.config, ...Object(otherwise) } } : {}), ...(member ? { accounts: [...account.accounts.members], externalId: EXTERNAL_ID } : {}), ...config } });
    if (member) await Promise.all(account.accounts.members.map((id) => account.deployMember(id, { Name: deployment.name, ExternalId: EXTERNAL_ID, SignerRoles: id === principalsIn ? photos.roles.signer : '' })));
    const { suite, close } = openSuite(account, deployment);
    try {
      return await playIn({ scenario, account, photos, shares, deployment, suite, skips, ...(options.onLine ? { onLine: options.onLine } : {}) });
    } finally {
      options.onEnd?.(account);
      close();
      await shares?.close();
    }
  } finally {
    await account.stop();
  }
}

const EXTERNAL_ID = 'family-photos-4f8c1e';

/** How the suite is configured in a sandbox, unless the scenario says otherwise: it may act, and looks every second. */
function atHome({ roles }: Photos): Partial<Config> {
  return { modeCap: 'contain', verifyIntervalSeconds: 1, sessionNamesPinned: true, responderRoles: [roles.responder], auditorRoles: [roles.auditor] };
}

interface Playing {
  readonly scenario: Scenario;
  readonly account: Account;
  readonly photos: Photos;
  readonly shares: Shares | null;
  readonly deployment: Deployment;
  readonly suite: SuiteReader;
  readonly skips: boolean;
  readonly onLine?: (line: TimelineLine) => void;
}

async function playIn(playing: Playing): Promise<ScenarioResult> {
  const { scenario, account, photos, shares, suite, skips } = playing;
  const { given } = scenario;
  const { clock } = account;
  const startedAt = clock.now();
  const lines = history(playing.onLine);
  const say = (who: string, text: string, tone: TimelineLine['tone']) => lines.add({ at: new Date(clock.now()).toISOString(), who, text, tone });
  const outsider = startOutsider({
    clock,
    skips,
    url: `${account.endpoint}/${given.bucket}/${photos.picture}`,
    onChange: ({ status }) => say('outsider', status < 400 ? `reads a family's picture (${status})` : `is refused (${status})`, status < 400 ? 'bad' : 'good'),
  });
  const followers = shares && (await startFollowers({ account, shares, skips, follows: given.follows, say }));
  const watch = async () => {
    const incidents = await suite.incidents();
    lines.follow(incidents);
    return incidents;
  };
  const stage: Stage = createStage({ ...playing, say, outsider, followers, watch });
  let before: RawSettings | null = null;
  let stopped: string | null = null;
  let decided = false;
  try {
    for (const step of scenario.steps) {
      if (('event' in step || 'start' in step) && before === null) {
        await outsider.ask();
        before = await settingsOf(account, given.bucket);
        arrange(scenario, account, stage);
      }
      await playStep(step, stage);
      decided ||= 'event' in step || 'start' in step;
    }
    if (decided) await playStep({ await: 'settled', withinSeconds: 600 }, stage);
    await Promise.all([outsider.ask(), followers?.ask()]);
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    stopped = error.message;
  } finally {
    await Promise.all([outsider.stop(), followers?.stop()]);
  }

  const after = await settingsOf(account, given.bucket);
  const [incidents, decisions, tickets, executions] = await Promise.all([
    suite.incidents(),
    suite.decisions(new Date(startedAt).toISOString().slice(0, 10)),
    suite.tickets(),
    suite.executions(),
  ]);
  lines.follow(incidents);
  const entered = await Promise.all(executions.map(async (execution) => (await execution.states()).map((state) => `${execution.playbook}:${state}`)));
  const statesEntered = [...new Set(entered.flat())];
  const running = executions.filter(({ status }) => status === 'RUNNING').map(({ name }) => name);
  const probes = outsider.probes.filter(({ at }) => at >= stage.openSince());
  const expectations = check(scenario, { incidents, decisions, tickets, statesEntered, running, undeclared: await undeclaredIn(incidents), probes, changed: differences(before ?? after, after), fetches: followers?.probes() ?? new Map(), revoked: shares && (await revokedLinks(account, shares)), kept: await keptOf(playing), sent: stage.sent, stopped });
  const endedAt = clock.now();
  return {
    scenario: scenario.name,
    title: scenario.title,
    playbook: scenario.playbook,
    transitions: entered.flat().length,
    ok: expectations.every(({ held }) => held),
    expectations,
    startedAt: new Date(startedAt).toISOString(),
    endedAt: new Date(endedAt).toISOString(),
    incidents,
    timeline: lines.all(),
    probes: [seriesOf(`anonymous GET of ${photos.picture}`, outsider.probes), ...[...(followers?.probes() ?? [])].map(([name, fetched]) => seriesOf(name, fetched))],
    timings: timingsOf({ sentAt: stage.firstSentAt(), incident: incidents[0], probes, total: endedAt - startedAt }),
    statesEntered,
    decisions: decisions.map(({ event, decision, reason }) => ({ event, decision, reason })),
    tickets,
  };
}

/** Verifies the evidence bucket, and looks for words that were to be forgotten, in it and in the table. */
async function keptOf({ scenario: { expect }, account, deployment: { name } }: Playing): Promise<Found['kept']> {
  if (expect.record === undefined && expect.forgotten === undefined) return null;
  const config = { endpoint: account.endpoint, region: account.world.region, credentials: account.admin };
  const [s3, kms, dynamo] = [new S3Client({ ...config, forcePathStyle: true }), new KMSClient(config), new DynamoDBClient(config)];
  try {
    return await account.clock.work(async () => {
      const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: keyIdOf(account.accounts.home, 'SealKey1') }));
      const files = bucketFiles(s3, `${name}-evidence-${account.accounts.home}`);
      const { verdict } = await verifyEvidence(files, { trusted: [fingerprintOf(PublicKey ?? new Uint8Array())], until: new Date(account.clock.now()).toISOString() });
      const texts = await Promise.all((await files.keys('records/')).map(async (key) => [key, await files.text(key)] as const));
      for await (const { Items = [] } of paginateScan({ client: dynamo }, { TableName: name })) for (const item of Items) texts.push([`${item['pk']?.S} ${item['sk']?.S}`, JSON.stringify(item)]);
      return { verdict, said: texts.filter(([, text]) => (expect.forgotten ?? []).some((word) => text.includes(word))).map(([place]) => place) };
    });
  } finally {
    [s3, kms, dynamo].forEach((client) => client.destroy());
  }
}

/** A ledger says what its incident's playbook did; a playbook that took over from another declares its own. */
async function undeclaredIn(incidents: readonly IncidentView[]): Promise<readonly string[]> {
  const playbooks = await loadPlaybooks(ROOT);
  const settings = incidents.flatMap(({ plans, ledger }) => ledger.map(({ digest, setting }) => ({ playbook: plans.find((plan) => plan.digest === digest)?.playbook ?? '', setting })));
  const wrong = settings.filter(({ playbook, setting }) => !playbooks.some((one) => one.name === playbook && declaredChange(one, setting) !== undefined));
  return [...new Set(wrong.map(({ playbook, setting }) => `${playbook} changed ${setting}`))];
}

async function revokedLinks(account: Account, { config: { links } }: Shares): Promise<number> {
  const client = new DynamoDBClient({ endpoint: account.endpoint, region: account.world.region, credentials: account.admin });
  try {
    return await account.clock.work(async () => {
      let found = 0;
      for await (const { Count } of paginateScan({ client }, { TableName: links.table, FilterExpression: '#s = :s', ExpressionAttributeNames: { '#s': links.attributes.status }, ExpressionAttributeValues: { ':s': { S: links.values.revoked } }, Select: 'COUNT' })) found += Count ?? 0;
      return found;
    });
  } finally {
    client.destroy();
  }
}

async function settingsOf(account: Account, bucket: string): Promise<RawSettings> {
  return await account.clock.work(() => readRawSettings({ endpoint: account.endpoint, region: account.world.region, credentials: account.adminOf(accountIn(bucket)), now: account.clock.now() }, bucket));
}

/** A reader of the suite's table, executions and tickets, as the account's administrator over HTTP. */
function openSuite(account: Account, { name }: Deployment): { readonly suite: SuiteReader; readonly close: () => void } {
  const config = { endpoint: account.endpoint, region: account.world.region, credentials: account.admin };
  const [dynamo, sfn, ssm] = [new DynamoDBClient(config), new SFNClient(config), new SSMClient(config)];
  const table = { settings: { STOPBATH_TABLE: name }, clients: { dynamo: DynamoDBDocumentClient.from(dynamo) } };
  return {
    suite: suiteReader({ table, sfn, ssm, name, now: () => account.clock.now() }),
    close: () => [dynamo, sfn, ssm].forEach((client) => client.destroy()),
  };
}
