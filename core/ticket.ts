import type { IncidentView } from './incident.ts';
import { plain } from './text.ts';

export interface TicketText {
  readonly title: string;
  readonly description: string;
  /** OpsCenter's scale: '1' critical to '4' low. */
  readonly severity: '1' | '2' | '3' | '4';
}

/**
 * OpsCenter's limits, in characters.
 * @see https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateOpsItem.html (Title 1–1024, Description 1–2048)
 */
const TITLE_LIMIT = 1024;
const DESCRIPTION_LIMIT = 2048;

/** The ticket of an incident as it is now: what happened to what, what was done, what was not, and how to go on. */
export function renderTicket({ incident, plans, ledger, entries }: IncidentView): TicketText {
  const plan = plans.findLast((entry) => entry.direction === 'contain');
  const done = ledger.filter((entry) => entry.result === 'done');
  const lines = [
    `${incident.outcome || 'decided, not acted yet'}.`,
    '',
    `Target: ${incident.target.arn} (account ${incident.target.account}, ${incident.target.region})`,
    `Why: ${incident.reason}`,
    ...(incident.actor === null ? [] : [`Actor: ${incident.actor}`]),
    ...incident.exposures.map((exposure) => `Way in: ${exposure}`),
    `Mode: ${incident.mode} (recommended ${incident.recommendedMode}); severity ${incident.severity}${incident.drill ? '; this is a drill' : ''}`,
    `Event ${incident.eventTime} · decided ${incident.decidedAt} · contained ${incident.containedAt ?? 'no'} · verified ${incident.verifiedAt ?? 'no'} · restored ${incident.restoredAt ?? 'no'}`,
    '',
    ...(done.length > 0 ? ['Done:', ...done.map((entry) => `- ${entry.title}`)] : ['Nothing was changed.']),
    ...(plan?.notes ?? []).map((note) => `- ${note}`),
    ...(done.length === 0 && plan && plan.changes.length > 0 ? ['Planned:', ...plan.changes.map((change) => `- ${change.title}`)] : []),
    '',
    `Show: stopbath show ${incident.id}`,
    ...(done.length > 0 && incident.status !== 'restored' ? [`Restore: stopbath restore ${incident.id} --reason "…"`] : []),
    ...entries.filter((entry) => entry.kind === 'failure').map((entry) => `Failure ${entry.at}: ${entry.text}`),
  ];
  return {
    title: plain(`${incident.drill ? '[drill] ' : ''}${incident.title}`, TITLE_LIMIT),
    description: clip(lines.map((line) => plain(line, DESCRIPTION_LIMIT)).join('\n'), DESCRIPTION_LIMIT),
    severity: incident.severity >= 9 ? '1' : incident.severity >= 7 ? '2' : incident.severity >= 4 ? '3' : '4',
  };
}

function clip(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
}
