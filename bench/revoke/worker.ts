/**
 * A process of its own, as an invocation has: `node worker.mjs sweep|bare <incident> <digest> <count>`. `bare` is the loop that a
 * sweep is measured by: the same conditional writes, of ids that are known, and nothing else. Prints a line of JSON: seconds,
 * what is left on the heap behind the first page and at the end (after a collection), and the process's peak. Megabytes.
 */
import { readFile } from 'node:fs/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { createClients } from '../../aws/clients.ts';
import type { Tools } from '../../aws/function.ts';
import { getIncident } from '../../aws/incidents.ts';
import { readSettings } from '../../aws/settings.ts';
import { markLink } from '../../aws/share/marks.ts';
import { sweepPart } from '../../aws/share/sweep.ts';

const [mode = '', id = '', digest = '', count = '0'] = process.argv.slice(2);
const tools: Tools = {
  settings: readSettings(process.env),
  clients: createClients('us-east-1'),
  log: new Logger({ serviceName: 'bench', logLevel: 'SILENT' }),
  now: () => new Date().toISOString(),
  remainingMs: () => 3_600_000,
};
/** As many as a sweep has under way at most. */
const AT_ONCE = 48;
const MB = 2 ** 20;

/**
 * Of this program alone: Linux lets `ru_maxrss` begin with what the process had before it became this program, which is the memory of
 * the sandbox that started it (`setmax_mm_hiwater_rss` in the kernel's `exec_mmap`). Systems without `/proc` have no better number.
 */
async function peakMb(): Promise<number> {
  const kB = /^VmHWM:\s*(\d+) kB$/m.exec(await readFile('/proc/self/status', 'utf8').catch(() => ''))?.[1];
  return (kB === undefined ? process.resourceUsage().maxRSS : Number(kB)) / 1024;
}

function kept(): number {
  if (!globalThis.gc) throw new Error('start it with --expose-gc');
  globalThis.gc();
  return process.memoryUsage().heapUsed / MB;
}

const incident = await getIncident(tools, id);
const before = kept();
const begun = performance.now();
if (mode === 'bare') {
  let next = 0;
  const worker = async () => {
    while (next < Number(count)) await markLink(tools, `${incident.target.name}-${++next}`, id, { kind: 'album', through: 0, since: tools.now() });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
} else {
  await sweepPart(tools, { incident: id, execution: `${id}-bench`, digest }, incident, 0);
}
const seconds = (performance.now() - begun) / 1000;
const peak = await peakMb();
console.log(JSON.stringify({ seconds, before, after: kept(), peak }));
