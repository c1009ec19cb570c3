/** Measures what docs/performance.md says, and writes that page: `npm run bench -- performance --write`. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { countCosts, NOTE, rowsOf as costRows, type Cost } from './cost.ts';
import { measureBundles, rowsOf as bundleRows, type Bundles } from './bundle.ts';
import { measureDecide, type Decided } from './decide.ts';
import { decoyRowsOf, playFlood, rowsOf as floodRows, type Flood } from './flood.ts';
import { measurePath, rowsOf as pathRows, stepRowsOf, type Path } from './path.ts';

export interface Performance {
  readonly on: On;
  readonly path: Path;
  readonly decided: Decided;
  readonly flood: Flood;
  readonly bundles: Bundles;
  readonly costs: readonly Cost[];
}

/** What it was measured on. */
export interface On {
  readonly at: string;
  readonly commit: string;
  readonly node: string;
  readonly machine: string;
  /** How many processes wanted a core when it began. */
  readonly load: number;
}

const PAGE = join(import.meta.dirname, '../docs/performance.md');
/** Three minutes' worth, on two cores. */
const SIZE = { repeats: 120, distinct: 120, reopened: 0, buckets: 14, latency: 40 };
const EVENTS = 20_000;

/** @param args - `--write`: the page; `--json`: everything that was measured */
export async function run(args: readonly string[]): Promise<boolean> {
  const measured = await measure();
  if (args.includes('--write')) writeFileSync(PAGE, pageOf(measured));
  console.log(args.includes('--json') ? JSON.stringify(measured, null, 2) : args.includes('--write') ? 'docs/performance.md is written' : pageOf(measured));
  return true;
}

async function measure(): Promise<Performance> {
  // Memory first: it is the process's own, and the sandbox's after that.
  const decided = await measureDecide(EVENTS);
  return { on: on(), decided, path: await measurePath(30), flood: await playFlood(SIZE), bundles: await measureBundles(), costs: await countCosts() };
}

function on(): On {
  const [cpu] = cpus();
  const git = (...args: string[]) => execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  return {
    at: new Date().toISOString().slice(0, 10),
    commit: git('rev-parse', '--short', 'HEAD'),
    node: process.versions.node,
    load: loadavg()[0] ?? 0,
    machine: `${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${process.arch}`,
  };
}

/** The page, whole. */
export function pageOf({ on: { at, commit, node, machine, load }, path, decided, flood, bundles, costs }: Performance): string {
  return `<!-- Generated: npm run bench -- performance --write -->

# Performance

Measured on ${at} at commit ${commit}, with Node ${node}, on ${machine} (load average ${load.toFixed(1)} when it began). The suite's own functions, run from their sources against the sandbox over HTTP: what
AWS adds of its own (cold starts, the engine's transitions, S3's propagation) is not in it. What counts are the numbers of calls, and ratios within one run.

## From the event to the closed door

Every call of the suite's functions takes ${path.latencyMs} ms here. Calls that begin before another has ended count as one; \`npm run bench -- path --latency ${path.latencyMs}\` prints which follow each
other, and [decisions-path.md](decisions-path.md) why. The floor is what nobody can leave out: the state is read, saved, and changed. Hops come on top: Lambda is invoked three times, and one execution is started. Looks at what was changed are eight seconds apart here.

${markdown(...pathRows(path))}

The calls that a quarantine makes one after the other:

${markdown(...stepRowsOf(path.ways.find(({ playbook }) => playbook === 'quarantine-bucket')?.steps ?? []))}

## Events

The decision alone, from text to verdict: ${decided.perMinute.toLocaleString('en')} mixed events a minute of one core, the slowest of ${decided.events.toLocaleString('en')} in ${decided.slowestMs.toFixed(1)} ms, with ${decided.megabytes} MB at the most
(\`npm run bench -- decide\`). With everything that triage reads and writes, sandbox included, as it comes in a flood (\`npm run bench -- flood\`, [decisions-floods.md](decisions-floods.md)):

${markdown(...floodRows(flood))}

\`heap\` is what is left on the functions' heap at the end, over what it was a tenth of the way in. Decoys that an attacker opens, two playbooks at once, with the
budgets of a new install, and a real critical incident in the middle; calls take ${SIZE.latency} ms, of which the way is made. Its time among them is that of two cores which
play AWS for all of it as well; what AWS would share is the table's items, and waiting for these shows in the calls in sequence.


${markdown(...decoyRowsOf(flood))}

## Functions

What a bundle's module takes to load, of a processor and on the clock; bare Node takes ${bundles.bare.cpu.toFixed(0)} ms and ${bundles.bare.wall.toFixed(0)} ms (\`npm run bench -- bundle\`).

${markdown(...bundleRows(bundles))}

## Cost

Counted calls of a drill, times AWS's published prices in us-east-1 (\`npm run bench -- cost\`, which names the sources). ${NOTE}

${markdown(...costRows(costs))}
`;
}

export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}
