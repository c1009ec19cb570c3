/** The reading side over a long history: how fast its first page is, how fast and in how much memory it is exported. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { historyPage } from '../cli/api.ts';
import { table } from '../cli/table.ts';
import type { Ready } from './audit/sandbox.ts';
import type { Took } from './audit/verb.ts';
import type { Verified } from './audit/verify.ts';

const WANTED = { pageMs: 300, exportMegabytes: 250 };
const FORMATS = ['ndjson', 'csv', 'html'] as const;
const PAGES = 20;
/** What `npm run stopbath` gives Node (package.json). */
const AS_INSTALLED = ['--max-semi-space-size=4'];

interface Row {
  readonly what: string;
  readonly measured: string;
  readonly rate: string;
  readonly memory: string;
  readonly wanted: string;
  readonly ok: boolean;
}

/**
 * @param args - `--json`; `--incidents <n>` for another number than 100,000; `--part reading` or `--part verifying` for one of both
 * @returns whether everything was fast and small enough
 */
export async function run(args: readonly string[]): Promise<boolean> {
  const incidents = Number(args[args.indexOf('--incidents') + 1]) || 100_000;
  const part = args.includes('--part') ? args[args.indexOf('--part') + 1] : null;
  const folder = mkdtempSync(join(tmpdir(), 'stopbath-bench-'));
  const rows: Row[] = [];
  try {
    for await (const row of measured(incidents, folder, part)) {
      rows.push(row);
      // It takes minutes: what is known is said at once, beside the table at the end.
      console.error(`${row.what}: ${row.measured} ${row.rate} ${row.memory}`.trimEnd());
    }
    if (args.includes('--json')) console.log(JSON.stringify({ incidents, rows }, null, 2));
    else console.log(table(['what', 'measured', 'rate', 'memory', 'wanted', ''], rows.map(({ what, measured, rate: per, memory, wanted, ok }) => [what, measured, per, memory, wanted, ok ? '' : 'MISSED'])));
    return rows.length > 0 && rows.every(({ ok }) => ok);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function* measured(incidents: number, folder: string, part: string | null | undefined): AsyncGenerator<Row> {
  if (part !== 'verifying') yield* reading(incidents, folder);
  if (part === 'reading') return;
  yield await verified('verified, made as they are read', [String(incidents * 10)]);
  yield await verified('verified from a folder', [String(incidents), join(folder, 'evidence')]);
}

async function* reading(incidents: number, folder: string): AsyncGenerator<Row> {
  const sandbox = fork(join(import.meta.dirname, 'audit/sandbox.ts'), [String(incidents)], { execArgv: ['--max-old-space-size=16000'], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  try {
    const ready = await readyOf(sandbox);
    Object.assign(process.env, ready.environment);
    yield { what: `${incidents.toLocaleString('en')} incidents generated`, measured: seconds(ready.seconds), rate: rate(incidents, ready.seconds), memory: '', wanted: '', ok: true };
    yield* pages();
    for (const format of FORMATS) yield await exported(format, incidents, ready, folder);
  } finally {
    sandbox.disconnect();
  }
}

/** A process of its own, so that its memory is its own. */
async function verified(what: string, args: readonly string[]): Promise<Row> {
  const child = fork(join(import.meta.dirname, 'audit/verify.ts'), args, { execArgv: ['--max-semi-space-size=4'] });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('bench/audit/verify.ts ended without an answer')));
  const [took] = (await Promise.race([once(child, 'message'), ended])) as [Verified];
  ended.catch(() => undefined);
  return {
    what: `${took.records.toLocaleString('en')} records under ${took.seals.toLocaleString('en')} seals ${what}`,
    measured: seconds(took.seconds),
    rate: rate(took.records, took.seconds),
    memory: `${took.megabytes} MB`,
    wanted: `intact, under ${WANTED.exportMegabytes} MB`,
    ok: took.ok && took.megabytes < WANTED.exportMegabytes,
  };
}

async function readyOf(sandbox: ChildProcess): Promise<Ready> {
  if (!sandbox.stdout) throw new Error('the sandbox has no stdout');
  for await (const line of createInterface(sandbox.stdout)) return JSON.parse(line) as Ready;
  throw new Error('the sandbox ended before it was ready');
}

/** First pages, as `stopbath history` asks for them: through the function URL, signed. */
async function* pages(): AsyncGenerator<Row> {
  const questions: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['newest 50', {}],
    ['one target', { target: 'arn:aws:s3:::album-7' }],
    ['failed and unverified', { status: 'failed,unverified' }],
    ['drills of a playbook', { drill: 'true', playbook: 'quarantine-bucket' }],
    ['one actor', { actor: '198.51.100.77' }],
    ['a month, oldest first', { since: new Date(Date.now() - 90 * 86_400_000).toISOString(), until: new Date(Date.now() - 60 * 86_400_000).toISOString(), order: 'oldest' }],
  ];
  for (const [what, query] of questions) {
    const first: number[] = [];
    const full: number[] = [];
    let found = 0;
    for (let index = 0; index < PAGES; index++) {
      const start = performance.now();
      let page = await historyPage({ ...query, limit: '50' }, {});
      first.push(performance.now() - start);
      found = page.incidents.length;
      while (page.cursor !== null && found < 50) {
        page = await historyPage({ ...query, limit: String(50 - found), cursor: page.cursor }, {});
        found += page.incidents.length;
      }
      full.push(performance.now() - start);
    }
    yield { what: `history: ${what}`, measured: `first answer ${ms(first)}, ${found} rows ${ms(full)}, cold ${Math.round(first[0] ?? 0)} ms`, rate: '', memory: '', wanted: `under ${WANTED.pageMs} ms`, ok: medianOf(first) < WANTED.pageMs && found > 0 };
  }
}

async function exported(format: string, incidents: number, { since }: Ready, folder: string): Promise<Row> {
  const out = join(folder, `export.${format}`);
  const verb = fork(join(import.meta.dirname, 'audit/verb.ts'), ['export', '--since', since, '--format', format, '--out', out], { execArgv: AS_INSTALLED, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const [message]: unknown[] = await once(verb, 'message');
  const { exit, seconds: took, megabytes } = message as Took;
  const size = Math.round(statSync(out).size / 1e6);
  rmSync(out);
  return { what: `export --format ${format} (${size} MB)`, measured: seconds(took), rate: rate(incidents, took), memory: `${megabytes} MB`, wanted: `complete, under ${WANTED.exportMegabytes} MB`, ok: exit === 0 && megabytes < WANTED.exportMegabytes };
}

function medianOf(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}

function ms(times: readonly number[]): string {
  return `${Math.round(medianOf(times))} ms`;
}

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

function rate(count: number, took: number): string {
  return `${Math.round(count / took).toLocaleString('en')}/s`;
}
