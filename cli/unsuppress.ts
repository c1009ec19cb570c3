import type { Command } from 'commander';
import { askUnsuppress, type Person } from './api.ts';
import { say, sayJson } from './terminal.ts';

/** `stopbath unsuppress <id>`: ends a suppression now; it stays on record. */
export function register(program: Command): void {
  program
    .command('unsuppress')
    .description('end a suppression now; what matches it acts again from the next signal on')
    .argument('<id>', 'what "stopbath suppressions" calls it')
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--json', 'print { id, ended, by, reason } as JSON')
    .option('--as <person>', 'sign as a person of the sandbox: rosa, ravi')
    .addHelpText('after', '\nExample:\n  $ stopbath unsuppress thumbnails --reason "they moved behind the CDN" --as rosa\n\nAsks through STOPBATH_RESPOND_URL, signed with your AWS credentials; only responders may.')
    .action(async (id: string, options: Person & { readonly reason: string; readonly json?: true }) => {
      const ended = await askUnsuppress(id, options.reason, options);
      if (options.json) return sayJson(ended);
      say(`${ended.id} has ended at ${ended.ended}; it stays on record`);
    });
}
