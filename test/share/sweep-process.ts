/**
 * A process of its own that works on a sweep as the workflow would: `node sweep-process.ts <incident> <digest> <parts>`. It can be
 * killed at any point and started again. Pages are small, so that there are many points between two checkpoints and at them.
 */
import { Logger } from '@aws-lambda-powertools/logger';
import { createClients } from '../../aws/clients.ts';
import type { Tools } from '../../aws/function.ts';
import { getIncident } from '../../aws/incidents.ts';
import { readSettings } from '../../aws/settings.ts';
import { sweepPart } from '../../aws/share/sweep.ts';

const [id = '', digest = '', parts = '1'] = process.argv.slice(2);
const tools: Tools = {
  settings: readSettings(process.env),
  clients: createClients('us-east-1'),
  log: new Logger({ serviceName: 'test', logLevel: 'SILENT' }),
  now: () => new Date().toISOString(),
  remainingMs: () => 60_000,
};
const incident = await getIncident(tools, id);
await Promise.all(Array.from({ length: Number(parts) }, (_, part) => sweepPart(tools, { incident: id, execution: `${id}-contain-1`, digest }, incident, part, { pageSize: 20 })));
