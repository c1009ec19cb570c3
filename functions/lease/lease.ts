import { inTurns } from '../../aws/concurrently.ts';
import { ensureStarted, startExecution, startTicket } from '../../aws/executions.ts';
import type { Tools } from '../../aws/function.ts';
import { addEntry, getIncident, listIncidents, moveLease, OvertakenError, saveRequest } from '../../aws/incidents.ts';
import { isUnderWay, type Incident } from '../../core/incident.ts';
import { askedAgain, leaseStep, type Lease } from '../../core/lease.ts';
import { LEASE } from '../../core/next.ts';
import { askedFor } from '../../core/runs.ts';
import { isLeftAlone, lookOf } from '../../core/ticket/look.ts';

const PAGE = 100;

/** Looks at every open incident's lease, at whether it was ever started and has a ticket, and once a day at what people did to that. Nothing is restored here: a restore is planned, and waits for somebody's approval. */
export async function tendLeases(tools: Tools): Promise<{ readonly reminded: number; readonly asked: number }> {
  let [reminded, asked] = [0, 0];
  const failed: string[] = [];
  const tend = async (incident: Incident): Promise<void> => {
    // A start that died looks as if something ran. An event's is made good; a person whose request died before it was theirs was refused, and asks again.
    if (incident.status === 'open' && isLeftAlone(incident, tools.now())) await ensureStarted(tools, incident);
    const look = lookOf(incident, tools.now());
    if (look !== null) await startTicket(tools, incident.id, look);
    if (stepOf(incident, tools) === null) return;
    // The page is of an index, which lags, and was read before all that stood on it: what is acted on is what is there now.
    const present = await getIncident(tools, incident.id);
    const step = stepOf(present, tools);
    if (!present.lease || step === null) return;
    if (step === 'remind' && (await remind(present, present.lease, tools))) reminded++;
    if (step === 'due' && (await ask(present, present.lease, tools))) asked++;
  };
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof listIncidents>> = await listIncidents(tools, 'open', PAGE, cursor ?? undefined);
    // Several at once: after a flood there are thousands of them.
    await inTurns(page.incidents, async (incident) => {
      try {
        await tend(incident);
      } catch (error) {
        // One that cannot be looked after keeps no other one waiting.
        tools.log.error(`not looked after: ${incident.id}`, { error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
        failed.push(incident.id);
      }
    });
    cursor = page.cursor;
  } while (cursor !== null);
  if (failed.length > 0) throw new LeaseError(`${failed.length} of the open incidents could not be looked after, the others were: ${failed.slice(0, 10).join(', ')}`);
  return { reminded, asked };
}

/** Some incidents could not be looked after; all others were. */
export class LeaseError extends Error {
  override readonly name = 'LeaseError';
}

/** What is under way is left alone: its lease is looked at the next time. */
function stepOf(incident: Incident, tools: Tools): ReturnType<typeof leaseStep> {
  return incident.lease && !isUnderWay(incident) ? leaseStep(incident.lease, tools.now()) : null;
}

async function remind(incident: Incident, lease: Lease, tools: Tools): Promise<boolean> {
  const at = tools.now();
  // Extended meanwhile: there is nothing to be reminded of.
  if (!(await moveLease(tools, incident.id, lease, { ...lease, remindedAt: at }))) return false;
  await say(incident, `lease/reminder/${at}`, at, `the containment is meant to stand until ${lease.until} (owner: ${lease.owner}): extend it, or restore it`, 'reminded', tools);
  await startTicket(tools, incident.id, `${incident.id}-lease-${Date.parse(at)}`);
  return true;
}

/** The way back is planned and waits for an approval; if nobody gives it, the containment stays and is asked about again. */
async function ask(incident: Incident, lease: Lease, tools: Tools): Promise<boolean> {
  const at = tools.now();
  if (!(await moveLease(tools, incident.id, lease, askedAgain(lease, at)))) return false;
  const asked = askedFor(incident, { direction: 'restore', by: LEASE, at, reason: `the lease ended at ${lease.until}`, digest: null, newer: 'keep' });
  const { execution } = asked;
  await saveRequest(tools, asked);
  try {
    await startExecution(tools, incident, 'restore', execution);
    await say(incident, `${execution}/lease`, at, `the lease ended at ${lease.until} (owner: ${lease.owner}): whether to restore is asked; until somebody approves, the containment stays`, 'due', tools);
    return true;
  } catch (error) {
    // Something was started on it since: that is not cancelled for a question, which is asked again a day later.
    if (error instanceof OvertakenError) return false;
    throw error;
  }
}

async function say(incident: Incident, key: string, at: string, text: string, act: 'reminded' | 'due', tools: Tools): Promise<void> {
  await addEntry(tools, key, { incident: incident.id, at, kind: 'request', text, by: tools.settings.AWS_LAMBDA_FUNCTION_NAME, detail: { act, owner: incident.lease?.owner ?? null } });
}
