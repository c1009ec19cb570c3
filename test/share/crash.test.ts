import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { divide, sweepState } from '../../aws/share/sweep.ts';
import { viewIncident } from '../../aws/incidents.ts';
import { aLink, startShareStage, sweepOf, type ShareStage } from './stage.ts';

let stage: ShareStage;
const folder = mkdtempSync(join(tmpdir(), 'stopbath-sweep-'));
const program = join(folder, 'sweep-process.mjs');
beforeAll(async () => {
  const banner = { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" };
  // Bundled, since it is started eleven times.
  [stage] = await Promise.all([startShareStage(), build({ entryPoints: [join(import.meta.dirname, 'sweep-process.ts')], outfile: program, bundle: true, platform: 'node', format: 'esm', banner, logLevel: 'warning' })]);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await stage.stop();
});

const CRASHES = 10;
const LINKS = 330;

describe('a sweep whose process is killed ten times', () => {
  it('revokes every link once, and its counts add up', async () => {
    // Seeded: the same ten points at every run. https://en.wikipedia.org/wiki/Linear_congruential_generator
    let seed = 20261124;
    const random = () => (seed = (seed * 1664525 + 1013904223) % 2 ** 32) / 2 ** 32;
    await stage.put(Array.from({ length: LINKS }, (_, n) => aLink(n, n % 11 === 0 ? { endedAt: '2026-01-02T00:00:00.000Z' } : {})));
    const incident = await stage.incident('inc-crash', {});
    const of = sweepOf(incident);
    const { parts } = await divide(stage.tools, of, incident, 'contain', { kind: 'album', through: 0, since: '2026-01-01T00:00:00.000Z' }, { countPage: 30, smallestPart: 100 });

    // The child is killed when it has made so many more calls of any kind: a write, a checkpoint, a read.
    let until = Number.POSITIVE_INFINITY;
    let kill: () => void = () => undefined;
    stage.sandbox.interrupt(async () => {
      if (--until === 0) kill();
    });
    let crashes = 0;
    for (;;) {
      const child = spawn(process.execPath, [program, incident.id, of.digest, String(parts.length)], { env: { ...stage.environment }, stdio: ['ignore', 'ignore', 'inherit'] });
      until = crashes < CRASHES ? 1 + Math.floor(random() * 70) : Number.POSITIVE_INFINITY;
      kill = () => child.kill('SIGKILL');
      const [code, signal] = await once(child, 'exit');
      if (signal === 'SIGKILL') crashes++;
      else {
        expect(code).toBe(0);
        if (crashes >= CRASHES) break;
      }
    }

    const state = await sweepState(stage.tools, of);
    expect(state).toMatchObject({ open: [], tally: { changed: 300, ended: 30, other: 0, newer: 0, gone: 0 } });
    const all = await stage.all();
    expect(all.filter((item) => item['status'] === 'revoked')).toHaveLength(300);
    for (const item of all.filter((entry) => entry['status'] === 'revoked')) expect(item).toMatchObject({ revocations: new Set(['inc-crash']), revokedFrom: 'active' });
    const effective = stage.sandbox.calls.filter(({ operation, error, needs }) => operation === 'UpdateItem' && error === null && needs.some(({ resource }) => resource.endsWith('photo-share-links')));
    expect(effective).toHaveLength(300);
    const { progress } = await viewIncident(stage.tools, incident.id);
    expect(progress).toMatchObject([{ what: 'links revoked', done: LINKS, total: LINKS, finishedAt: expect.any(String) }]);
  }, 180_000);
});
