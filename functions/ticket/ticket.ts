import { CreateOpsItemCommand, OpsItemAlreadyExistsException, UpdateOpsItemCommand, type OpsItemDataValue } from '@aws-sdk/client-ssm';
import type { Tools } from '../../aws/function.ts';
import { addEntry, updateIncident, viewIncident } from '../../aws/incidents.ts';
import { recordKey } from '../../core/evidence.ts';
import type { Incident, IncidentView, TicketState } from '../../core/incident.ts';
import { ticketOf, titleWithin } from '../../core/ticket.ts';
import { documentJson } from '../../core/ticket/document.ts';
import { fit } from '../../core/ticket/fit.ts';
import { plainText } from '../../core/ticket/markup/plain.ts';
import { putEvidence } from '../../aws/evidence.ts';
import { digestOf } from '../../core/canonical.ts';

/**
 * One OpsItem an incident. Its deduplication string is the incident, so that a create whose answer was lost finds
 * the item again instead of opening a second one.
 *
 * @see https://docs.aws.amazon.com/systems-manager/latest/userguide/OpsCenter-working-deduplication.html
 */
export async function writeTicket(input: TicketInput, tools: Tools): Promise<TicketState> {
  const view = await viewIncident(tools, input.incident);
  try {
    return await bringUpToDate(view, input, tools);
  } catch (error) {
    // Visible at once, not only when the retries are used up; the failure itself goes to the workflow, which retries.
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const { id, since } = view.incident.ticket?.state === 'pending' ? view.incident.ticket : { id: view.incident.ticket?.id ?? null, since: tools.now() };
    await updateIncident(tools, view.incident.id, { ticket: { tracker: 'opscenter', id, state: 'pending', since, reason } });
    throw error;
  }
}

interface TicketInput {
  readonly incident: string;
  readonly execution: string;
}

async function bringUpToDate(view: IncidentView, input: TicketInput, tools: Tools): Promise<TicketState> {
  const { incident } = view;
  const { title, description, severity } = await wordsOf(view, tools);
  const closed = incident.status === 'restored' || incident.status === 'not-exposed';
  const content = {
    Title: title,
    Description: description,
    Severity: severity,
    Category: 'Security',
    OperationalData: dataOf(incident),
  };
  const known = incident.ticket?.id ?? null;
  const id = known ?? (await open(content, tools));
  // An OpsItem that was just opened says all that there is to say, unless it was opened by an earlier, lost try.
  await tools.clients.ssm.send(new UpdateOpsItemCommand({ OpsItemId: id, ...content, Status: closed ? 'Resolved' : 'Open' }));

  const at = tools.now();
  const ticket: TicketState = { tracker: 'opscenter', id, state: closed ? 'closed' : 'open', since: at, reason: null };
  if (incident.ticket?.id !== id || incident.ticket.state !== ticket.state) {
    await Promise.all([
      updateIncident(tools, incident.id, { ticket, ticketGap: null }),
      addEntry(tools, `ticket/${id}/${input.execution}/${ticket.state}`, {
        incident: incident.id,
        at,
        kind: 'ticket',
        text: `ticket ${id} is ${ticket.state}`,
        by: tools.settings.AWS_LAMBDA_FUNCTION_NAME,
        detail: { tracker: ticket.tracker, id },
      }),
    ]);
  }
  return ticket;
}

/** @see https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateOpsItem.html (Title 1–1024, Description 1–2048) */
const LIMITS = { title: 1024, description: 2048 };
const SEVERITY = { critical: '1', high: '2', medium: '3', low: '4' } as const;

async function wordsOf(view: IncidentView, tools: Tools): Promise<{ readonly title: string; readonly description: string; readonly severity: string }> {
  const whole = ticketOf(view);
  const id = `${whole.incident}/${digestOf(documentJson(whole)).slice(0, 16)}`;
  const { document, cut } = fit(whole, (part) => plainText(part).length, LIMITS.description, `s3://${tools.settings.STOPBATH_EVIDENCE_BUCKET}/${recordKey('ticket', id)}`);
  if (cut) await putEvidence(tools, { kind: 'ticket', id, incident: whole.incident, at: tools.now(), drill: view.incident.drill, body: documentJson(whole) });
  return { title: titleWithin(whole, LIMITS.title), description: plainText(document), severity: SEVERITY[whole.severity] };
}

async function open(content: { readonly Title: string; readonly Description: string; readonly OperationalData: Record<string, OpsItemDataValue> } & Record<string, unknown>, tools: Tools): Promise<string> {
  try {
    const { OpsItemId } = await tools.clients.ssm.send(new CreateOpsItemCommand({ ...content, Source: 'Stopbath' }));
    if (OpsItemId === undefined) throw new Error('OpsCenter opened an OpsItem without an id');
    return OpsItemId;
  } catch (error) {
    if (error instanceof OpsItemAlreadyExistsException && error.OpsItemId !== undefined) return error.OpsItemId;
    throw error;
  }
}

function dataOf(incident: Incident): Record<string, OpsItemDataValue> {
  const text = (Value: string): OpsItemDataValue => ({ Value, Type: 'SearchableString' });
  return {
    '/aws/dedup': { Value: JSON.stringify({ dedupString: incident.id }), Type: 'SearchableString' },
    '/aws/resources': { Value: JSON.stringify([{ arn: incident.target.arn }]), Type: 'SearchableString' },
    'stopbath-incident': text(incident.id),
    'stopbath-status': text(incident.status),
  };
}
