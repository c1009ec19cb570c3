import type { Incident } from '../../core/incident.ts';
import { startExecution } from '../executions.ts';
import type { Tools } from '../function.ts';
import { addEntry, createIncident, getIncident, relate } from '../incidents.ts';

/** What a principal issued was handed on, and runs. */
export function isHandedOn({ id, related }: Pick<Incident, 'id' | 'related'>): boolean {
  return related.includes(`${id}-links`);
}

/**
 * Hands what a principal issued on to revoke-share-links, as an incident of its own that points at this one. It claims nothing: the
 * principal is held by this incident, and whoever asks for its links by hand meanwhile is sent here.
 */
export async function handOnLinks(tools: Tools, incident: Incident, principal: string, since: string): Promise<string> {
  const at = tools.now();
  const links: Incident = {
    ...incident,
    id: `${incident.id}-links`,
    playbook: 'revoke-share-links',
    target: { ...incident.target, name: principal },
    inputs: { issuedBy: principal, since },
    title: `what ${incident.target.name} issued since ${since}: ${incident.title}`.slice(0, 256),
    status: 'open',
    related: [],
    reason: `handed on by ${incident.id}: its issuer is contained`,
    decidedAt: at,
    containedAt: null,
    verifiedAt: null,
    restoredAt: null,
    outcome: '',
    ticket: null,
    tickets: {},
    ticketGap: null,
    executions: [],
  };
  const there = (await createIncident(tools, links)) ? links : await getIncident(tools, links.id);
  await addEntry(tools, 'decision', { incident: links.id, at, kind: 'decision', text: links.reason, by: tools.settings.AWS_LAMBDA_FUNCTION_NAME, detail: { trigger: null, recommended: links.recommendedMode, mode: links.mode } });
  await startExecution(tools, there, 'contain', `${links.id}-contain-1`);
  await Promise.all([relate(tools, incident.id, [links.id]), relate(tools, links.id, [incident.id])]);
  return links.id;
}
