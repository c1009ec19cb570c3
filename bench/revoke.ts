/** What revoking an album with many links takes: until the first refusal, and the sweep's rate and memory. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { Logger } from '@aws-lambda-powertools/logger';
import { build } from 'esbuild';
import { parse } from 'yaml';
import { z } from 'zod';
import { createClients } from '../aws/clients.ts';
import type { Tools } from '../aws/function.ts';
import { writeSwitch } from '../aws/guard.ts';
import { createIncident, viewIncident } from '../aws/incidents.ts';
import { readSettings } from '../aws/settings.ts';
import { divide, sweepState } from '../aws/share/sweep.ts';
import { startAccount, type Account } from '../sandbox/account.ts';
import { seedPhotos } from '../sandbox/photos/seed.ts';
import { seedShares, type Shares } from '../sandbox/photos/shares.ts';
import { incidentAbout } from '../test/share/stage.ts';

const SIZES = [100, 10_000, 100_000];
/** Links that the bare loop writes: enough to know its rate. */
const BARE = 10_000;
const WANTED_SHARE = 0.7;
const WANTED_GROWTH = 1.5;
const ROOT = join(import.meta.dirname, '..');

interface Stage {
  readonly account: Account;
  readonly shares: Shares;
  readonly tools: Tools;
  readonly sfn: SFNClient;
  /** Of a worker's process. */
  readonly environment: Readonly<Record<string, string>>;
  readonly worker: string;
  /** What the sweeping function has, megabytes. */
  readonly memory: number;
}

/** @returns whether the marks were met; `STOPBATH_BENCH_LINKS` is the largest size, for a quick look */
export async function run(): Promise<boolean> {
  const largest = Number(process.env['STOPBATH_BENCH_LINKS'] ?? SIZES.at(-1));
  const sizes = [...new Set(SIZES.map((size) => Math.min(size, largest)))];
  const folder = await mkdtemp(join(tmpdir(), 'stopbath-bench-'));
  const stage = await startStage(folder);
  try {
    const count = Math.min(BARE, largest);
    const bare = await measured(stage, 'bare', await album(stage, 'bare', count), count);
    console.log(`a bare loop of the same writes: ${rateText(count, bare.seconds)}`);
    // The functions' first start is not the links' doing.
    await firstRefusal(stage, await album(stage, 'warm', 10));
    const found = [];
    for (const size of sizes) {
      const incident = await album(stage, `album-${size}`, size);
      const refusal = await firstRefusal(stage, incident);
      const swept = await measured(stage, 'sweep', incident, size);
      console.log(`${size.toLocaleString('en')} links: planned in ${ms(refusal.plannedMs)}; whoever fetches the first is refused ${ms(refusal.refusedMs)} after that; swept in one invocation at ${rateText(size, swept.seconds)}; ${swept.after.toFixed(1)} MB kept (${swept.before.toFixed(1)} before), ${swept.peak.toFixed(0)} MB at the peak, of ${stage.memory}`);
      found.push({ size, ...refusal, ...swept });
    }
    const [first, last] = [found.at(0), found.at(-1)];
    if (!first || !last) return false;
    const share = last.size / last.seconds / (count / bare.seconds);
    const [kept, peak] = [last.after / first.after, last.peak / first.peak];
    console.log(`${Math.round(share * 100)} % of the bare loop (wanted: ${WANTED_SHARE * 100} %); memory kept ${kept.toFixed(2)} and at the peak ${peak.toFixed(2)} times that of the smallest (wanted: under ${WANTED_GROWTH}); the refusal grew by ${ms(last.refusedMs - first.refusedMs)} (wanted: under a second)`);
    console.log(`the plan grew by ${ms(last.plannedMs - first.plannedMs)}: it counts before it acts, up to 50 pages of 1 MB, some 200,000 links, and no further`);
    return share >= WANTED_SHARE && kept < WANTED_GROWTH && peak < WANTED_GROWTH && last.peak < stage.memory && last.refusedMs < first.refusedMs + 1000;
  } finally {
    stage.sfn.destroy();
    stage.tools.clients.dynamo.destroy();
    await stage.shares.close();
    await stage.account.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function startStage(folder: string): Promise<Stage> {
  const account = await startAccount();
  const photos = await seedPhotos(account, () => account.s3.settle());
  const shares = await seedShares(account, photos);
  const { name } = await account.deploy({ config: { modeCap: 'contain', responderRoles: [photos.roles.responder], shares: shares.config } });
  const environment = {
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: account.endpoint,
    AWS_ACCESS_KEY_ID: account.admin.accessKeyId,
    AWS_SECRET_ACCESS_KEY: account.admin.secretAccessKey,
    AWS_LAMBDA_FUNCTION_NAME: `${name}-revoke-share-links-sweep`,
    STOPBATH_NAME: name,
    STOPBATH_ACCOUNT: account.accounts.home,
    STOPBATH_TABLE: name,
    STOPBATH_EVIDENCE_BUCKET: `${name}-evidence`,
  };
  Object.assign(process.env, environment);
  const tools: Tools = { settings: readSettings(environment), clients: createClients('us-east-1'), log: new Logger({ serviceName: 'bench', logLevel: 'SILENT' }), now: () => new Date().toISOString(), remainingMs: () => 900_000 };
  const worker = join(folder, 'worker.mjs');
  // As it is deployed: one bundle.
  await build({ entryPoints: [join(import.meta.dirname, 'revoke/worker.ts')], outfile: worker, bundle: true, minify: true, platform: 'node', format: 'esm', banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" }, logLevel: 'warning' });
  const memory = z.object({ memorySize: z.int() }).parse(parse(await readFile(join(ROOT, 'functions/revoke-share-links-sweep/function.yml'), 'utf8'))).memorySize;
  return { account, shares, tools, sfn: new SFNClient({ endpoint: account.endpoint, region: 'us-east-1', credentials: account.admin }), environment, worker, memory };
}

async function album({ shares, tools }: Stage, name: string, count: number): Promise<string> {
  await shares.fill(count, { album: name });
  await createIncident(tools, incidentAbout(name, { name, arn: `share:111122223333:album/${name}` }, { albumId: name }));
  return name;
}

/** From the start of the playbook until somebody who holds a link is refused it, over HTTP; then the playbook is stopped, and its sweep paused. */
async function firstRefusal({ account, shares, tools, sfn }: Stage, incident: string): Promise<{ readonly plannedMs: number; readonly refusedMs: number }> {
  const url = shares.urlOf(`${incident}-1`);
  const stateMachineArn = `arn:aws:states:us-east-1:${account.accounts.home}:stateMachine:${tools.settings.STOPBATH_NAME}-revoke-share-links`;
  const begun = Date.now();
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn, name: `${incident}-contain-1`, input: JSON.stringify({ incident, direction: 'contain' }) }));
  while ((await fetch(url)).status !== 410) {
    const { status, cause } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (status !== 'RUNNING') throw new Error(`the playbook ended before a link was dead: ${status}: ${cause}`);
  }
  const refused = Date.now();
  await sfn.send(new StopExecutionCommand({ executionArn }));
  const pause = async (paused: boolean) => await writeSwitch(tools, { paused, by: 'bench', at: tools.now(), reason: 'the sweep is measured alone' });
  await pause(true);
  await account.idle(1000);
  await pause(false);
  const planned = Date.parse((await viewIncident(tools, incident)).plans[0]?.plannedAt ?? '');
  return { plannedMs: planned - begun, refusedMs: refused - planned };
}

const result = z.object({ seconds: z.number(), before: z.number(), after: z.number(), peak: z.number() });

/** All links as one part, in a process of its own, as one invocation is: more than eight parts ever give one. */
async function measured({ tools, environment, worker, memory }: Stage, mode: 'sweep' | 'bare', incident: string, count: number): Promise<z.infer<typeof result>> {
  const of = { incident, execution: `${incident}-bench`, digest: 'd'.repeat(64) };
  if (mode === 'sweep') await divide(tools, of, (await viewIncident(tools, incident)).incident, 'contain', { kind: 'album', through: 0, since: tools.now() }, { smallestPart: Number.POSITIVE_INFINITY });
  // V8 sizes its heap by the memory that it finds, which here is not a function's. https://github.com/nodejs/node/issues/55487 (8 MB below 2 GB)
  const heap = ['--expose-gc', '--max-semi-space-size=8', `--max-old-space-size=${Math.floor(memory * 0.75)}`];
  const { stdout } = await promisify(execFile)(process.execPath, [...heap, worker, mode, incident, of.digest, String(count)], { env: { ...environment } });
  if (mode === 'sweep' && (await sweepState(tools, of))?.tally.changed !== count) throw new Error(`the sweep of ${count} links left some out`);
  return result.parse(JSON.parse(stdout));
}

function rateText(count: number, seconds: number): string {
  return `${Math.round(count / seconds).toLocaleString('en')} links a second`;
}

function ms(value: number): string {
  return `${Math.round(value).toLocaleString('en')} ms`;
}
