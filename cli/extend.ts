import type { Command } from 'commander';
import { post, type Person } from './api.ts';
import { momentOf, WHEN } from './period.ts';
import { say, sayJson } from './terminal.ts';

interface Options extends Person {
  readonly until: string;
  readonly reason: string;
  readonly json?: true;
}

/** `stopbath extend <incident> --until …`: lets a containment stand longer, and takes it over. */
export function register(program: Command): void {
  program
    .command('extend')
    .description('let a containment stand longer; you become its owner')
    .argument('<incident>', 'its id, as "stopbath incidents" lists it')
    .requiredOption('--until <when>', `90 days from now at most: ${WHEN.ahead}; a day is included whole`)
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--json', 'print { incident, lease } as JSON')
    .option('--as <person>', 'sign as a person of the sandbox: rosa, ravi')
    .addHelpText('after', '\nExample:\n  $ stopbath extend inc-20260102-0f3a9c2b11 --until 7d --reason "forensics need the week" --as rosa\n\nAt its end nothing is restored: it is asked whether to, and somebody has to approve.')
    .action(async (id: string, { reason, json, as, ...options }: Options) => {
      const until = momentOf('--until', options.until, Date.now(), { reach: 'ahead' });
      const answer = await post('/extend', { incident: id, until, reason }, { as });
      if (json) return sayJson(answer);
      say(`the containment of ${id} stands until ${until}; you are its owner`);
    });
}
