/**
 * A process of its own, so that its memory is its own: `node worker.ts sweep|bare <incident> <digest> <parts> <count>`. `bare` is the
 * loop that a sweep is measured by: the same conditional writes, of ids that are known, and nothing else. Prints seconds and megabytes.
 */
import { Logger } from '@aws-lambda-powertools/logger';
import { createClients } from '../../aws/clients.ts';
import type { Tools } from '../../aws/function.ts';
import { getIncident } from '../../aws/incidents.ts';
import { readSettings } from '../../aws/settings.ts';
import { markLink } from '../../aws/share/marks.ts';
import { sweepPart } from '../../aws/share/sweep.ts';

const [mode = '', id = '', digest = '', parts = '1', count = '0'] = process.argv.slice(2);
const tools: Tools = {
  settings: readSettings(process.env),
  clients: createClients('us-east-1'),
  log: new Logger({ serviceName: 'bench', logLevel: 'SILENT' }),
  now: () => new Date().toISOString(),
  remainingMs: () => 3_600_000,
};
/** As many as a sweep has under way at most. */
const AT_ONCE = 48;

const incident = await getIncident(tools, id);
const begun = performance.now();
if (mode === 'bare') {
  let next = 0;
  const worker = async () => {
    while (next < Number(count)) await markLink(tools, `${id}-${next++}`, id, { kind: 'album', through: 0 });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
} else {
  await Promise.all(Array.from({ length: Number(parts) }, (_, part) => sweepPart(tools, { incident: id, execution: `${id}-contain-1`, digest }, incident, part)));
}
console.log(JSON.stringify({ seconds: (performance.now() - begun) / 1000, megabytes: process.resourceUsage().maxRSS / 1024 }));
