import type { Tools } from '../../aws/function.ts';
import { getIncident } from '../../aws/incidents.ts';
import { sweepPart } from '../../aws/share/sweep.ts';
import type { SweepInput } from './handler.ts';

/**
 * Only sweeps that `apply` has divided exist, and only `apply` divides, after it has looked at mode, guard and approval: this
 * goes on with what was begun.
 */
export async function sweepLinks({ part, ...of }: SweepInput, tools: Tools): Promise<{ readonly part: number; readonly more: boolean }> {
  const incident = await getIncident(tools, of.incident);
  const { more, tally } = await sweepPart(tools, of, incident, part);
  tools.log.info(more ? 'more to sweep' : 'part is swept', { part, ...tally });
  return { part, more };
}
