import type { Command } from 'commander';
import { listIncidents, type Person } from './api.ts';
import { table } from './table.ts';
import { say, sayJson } from './terminal.ts';
import { toned } from './timeline.ts';
import { instant, statusWords } from './words.ts';

/** `stopbath incidents`: what is open, newest first. */
export function register(program: Command): void {
  program
    .command('incidents')
    .description('list open incidents, newest first')
    .option('--closed', 'list those that are closed')
    .option('--json', 'print { incidents } as JSON')
    .option('--as <person>', 'sign as a person of the sandbox: rosa, ravi, ada')
    .addHelpText('after', '\nExample:\n  $ stopbath incidents --as rosa\n\nReads through STOPBATH_AUDIT_URL, signed with your AWS credentials.')
    .action(async (options: Person & { readonly closed?: true; readonly json?: true }) => {
      const which = options.closed ? 'closed' : 'open';
      const incidents = await listIncidents(which, options);
      if (options.json) return sayJson({ incidents });
      if (incidents.length === 0) return say(`no ${which} incidents`);
      const rows = incidents.map((incident) => [incident.id, statusWords(incident.status).words, String(incident.severity), instant(incident.eventTime), incident.target.name, `${incident.drill ? '[drill] ' : ''}${incident.title}`]);
      const tones = new Map(incidents.map((incident) => [statusWords(incident.status).words, statusWords(incident.status).tone]));
      say(table(['incident', 'status', 'severity', 'event', 'target', 'what'], rows, (text, column) => (column === 1 ? toned(tones.get(text) ?? 'neutral', text) : text)));
    });
}
