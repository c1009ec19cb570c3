import type { Command } from 'commander';
import { askRestore, askRestorePlan, type Person } from './api.ts';
import { CliError, EXIT } from './exit.ts';
import { planText } from './incident-text.ts';
import { nextText } from './plan.ts';
import { say, sayJson, tell } from './terminal.ts';
import { watch } from './watch.ts';

interface Options extends Person {
  readonly reason?: string;
  readonly planOnly?: true;
  readonly keepNewer?: true;
  readonly overwriteNewer?: true;
  readonly plan?: string;
  readonly watch?: true;
  readonly json?: true;
}

/** `stopbath restore <incident>`: takes back what an incident changed; what somebody changed since is kept unless told otherwise. */
export function register(program: Command): void {
  program
    .command('restore')
    .description('take back exactly what an incident changed')
    .argument('<incident>', 'its id, as "stopbath incidents" lists it')
    .option('--reason <text>', 'why, for the record; required unless --plan-only')
    .option('--plan-only', 'show what it would do, and what somebody changed since; do nothing')
    .option('--keep-newer', 'keep what somebody changed since the containment (the default)')
    .option('--overwrite-newer', 'put everything back as it was before the containment, over what somebody changed since')
    .option('--plan <digest>', 'exactly this plan, or nothing')
    .option('--watch', 'stay and show what becomes of it')
    .option('--json', 'print { incident, execution } as JSON; with --plan-only { plan, result }')
    .option('--as <person>', 'sign as a person of the sandbox: rosa, ravi')
    .addHelpText('after', '\nExample:\n  $ stopbath restore inc-20260102-0f3a9c2b11 --plan-only --as rosa\n  $ stopbath restore inc-20260102-0f3a9c2b11 --reason "shared on purpose, owner called" --as rosa\n\nAsks through STOPBATH_RESPOND_URL, signed with your AWS credentials; only responders may. A restore that opens what would\nbe contained again waits until another responder has approved it.\nWith --watch it ends with 0 where it is restored and proven, and with 1 in every other end. With --json too, the timeline goes to stderr.')
    .action(async (id: string, options: Options) => {
      if (options.keepNewer && options.overwriteNewer) throw new CliError(EXIT.usage, '--keep-newer and --overwrite-newer are given: give one of them');
      const newer = options.overwriteNewer ? 'overwrite' : 'keep';
      if (options.planOnly) {
        const answer = await askRestorePlan(id, newer, options);
        return options.json ? sayJson(answer) : say(...planText(answer.plan), ...nextText(answer, newer));
      }
      if (options.reason === undefined) throw new CliError(EXIT.usage, '--reason is missing: say why, for the record; or give --plan-only to see what it would do');
      const started = await askRestore(id, { reason: options.reason, newer, digest: options.plan ?? null }, options);
      if (options.json) sayJson(started);
      else say(`restore of ${started.incident} has started as ${started.execution}; see it: stopbath show ${started.incident} --watch`);
      if (!options.watch) return;
      const { incident } = await watch(started.incident, options, options.json ? tell : say);
      // What was contained before may stand, proven: that is not what was asked for.
      if (incident.status !== 'restored') process.exitCode = EXIT.no;
    });
}
