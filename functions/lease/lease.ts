import { inTurns } from '../../aws/concurrently.ts';
import { ensureStarted, nextExecution, startExecution, startTicket } from '../../aws/executions.ts';
import type { Tools } from '../../aws/function.ts';
import { addEntry, failOpen, listIncidents, saveRequest, updateIncident } from '../../aws/incidents.ts';
import { isUnderWay, type Incident } from '../../core/incident.ts';
import { askedAgain, leaseStep, type Lease } from '../../core/lease.ts';
import { LEASE } from '../../core/next.ts';
import { isLeftAlone, lookOf } from '../../core/ticket/look.ts';

const PAGE = 100;

/** Looks at every open incident's lease, at whether it was ever started and has a ticket, and once a day at what people did to that. Nothing is restored here: a restore is planned, and waits for somebody's approval. */
export async function tendLeases(tools: Tools): Promise<{ readonly reminded: number; readonly asked: number }> {
  let [reminded, asked] = [0, 0];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof listIncidents>> = await listIncidents(tools, 'open', PAGE, cursor ?? undefined);
    // Several at once: after a flood there are thousands of them.
    await inTurns(page.incidents, async (incident) => {
      if (incident.status === 'open' && isLeftAlone(incident, tools.now())) await begun(incident, tools);
      const look = lookOf(incident, tools.now());
      if (look !== null) await startTicket(tools, incident.id, look);
      // What is under way is left alone: its lease is looked at the next time.
      const step = incident.lease && !isUnderWay(incident) ? leaseStep(incident.lease, tools.now()) : null;
      if (!incident.lease || step === null) return;
      if (step === 'remind') await remind(incident, incident.lease, tools).then(() => reminded++);
      else await ask(incident, incident.lease, tools).then(() => asked++);
    });
    cursor = page.cursor;
  } while (cursor !== null);
  return { reminded, asked };
}

/** A start that died looks as if something ran. An event's is made good; a person whose request died before it was theirs was refused, and asks again. */
async function begun(incident: Incident, tools: Tools): Promise<void> {
  if (incident.executions.length > 0 || incident.requestedBy === 'automatic') await ensureStarted(tools, incident);
  else await failOpen(tools, incident.id, `${incident.requestedBy} asked for it, and it was never started: nothing was changed`);
}

async function remind(incident: Incident, lease: Lease, tools: Tools): Promise<1> {
  const at = tools.now();
  await updateIncident(tools, incident.id, { lease: { ...lease, remindedAt: at } });
  await say(incident, `lease/reminder/${at}`, at, `the containment is meant to stand until ${lease.until} (owner: ${lease.owner}): extend it, or restore it`, 'reminded', tools);
  await startTicket(tools, incident.id, `${incident.id}-lease-${Date.parse(at)}`);
  return 1;
}

/** The way back is planned and waits for an approval; if nobody gives it, the containment stays and is asked about again. */
async function ask(incident: Incident, lease: Lease, tools: Tools): Promise<1> {
  const at = tools.now();
  const execution = nextExecution(incident, 'restore');
  await saveRequest(tools, { incident: incident.id, execution, direction: 'restore', by: LEASE, at, reason: `the lease ended at ${lease.until}`, digest: null, newer: 'keep' });
  await updateIncident(tools, incident.id, { lease: askedAgain(lease, at) });
  await say(incident, `${execution}/lease`, at, `the lease ended at ${lease.until} (owner: ${lease.owner}): whether to restore is asked; until somebody approves, the containment stays`, 'due', tools);
  await startExecution(tools, incident, 'restore', execution);
  return 1;
}

async function say(incident: Incident, key: string, at: string, text: string, act: 'reminded' | 'due', tools: Tools): Promise<void> {
  await addEntry(tools, key, { incident: incident.id, at, kind: 'request', text, by: tools.settings.AWS_LAMBDA_FUNCTION_NAME, detail: { act, owner: incident.lease?.owner ?? null } });
}
