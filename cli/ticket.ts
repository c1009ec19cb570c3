import type { Command } from 'commander';
import { askRedrive, askTicket, viewIncident, type Person } from './api.ts';
import { CliError, EXIT } from './exit.ts';
import { ticketLines } from './incident-text.ts';
import { ink, line, say, sayJson } from './terminal.ts';

interface Options extends Person {
  readonly resend?: true;
  readonly redrive?: true;
  readonly reason?: string;
  readonly json?: true;
}

/** `stopbath ticket <incident>`: how its tickets stand, and sends them again. */
export function register(program: Command): void {
  program
    .command('ticket')
    .description('show how an incident’s tickets stand in each tracker, or send them again')
    .argument('[incident]', 'its id, as "stopbath incidents" lists it')
    .option('--resend', 'bring its tickets up to date now; one that is gone is opened anew')
    .option('--redrive', 'send again all tickets that were given up and lie in the dead-letter queue')
    .option('--reason <text>', 'why, for the record: with --resend and --redrive')
    .option('--json', 'print { incident, tickets, gap, history }, { incident, execution } or { incidents, more } as JSON')
    .option('--as <person>', 'sign as a person of the sandbox: rosa, ravi; ada may look')
    .addHelpText(
      'after',
      '\nExamples:\n  $ stopbath ticket inc-20261124-0e8df3ecac --as ada\n  $ stopbath ticket inc-20261124-0e8df3ecac --resend --reason "the token was renewed" --as rosa\n  $ stopbath ticket --redrive --reason "Jira is back" --as rosa\n\nReads through STOPBATH_AUDIT_URL, asks through STOPBATH_RESPOND_URL. Exit code 1: a ticket is pending, gone, or was given up.',
    )
    .action(async (incident: string | undefined, options: Options) => await (options.redrive ? redrive(incident, options) : options.resend ? resend(named(incident), options) : show(named(incident), options)));
}

async function show(id: string, options: Options): Promise<void> {
  if (options.reason !== undefined) throw new CliError(EXIT.usage, '--reason goes with --resend or --redrive: to look at a ticket takes none');
  const { incident, entries } = await viewIncident(id, options);
  const history = entries.filter(({ kind }) => kind === 'ticket').map(({ at, text, by }) => ({ at, text, by }));
  const trouble = incident.ticketGap !== null || Object.values(incident.tickets ?? {}).some(({ state }) => state === 'pending' || state === 'gone');
  if (trouble) process.exitCode = EXIT.no;
  if (options.json) return sayJson({ incident: incident.id, tickets: incident.tickets ?? {}, gap: incident.ticketGap, history });
  say(`${ink.bold(incident.id)}  ${line(incident.title)}`, ...ticketLines(incident).map((ticket) => `  ${line(ticket.replace('<incident>', incident.id))}`), '', ...history.map(({ at, text }) => `  ${ink.dim(at.slice(0, 19).replace('T', ' '))}  ${line(text)}`));
}

async function resend(id: string, options: Options): Promise<void> {
  const started = await askTicket(id, reasonIn(options, '--resend'), options);
  if (options.json) return sayJson(started);
  say(`the tickets of ${started.incident} are brought up to date by ${started.execution}; see them: stopbath ticket ${started.incident}`);
}

async function redrive(incident: string | undefined, options: Options): Promise<void> {
  if (options.resend) throw new CliError(EXIT.usage, 'give either --resend or --redrive: one incident, or all that was given up');
  if (incident !== undefined) throw new CliError(EXIT.usage, `--redrive sends all that lies in the queue again and takes no incident (${JSON.stringify(incident)}): for one, use stopbath ticket ${incident} --resend`);
  const sent = await askRedrive(reasonIn(options, '--redrive'), options);
  if (options.json) return sayJson(sent);
  if (sent.incidents.length === 0) return say('there was nothing in the queue of undelivered tickets');
  say(`sent again: ${sent.incidents.join(', ')}${sent.more ? '; there is more: run it again' : ''}`);
}

function named(incident: string | undefined): string {
  if (incident === undefined) throw new CliError(EXIT.usage, 'name an incident: stopbath ticket <incident>; stopbath incidents lists them');
  return incident;
}

function reasonIn({ reason = '' }: Options, option: string): string {
  if (reason.trim() === '') throw new CliError(EXIT.usage, `${option} needs --reason "…": say why, for the record`);
  return reason;
}
