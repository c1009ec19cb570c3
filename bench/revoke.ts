/** What revoking an album with many links takes: until the first refusal, and the sweep's rate and memory. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { judgeShareLink } from '../aws/share-links.ts';
import { epochKind } from '../aws/share/epochs.ts';
import type { ShareContext } from '../aws/share/kind.ts';
import { divide, sweepState } from '../aws/share/sweep.ts';
import type { Incident } from '../core/incident.ts';
import { scopeOf } from '../core/share/scope.ts';
import { aLink, startShareStage, sweepOf, type ShareStage } from '../test/share/stage.ts';

const SIZES = [100, 10_000, 100_000];
/** Links that the bare loop writes: enough to know its rate. */
const BARE = 10_000;
const WANTED_SHARE = 0.7;
const WANTED_GROWTH = 1.5;

/** @returns whether the marks were met; `STOPBATH_BENCH_LINKS` is the largest size, for a quick look */
export async function run(): Promise<boolean> {
  const largest = Number(process.env['STOPBATH_BENCH_LINKS'] ?? SIZES.at(-1));
  const sizes = [...new Set(SIZES.map((size) => Math.min(size, largest)))];
  const stage = await startShareStage();
  try {
    const bare = await measured(stage, 'bare', await album(stage, 'bare', Math.min(BARE, largest)), Math.min(BARE, largest));
    console.log(`a bare loop of the same writes: ${Math.round(bare.rate).toLocaleString('en')} links a second`);
    const found = [];
    for (const size of sizes) {
      const incident = await album(stage, `album-${size}`, size);
      const refusedMs = await firstRefusal(stage, incident);
      const swept = await measured(stage, 'sweep', incident, size);
      console.log(`${size.toLocaleString('en')} links: the first is refused ${refusedMs.toFixed(0)} ms after the revocation began; swept at ${Math.round(swept.rate).toLocaleString('en')} a second, ${swept.megabytes.toFixed(0)} MB`);
      found.push({ size, refusedMs, ...swept });
    }
    const [first, last] = [found.at(0), found.at(-1)];
    if (!first || !last) return false;
    const share = last.rate / bare.rate;
    console.log(`${Math.round(share * 100)} % of the bare loop (wanted: ${WANTED_SHARE * 100} %); memory ${(last.megabytes / first.megabytes).toFixed(2)} times that of the smallest (wanted: under ${WANTED_GROWTH})`);
    return share >= WANTED_SHARE && last.megabytes < first.megabytes * WANTED_GROWTH && last.refusedMs < first.refusedMs + 1000;
  } finally {
    await stage.stop();
  }
}

async function album(stage: ShareStage, name: string, count: number): Promise<Incident> {
  await stage.put(linksOf(name, count));
  return await stage.incident(name, { name, arn: `share:111122223333:album/${name}` });
}

function* linksOf(name: string, count: number) {
  for (let n = 0; n < count; n++) yield aLink(n, { linkId: `${name}-${n}`, albumId: name, objectKey: `albums/${name}/` });
}

/** The change that kills, and then the question that a share service asks at every request, until its answer is no. */
async function firstRefusal({ tools }: ShareStage, incident: Incident): Promise<number> {
  const context: ShareContext = { incident, direction: 'contain', execution: 'bench', scope: scopeOf(incident), reach: [], reachComplete: true };
  const begun = performance.now();
  const [change] = (await epochKind.plan(context, tools)).changes;
  if (!change) throw new Error('an album has an epoch');
  await epochKind.write(change, context, tools);
  while ((await judgeShareLink(tools.clients.dynamo, { ...aLink(0, { linkId: `${incident.id}-0`, albumId: incident.id }) }, tools.settings.STOPBATH_SHARES, tools.now())).live);
  return performance.now() - begun;
}

const result = z.object({ seconds: z.number(), megabytes: z.number() });

async function measured(stage: ShareStage, mode: 'sweep' | 'bare', incident: Incident, count: number): Promise<{ readonly rate: number; readonly megabytes: number }> {
  const of = sweepOf(incident);
  const { parts } = await divide(stage.tools, of, incident, 'contain', { kind: 'album', through: 0 });
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'revoke/worker.ts'), mode, incident.id, of.digest, String(parts.length), String(count)], { env: { ...stage.environment } });
  const { seconds, megabytes } = result.parse(JSON.parse(stdout));
  if (mode === 'sweep' && (await sweepState(stage.tools, of))?.tally.changed !== count) throw new Error(`the sweep of ${count} links left some out`);
  return { rate: count / seconds, megabytes };
}
