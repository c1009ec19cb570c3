import type { Command } from 'commander';
import { askRelease, type Person } from './api.ts';
import { say, sayJson } from './terminal.ts';

/** `stopbath release <incident>`: asks again for the containment of what was held, only observed, or not proven. */
export function register(program: Command): void {
  program
    .command('release')
    .description('ask again for the containment of what was held, only observed, not approved, failed, or not proven')
    .argument('<incident>', 'its id, as "stopbath incidents" lists it')
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--json', 'print { incident, execution } as JSON')
    .option('--as <person>', 'sign as a person of the sandbox: rosa, ravi')
    .addHelpText(
      'after',
      '\nExample:\n  $ stopbath release inc-20261124-0f3a9c4d21 --reason "no album is shared from it today" --as rosa\n\nIt waits for the approval of another responder where the mode is below contain or the bucket is protected (of two); a pause stays in force.\nAsks through STOPBATH_RESPOND_URL, signed with your AWS credentials; only responders may.',
    )
    .action(async (id: string, options: Person & { readonly reason: string; readonly json?: true }) => {
      const started = await askRelease(id, options.reason, options);
      if (options.json) return sayJson(started);
      say(`${started.incident} is released as ${started.execution}; see whether it waits for an approval: stopbath show ${started.incident}`);
    });
}
