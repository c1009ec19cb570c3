import type { Command } from 'commander';
import { askSwitch, type Person } from './api.ts';
import { say, sayJson } from './terminal.ts';

/** `stopbath pause`: the kill switch. Nothing is contained until somebody resumes. */
export function register(program: Command): void {
  program
    .command('pause')
    .description('stop all containment: what arrives is held and ticketed; restoring stays possible')
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--json', 'print { paused, by, at, reason } as JSON')
    .option('--as <person>', 'sign as a person of the sandbox: rosa, ravi')
    .addHelpText('after', '\nExample:\n  $ stopbath pause --reason "moving the albums to another account" --as rosa\n\nAsks through STOPBATH_RESPOND_URL, signed with your AWS credentials; only responders may. See it: stopbath suppressions.')
    .action(async (options: Person & { readonly reason: string; readonly json?: true }) => {
      const position = await askSwitch('/pause', options.reason, options);
      if (options.json) return sayJson(position);
      say(`containment is paused since ${position.at} by ${position.by}; what arrives is held with a ticket. Go on with: stopbath resume --reason "…"`);
    });
}
