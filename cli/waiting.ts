import type { Command } from 'commander';
import type { IncidentView } from '../core/incident.ts';
import { listIncidents, viewIncident, type Person } from './api.ts';
import { table } from './table.ts';
import { ink, say, sayJson } from './terminal.ts';
import { toned } from './timeline.ts';
import { duration, instant, statusWords } from './words.ts';

interface Waiting {
  readonly incident: string;
  readonly status: string;
  readonly target: string;
  readonly drill: boolean;
  /** What somebody has to do; `null` where nobody has to. */
  readonly todo: string | null;
  readonly type: string;
}

/** `stopbath waiting`, and `stopbath` alone: what is open, and what of it waits for somebody. */
export function register(program: Command): void {
  program
    .command('waiting')
    .description('show what is open and waits for somebody; "stopbath" alone shows the same')
    .option('--json', 'print { waiting } as JSON')
    .option('--as <person>', 'sign as a person of the sandbox: rosa, ravi, ada')
    .addHelpText('after', '\nExample:\n  $ stopbath waiting --as rosa\n\nReads through STOPBATH_AUDIT_URL, signed with your AWS credentials.')
    .action(async (options: Person & { readonly json?: true }) => {
      const open = await listIncidents('open', options);
      const views = await Promise.all(open.map(({ id }) => viewIncident(id, options)));
      const waiting = views.map((view) => waitingOf(view, new Date().toISOString())).toSorted((a, b) => Number(b.todo !== null) - Number(a.todo !== null));
      if (options.json) return sayJson({ waiting });
      if (waiting.length === 0) return say('nothing is open');
      const tones = new Map(open.map(({ status }) => [statusWords(status).words, statusWords(status).tone]));
      const rows = waiting.map(({ incident, status, target, drill, todo }) => [incident, status, `${drill ? '[drill] ' : ''}${target}`, todo ?? 'nobody: it is as it should be']);
      say(table(['incident', 'status', 'target', 'waits for'], rows, (text, column) => (column === 1 ? toned(tones.get(text) ?? 'neutral', text) : text)));
      const next = waiting.filter(({ todo }) => todo !== null);
      if (next.length > 0) say('', ...next.map(({ type }) => `  ${ink.dim('$')} ${type}`));
    });
}

/** What an incident waits for, most urgent first: a person where it needs one, and a ticket that is missing. */
export function waitingOf(view: IncidentView, now: string): Waiting {
  const waits = stepOf(view, now);
  const { id, ticket, ticketGap } = view.incident;
  const gap = ticketGap ?? (ticket !== null && ticket.state !== 'open' && ticket.state !== 'closed' && ticket.nextAt === null ? `${ticket.tracker}: ${ticket.reason ?? ticket.state}` : null);
  return waits.todo !== null || gap === null ? waits : { ...waits, todo: `a ticket: ${gap}`, type: `stopbath ticket ${id} --resend --reason "…"` };
}

function stepOf({ incident, approvals }: IncidentView, now: string): Waiting {
  const { id, status, lease } = incident;
  const common = { incident: id, status: statusWords(status).words, target: incident.target.name, drill: incident.drill };
  const asked = approvals.find(({ state, execution }) => state === 'waiting' && execution === incident.executions.at(-1));
  if (asked) {
    const have = asked.votes.filter(({ word }) => word === 'approve').length;
    const left = Date.parse(asked.expiresAt) - Date.parse(now);
    return { ...common, todo: `${asked.needed - have} more to approve the ${asked.direction === 'contain' ? 'containment' : 'restore'}${left > 0 ? `, within ${duration(left)}` : ''}`, type: `stopbath approve ${id}` };
  }
  switch (status) {
    case 'held':
    case 'rejected':
    case 'expired':
      return { ...common, todo: `a decision: release it, or leave it (${incident.outcome})`, type: `stopbath release ${id} --reason "…"` };
    case 'failed':
    case 'unverified':
      return { ...common, todo: `somebody to look: ${incident.outcome}`, type: `stopbath show ${id}` };
    case 'contained':
      return lease && Date.parse(lease.until) - Date.parse(now) < 86_400_000
        ? { ...common, todo: `its owner (${lease.owner}): it is meant to stand until ${instant(lease.until)}`, type: `stopbath extend ${id} --until … --reason "…"` }
        : { ...common, todo: null, type: `stopbath show ${id}` };
    default:
      return { ...common, todo: null, type: `stopbath show ${id}` };
  }
}
