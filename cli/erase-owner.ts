import type { Command } from 'commander';
import { askErasure, type Person } from './api.ts';
import { CliError, EXIT } from './exit.ts';
import { line, question, say, sayJson } from './terminal.ts';
import { count } from './words.ts';

interface Options extends Person {
  readonly reason: string;
  readonly confirm?: string;
  readonly json?: true;
}

/** `stopbath erase-owner <owner>`: from now on nobody can tell whom the records about an owner mean. */
export function register(program: Command): void {
  program
    .command('erase-owner')
    .description("forget an owner of pictures: records stay whole, and nobody can tell any more whom their pseudonym means")
    .argument('<owner>', "the owner's id, as the share service has it")
    .requiredOption('--reason <text>', 'why, for the record; without the name of a person')
    .option('--confirm <owner>', "the owner's id once more, instead of being asked")
    .option('--json', 'print { pseudonym, incidents, by, at } as JSON')
    .option('--as <person>', 'sign as a person of the sandbox: rosa, ravi')
    .addHelpText(
      'after',
      '\nExample:\n  $ stopbath erase-owner owner-anna --reason "request 2026-117 under article 17 GDPR" --as rosa\n\nIt cannot be undone: links that were revoked for this owner stay revoked, and no restore can give them back. Locked records hold the\npseudonym only and stay verifiable; execution histories in Step Functions (90 days), logs, the table\'s backups and tickets\nare not reached: docs/audit.md says what to do about them. Asks through STOPBATH_RESPOND_URL, signed with your AWS credentials; only responders may.',
    )
    .action(async (owner: string, options: Options) => {
      const again = options.confirm ?? (await question("This cannot be undone. Type the owner's id once more: ", 'give the id once more with --confirm'));
      if (again !== owner) throw new CliError(EXIT.usage, `${JSON.stringify(line(again))} is not the owner that was named: nothing was erased`);
      const erased = await askErasure(owner, options.reason, options);
      if (options.json) return sayJson(erased);
      say(`erased: in ${count(erased.incidents.length, 'incident')} the owner is ${erased.pseudonym} now, and nobody can tell whom that means`, ...erased.incidents.map((id) => `  ${line(id)}`));
    });
}
