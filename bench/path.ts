/** From the event to the write that shuts the attacker out, and to the proof: which calls of AWS's follow each other. */
import { parseArgs } from 'node:util';
import { readBucket, writeSetting } from '../aws/bucket.ts';
import { createClients, s3Of } from '../aws/clients.ts';
import { put, type Table } from '../aws/records.ts';
import { table } from '../cli/table.ts';
import { bucketEvents } from '../sandbox/faults/cases.ts';
import { startStage, type Stage } from '../sandbox/faults/stage.ts';
import { resolveLocalhost, s3ControlEndpoint } from '../sandbox/localhost.ts';
import { goWay, type Step, type Way } from './path/way.ts';

const PLAYBOOKS = ['quarantine-bucket', 'revoke-share-links', 'contain-principal'];

export interface Path {
  readonly latencyMs: number;
  /** The least that any containment takes: the state is read, saved, and changed. Calls in sequence, and what they took in this run, ms. */
  readonly floor: { readonly steps: number; readonly ms: number };
  readonly ways: readonly Way[];
}

/** @param args - `--latency <ms>` of each call, 30 unless told; `--json` */
export async function run(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({ args: [...args], options: { latency: { type: 'string', default: '30' }, json: { type: 'boolean', default: false } } });
  const latency = Number(values.latency);
  if (!Number.isFinite(latency) || latency < 0) throw new RangeError(`--latency is ${values.latency}: give milliseconds`);
  const path = await measurePath(latency);
  console.log(values.json ? JSON.stringify(path, null, 2) : textOf(path));
  return met(path);
}

export async function measurePath(latencyMs: number, playbooks: readonly string[] = PLAYBOOKS): Promise<Path> {
  const stage = await startStage();
  try {
    const ways: Way[] = [];
    for (const playbook of playbooks) ways.push(await goWay(stage, playbook, latencyMs));
    return { latencyMs, floor: await floorOf(stage, latencyMs), ways };
  } finally {
    await stage.stop();
  }
}

/** What of a bucket's containment nobody can leave out: all settings read side by side, kept, and the block written. */
async function floorOf(stage: Stage, latency: number): Promise<Path['floor']> {
  const { account, deployment } = stage;
  const { arn } = await bucketEvents(stage);
  const address = { bucket: arn.split(':').at(-1) ?? '', account: account.accounts.home, region: account.world.region };
  resolveLocalhost();
  Object.assign(process.env, { AWS_ENDPOINT_URL: account.endpoint, AWS_ENDPOINT_URL_S3_CONTROL: s3ControlEndpoint(account.endpoint) });
  const clients = createClients(address.region, async () => await Promise.resolve(account.admin));
  const store: Table = { settings: { STOPBATH_TABLE: deployment.name }, clients };
  const once = async () => {
    const began = performance.now();
    const state = await readBucket(clients, address);
    await put(store, { pk: 'BENCH', sk: address.bucket, json: JSON.stringify(state) });
    await writeSetting(s3Of(clients), address, 'publicAccessBlock', { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true });
    return performance.now() - began;
  };
  await once();
  account.around(async (_, run) => {
    await new Promise((resolve) => void setTimeout(resolve, latency));
    return await run();
  });
  const ms = await once();
  account.around(null);
  clients.dynamo.destroy();
  return { steps: 3, ms };
}

/** The goal, for what contains by itself. */
const GOAL = { steps: 6, times: 2 };

function met({ ways, floor }: Path): boolean {
  return ways.filter(({ playbook }) => playbook === 'quarantine-bucket').every(({ steps, callsMs }) => steps.length <= GOAL.steps && callsMs <= GOAL.times * floor.ms);
}

function textOf({ latencyMs, floor, ways }: Path): string {
  return ways.flatMap((way) => [
    `${way.playbook}: ${way.steps.length} calls in sequence until ${way.write} is acknowledged, of ${way.calls}, in ${Math.round(way.callsMs)} ms at ${latencyMs} ms each`,
    '',
    table(...stepRowsOf(way.steps)),
    '',
    `  hops: ${way.hops.join(', ')}`,
    '',
  ]).concat(table(...rowsOf({ latencyMs, floor, ways }))).join('\n');
}

/** The rows that docs/performance.md has too. */
export function rowsOf({ floor, ways }: Path): readonly [head: readonly string[], rows: readonly (readonly string[])[]] {
  const ms = (value: number) => `${Math.round(value)} ms`;
  return [
    ['path', 'in sequence', 'calls', 'their time', 'of the floor', 'with code and hops', 'until proven'],
    [
      ['floor: read, save, write', String(floor.steps), '', ms(floor.ms), '1.0', '', ''],
      ...ways.map((way) => [`${way.playbook}, to ${way.write}`, String(way.steps.length), String(way.calls), ms(way.callsMs), (way.callsMs / floor.ms).toFixed(1), ms(way.wholeMs), `${way.proven.steps} more, ${way.proven.seconds.toFixed(1)} s`]),
    ],
  ];
}

export function stepRowsOf(steps: readonly Step[]): readonly [head: readonly string[], rows: readonly (readonly string[])[]] {
  return [['', 'function', 'call', 'beside it'], steps.map((step, index) => [String(index + 1), step.function, step.call, String(step.beside)])];
}
