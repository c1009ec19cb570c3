import type { Command } from 'commander';
import { readGuardState, type Person } from './api.ts';
import { table } from './table.ts';
import { say, sayJson } from './terminal.ts';
import { instant } from './words.ts';

/** `stopbath suppressions`: what is accepted and until when, and whether containment is paused. */
export function register(program: Command): void {
  program
    .command('suppressions')
    .description('list accepted exposures, soonest to expire first, and whether containment is paused')
    .option('--all', 'those that have ended too')
    .option('--json', 'print { paused, suppressions } as JSON')
    .option('--as <person>', 'sign as a person of the sandbox: rosa, ravi, ada')
    .addHelpText('after', '\nExample:\n  $ stopbath suppressions --as ada\n\nReads through STOPBATH_AUDIT_URL, signed with your AWS credentials.')
    .action(async (options: Person & { readonly all?: true; readonly json?: true }) => {
      const { suppressions, ...guard } = await readGuardState(options);
      const now = new Date().toISOString();
      const shown = suppressions.filter(({ expires }) => options.all === true || Date.parse(expires) > Date.parse(now)).toSorted((one, other) => Date.parse(one.expires) - Date.parse(other.expires));
      if (options.json) return sayJson({ ...guard, suppressions: shown });
      if ('unreadable' in guard) say(`the kill switch cannot be read, so nothing is contained: ${guard.unreadable}`);
      else if (guard.paused) say(`containment is paused since ${instant(guard.paused.at)} by ${guard.paused.by}: ${guard.paused.reason}`);
      if (shown.length === 0) return say(options.all ? 'there was never a suppression' : 'no suppression is in force');
      const rows = shown.map(({ id, owner, reason, expires, by, pattern }) => [id, Date.parse(expires) > Date.parse(now) ? `until ${instant(expires)}` : `ended ${instant(expires)}`, owner, reason, by.split('/').at(-1) ?? by, JSON.stringify(pattern)]);
      say(table(['id', 'in force', 'owner', 'why', 'set by', 'pattern'], rows));
    });
}
