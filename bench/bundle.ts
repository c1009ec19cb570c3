import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { table } from '../cli/table.ts';
import { buildFunctions, kilobytes } from '../deploy/build.ts';

const ROUNDS = 11;
const MARK_KB = 500;
/** From the start of Node to the loaded module, as a multiple of what bare Node takes: 80 and 120 ms where that takes 22. */
const MARKS: Readonly<Record<string, number>> = { triage: 80 / 22, 'triage-urgent': 80 / 22, 'quarantine-bucket-apply': 120 / 22, 'revoke-share-links-apply': 120 / 22 };

/** Bundles over the mark, and why they may be. */
const LARGER: Readonly<Record<string, string>> = {
  'quarantine-bucket-apply': 'reads all settings of a bucket (S3) and of its account (S3 Control) again before it changes them, and assumes roles in members (STS)',
  'quarantine-bucket-plan': 'reads all settings of a bucket (S3), of its account (S3 Control), counts objects (CloudWatch) and links: four clients',
  'revoke-share-links-apply': 'changes S3, CloudFront, IAM and Parameter Store, and assumes roles (STS)',
  'revoke-share-links-plan': 'reads what apply changes, and brings the same clients',
  'revoke-share-links-verify': 'asks as everybody whom apply shuts out, with the same clients',
  ticket: 'writes to every tracker there is (Systems Manager, GuardDuty, SNS) in each one\'s markup; it runs after containment, which does not wait for it',
  triage: 'decides about every kind of event itself (70 KB of it are rules), reads buckets (S3, S3 Control) and starts playbooks',
  'triage-urgent': 'is triage',
};

export interface Bundles {
  /** What Node takes without any of it, ms. */
  readonly bare: Load;
  readonly functions: readonly (Load & {
    readonly name: string;
    /** How many times as much of a processor as bare Node. */
    readonly times: number;
    readonly bytes: number;
    readonly gzipped: number;
    /** What did not hold, in words. */
    readonly missed: readonly string[];
    /** What is largest in it, or why it may be large. */
    readonly why: string;
  })[];
}

/** Medians, ms: of the processor's time until the module is loaded, as Node itself says, and of the whole process on the clock. */
interface Load {
  readonly cpu: number;
  readonly wall: number;
}

/**
 * Each function's minified size and what its module takes to load, bare Node beside it: medians of several processes. Counted is the processor's
 * time, all threads of it, since the clock on the wall tells on a busy machine what others do. A machine's speed drifts, twofold within a minute:
 * so the functions take turns, and each load is compared with bare Node right before and right after it.
 *
 * V8's compile cache (`module.enableCompileCache`) is no way out: a new execution environment of Lambda has an empty /tmp, and a cache that is packaged
 * holds for one version of V8 and one processor. https://nodejs.org/api/module.html#module-compile-cache
 */
export async function measureBundles(): Promise<Bundles> {
  const root = join(import.meta.dirname, '..');
  const bundles = await buildFunctions(root);
  const rounds = Array.from({ length: ROUNDS }, () => roundOf(bundles.map(({ name }) => join(root, 'dist', name, 'handler.mjs'))));
  const bare = medianOf(rounds.flatMap((round) => round.bare));
  const functions = bundles.map(({ name, bytes, gzipped, largest }, index) => {
    const loads = rounds.flatMap((round) => round.loads[index] ?? []);
    const load = { ...medianOf(loads), times: median(loads.map(({ times }) => times)) };
    const mark = MARKS[name];
    const large = bytes > MARK_KB * 1024;
    const missed = [...(mark !== undefined && load.times > mark ? [`over ${mark.toFixed(1)} times bare Node`] : []), ...(large && LARGER[name] === undefined ? [`over ${MARK_KB} KB, without a reason in bench/bundle.ts`] : [])];
    return { name, bytes, gzipped, ...load, missed, why: large ? (LARGER[name] ?? '') : `largest: ${largest}` };
  });
  return { bare, functions };
}

/** @param args - `--json` */
export async function run(args: readonly string[]): Promise<boolean> {
  const bundles = await measureBundles();
  const { bare, functions } = bundles;
  if (args.includes('--json')) console.log(JSON.stringify(bundles, null, 2));
  else {
    console.log(`Node ${process.versions.node}, medians of ${ROUNDS} rounds; bare Node takes ${bare.cpu.toFixed(0)} ms of a processor, ${bare.wall.toFixed(0)} ms on the clock\n`);
    const [head, rows] = rowsOf(bundles);
    console.log(table([...head, ''], rows.map((row, index) => [...row, functions[index]?.missed.length === 0 ? functions[index].why : `MISSED: ${functions[index]?.missed.join(', ')}`])));
  }
  return functions.every(({ missed }) => missed.length === 0);
}

/** The rows that docs/performance.md has too. */
export function rowsOf({ functions }: Bundles): readonly [head: readonly string[], rows: readonly (readonly string[])[]] {
  return [['function', 'size', 'gzipped', 'cpu', 'times bare', 'on the clock'], functions.map(({ name, bytes, gzipped, cpu, wall, times }) => [name, kilobytes(bytes), kilobytes(gzipped), `${cpu.toFixed(0)} ms`, times.toFixed(2), `${wall.toFixed(0)} ms`])];
}

/** Every module once, and bare Node before, between and after them. */
function roundOf(modules: readonly string[]): { readonly bare: readonly Load[]; readonly loads: readonly (Load & { readonly times: number })[] } {
  const bare = [startOf(null)];
  const loads = modules.map((module) => {
    const load = startOf(module);
    bare.push(startOf(null));
    const [before, after] = bare.slice(-2);
    return { ...load, times: (2 * load.cpu) / ((before?.cpu ?? 0) + (after?.cpu ?? 0)) };
  });
  return { bare, loads };
}

function startOf(module: string | null): Load {
  const load = module === null ? '' : `await import(${JSON.stringify(module)});`;
  const args = ['--input-type=module', '--eval', `${load}const { user, system } = process.cpuUsage(); process.stdout.write(String((user + system) / 1000));`];
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env: {}, encoding: 'utf8' });
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`);
  return { cpu: Number(stdout), wall: performance.now() - started };
}

function medianOf(loads: readonly Load[]): Load {
  return { cpu: median(loads.map(({ cpu }) => cpu)), wall: median(loads.map(({ wall }) => wall)) };
}

function median(times: readonly number[]): number {
  return times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? Infinity;
}
