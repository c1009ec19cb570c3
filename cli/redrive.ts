import { Argument, type Command } from 'commander';
import { askRedrive, askRedriveEvents, type Person } from './api.ts';
import { CliError, EXIT } from './exit.ts';
import { line, say, sayJson } from './terminal.ts';

interface Options extends Person {
  readonly reason?: string;
  readonly json?: true;
}

/** `stopbath redrive <queue>`: empties a dead-letter queue into the path again. */
export function register(program: Command): void {
  program
    .command('redrive')
    .description('send again what lies in a dead-letter queue')
    .addArgument(new Argument('<queue>', 'events that did not arrive or could not be decided, or tickets that were given up').choices(['events', 'tickets']))
    .option('--reason <text>', 'why, for the record')
    .option('--json', 'print { sent, dropped, more } or { incidents, more } as JSON')
    .option('--as <person>', 'sign as a person of the sandbox: rosa, ravi')
    .addHelpText(
      'after',
      '\nExample:\n  $ stopbath redrive events --reason "the permission is back" --as rosa\n\nAn event that had arrived before is decided as what it is, a repeat. Asks through STOPBATH_RESPOND_URL, a hundred messages at a time.',
    )
    .action(async (queue: 'events' | 'tickets', options: Options) => {
      const { reason = '' } = options;
      if (reason.trim() === '') throw new CliError(EXIT.usage, 'redrive needs --reason "…": say why, for the record');
      await (queue === 'events' ? events(reason, options) : tickets(reason, options));
    });
}

async function events(reason: string, options: Options): Promise<void> {
  const answer = await askRedriveEvents(reason, options);
  if (options.json) return sayJson(answer);
  const { sent, dropped, more } = answer;
  if (sent.length + dropped.length === 0) return say('there was nothing in the queue of undelivered events');
  if (sent.length > 0) say(`sent again: ${tally(sent)}; stopbath incidents shows what comes of it`);
  if (dropped.length > 0) say(`taken out, since the next run does it anyway or it was a drill: ${tally(dropped)}`);
  if (more) say('there is more: run it again');
}

async function tickets(reason: string, options: Options): Promise<void> {
  const answer = await askRedrive(reason, options);
  if (options.json) return sayJson(answer);
  if (answer.incidents.length === 0) return say('there was nothing in the queue of undelivered tickets');
  say(`sent again: ${answer.incidents.map((id) => line(id)).join(', ')}${answer.more ? '; there is more: run it again' : ''}`);
}

/** `3 for stopbath-prod-triage` */
function tally(names: readonly string[]): string {
  return [...Map.groupBy(names, (name) => name)].map(([name, all]) => `${all.length} for ${line(name)}`).join(', ');
}
