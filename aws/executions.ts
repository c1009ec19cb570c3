import { canonicalJson } from '../core/canonical.ts';
import { ExecutionAlreadyExists, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { sfnOf } from './clients.ts';
import { TICKET_ONLY, type Direction, type Incident } from '../core/incident.ts';
import { nextRun } from '../core/runs.ts';
import { addExecution, failOpen, failUnbegun, OvertakenError, updateIncident } from './incidents.ts';
import type { Tools } from './function.ts';

/**
 * Starts an incident's playbook with constant input, so that starting twice is starting once.
 *
 * @param incident - as it was seen when this was decided
 * @param change - what the start makes of it
 * @returns false where an execution of this name has run to its end before
 * @throws {OvertakenError} where another one was started since, or has begun to write
 * @see https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
 */
export async function startExecution(tools: Pick<Tools, 'settings' | 'clients'>, incident: Incident, direction: Direction, name: string, change: Partial<Incident> = {}): Promise<boolean> {
  await addExecution(tools, incident, name, change);
  return await beginPlaybook(tools, { ...incident, ...change }, direction, name);
}

/** The same for an execution that the incident has on its list already. */
export async function beginPlaybook(tools: Pick<Tools, 'settings' | 'clients'>, { id, playbook, target }: Incident, direction: Direction, name: string): Promise<boolean> {
  const { kind, ...place } = target;
  // Where to look, so that nobody reads the incident first. Never people of the share service: an input stays in the execution's history.
  return await begin(tools, playbook, name, { incident: id, direction, ...(AHEAD.has(kind) ? { target: place } : {}) });
}

const AHEAD: ReadonlySet<Incident['target']['kind']> = new Set(['bucket', 'principal']);

/**
 * An incident that is `open` has an execution that runs, or one that a crash left unstarted: then it is started now. Everybody who
 * meets such an incident asks for this first, since nobody else will. A person's that has no execution yet is not begun in its place: without
 * their word it would be nobody's, so that they could approve it themselves.
 *
 * @returns false where the execution has ended and left no outcome, or was never begun: the incident has failed, and may be started again
 */
export async function ensureStarted(tools: Pick<Tools, 'settings' | 'clients'>, incident: Incident): Promise<boolean> {
  if (incident.executions.length === 0 && incident.requestedBy !== 'automatic') return !(await failUnbegun(tools, incident));
  const name = incident.executions.at(-1) ?? nextRun(incident, 'contain');
  try {
    if (await startExecution(tools, incident, name.startsWith(`${incident.id}-restore-`) ? 'restore' : 'contain', name)) return true;
  } catch (error) {
    // Somebody else has started it since.
    if (error instanceof OvertakenError) return true;
    throw error;
  }
  if (await failOpen(tools, incident.id, `${name} ended and left no outcome on record: what it changed is in the ledger`)) await startTicket(tools, incident.id, `${name}-lost`);
  return false;
}

/** Asks for the ticket to say how the incident stands. A workflow that cannot be started delays nothing: the gap is on the incident. */
export async function startTicket(tools: Pick<Tools, 'settings' | 'clients'>, incident: string, name: string): Promise<void> {
  try {
    await begin(tools, TICKET_ONLY, name.slice(0, 80), { incident });
  } catch (error) {
    await updateIncident(tools, incident, { ticketGap: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
  }
}

/** The same execution has the same input to the letter, in whatever order DynamoDB gives a map's fields back: else it would read as one that has ended. */
async function begin(tools: Pick<Tools, 'settings' | 'clients'>, playbook: string, name: string, input: object): Promise<boolean> {
  const { AWS_REGION, STOPBATH_ACCOUNT, STOPBATH_NAME } = tools.settings;
  try {
    await sfnOf(tools.clients).send(
      new StartExecutionCommand({ stateMachineArn: `arn:aws:states:${AWS_REGION}:${STOPBATH_ACCOUNT}:stateMachine:${STOPBATH_NAME}-${playbook}`, name, input: canonicalJson(input) }),
    );
    return true;
  } catch (error) {
    if (error instanceof ExecutionAlreadyExists) return false;
    throw error;
  }
}
