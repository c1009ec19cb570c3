import type { Command } from 'commander';
import { askSwitch, listIncidents, type Person } from './api.ts';
import { say, sayJson } from './terminal.ts';
import { count } from './words.ts';

/** `stopbath resume`: ends a pause. What was held meanwhile waits for a release. */
export function register(program: Command): void {
  program
    .command('resume')
    .description('let containment go on after a pause; what was held meanwhile stays held until released')
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--json', 'print { paused, by, at, reason } as JSON')
    .option('--as <person>', 'sign as a person of the sandbox: rosa, ravi')
    .addHelpText('after', '\nExample:\n  $ stopbath resume --reason "the albums have moved" --as rosa\n\nAsks through STOPBATH_RESPOND_URL, signed with your AWS credentials; only responders may.')
    .action(async (options: Person & { readonly reason: string; readonly json?: true }) => {
      const position = await askSwitch('/resume', options.reason, options);
      if (options.json) return sayJson(position);
      say(`containment goes on since ${position.at}`);
      const held = (await listIncidents('open', options)).filter(({ status }) => status === 'held');
      if (held.length > 0) say(`${count(held.length, 'incident')} still held: ${held.slice(0, 5).map(({ id }) => id).join(', ')}${held.length > 5 ? ' and more' : ''}. Act on one with: stopbath release <incident> --reason "…"`);
    });
}
