import type { Command } from 'commander';
import { askRestore, type Person } from './api.ts';
import { say, sayJson } from './terminal.ts';

/** `stopbath restore <incident>`: takes back what an incident changed. */
export function register(program: Command): void {
  program
    .command('restore')
    .description('take back exactly what an incident changed')
    .argument('<incident>', 'its id, as "stopbath incidents" lists it')
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--json', 'print { incident, execution } as JSON')
    .option('--as <person>', 'sign as a person of the sandbox: rosa, ravi')
    .addHelpText('after', '\nExample:\n  $ stopbath restore inc-0f3a9c --reason "shared on purpose, owner called" --as rosa\n\nAsks through STOPBATH_RESPOND_URL, signed with your AWS credentials; only responders may.')
    .action(async (id: string, options: Person & { readonly reason: string; readonly json?: true }) => {
      const started = await askRestore(id, options.reason, options);
      if (options.json) return sayJson(started);
      say(`restore of ${started.incident} has started as ${started.execution}; see it: stopbath show ${started.incident}`);
    });
}
