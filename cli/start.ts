import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import type { Change, Plan } from '../core/incident.ts';
import { withDigest } from '../core/plan.ts';
import { same } from '../core/quarantine/levels.ts';
import { askStart, reasonOf, type Person } from './api.ts';
import { CliError, EXIT } from './exit.ts';
import { changesText } from './incident-text.ts';
import { modeOption } from './plan.ts';
import { addInputs, inputsOf, readPlaybooks, startable } from './playbook-files.ts';
import { exampleOf } from './playbooks.ts';
import { heading, say, sayJson, tell } from './terminal.ts';
import { watch, WATCH_HELP } from './watch.ts';

interface Options extends Person {
  readonly reason: string;
  readonly plan?: string;
  readonly mode?: string;
  readonly watch?: true;
  readonly json?: true;
}

/** `stopbath start <playbook> …`: starts it by hand, through the same guard and approvals as an event. */
export function register(program: Command): void {
  const verb = program.command('start').description('start a playbook by hand; a reason is required').addHelpText('after', '\nExample:\n  $ stopbath start quarantine-bucket --bucket family-photos-111122223333 --reason "the album leaked" --as rosa');
  for (const playbook of startable(readPlaybooks())) {
    addInputs(verb.command(playbook.name).description(playbook.title), playbook)
      .requiredOption('--reason <text>', 'why, for the record')
      .option('--plan <digest|file>', 'exactly this plan, or nothing: its digest, or what "stopbath plan --out" wrote')
      .addOption(modeOption())
      .option('--watch', 'stay and show what becomes of it')
      .option('--json', 'print { incident, execution, mode } as JSON')
      .option('--as <person>', 'sign as a person of the sandbox: rosa, ravi')
      .addHelpText('after', `\nExample:\n  $ stopbath start ${playbook.name} ${exampleOf(playbook)} --reason "…" --plan plan.json --watch --as rosa\n\nAsks through STOPBATH_RESPOND_URL, signed with your AWS credentials; only responders may.\n${WATCH_HELP}`)
      .action(async (options: Options) => {
        const digest = options.plan === undefined ? null : await digestOfPlan(options.plan);
        const started = await askStart({ playbook: playbook.name, inputs: inputsOf(playbook, { ...options }), mode: options.mode, reason: options.reason, digest }, options).catch((error: unknown) => {
          showMoved(error);
          throw error;
        });
        if (options.json) sayJson(started);
        else say(`${started.execution} has started in mode ${started.mode}; see it: stopbath show ${started.incident}`);
        if (options.watch) await watch(started.incident, options, options.json ? tell : say);
      });
  }
}

const planFile = z.looseObject({ digest: z.string(), playbook: z.string(), direction: z.enum(['contain', 'restore']), target: z.looseObject({}), level: z.string().nullable(), changes: z.array(z.looseObject({})) });

/** @throws {CliError} where the file says something else than its digest */
async function digestOfPlan(text: string): Promise<string> {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  if (/^[0-9a-f]{6,63}$/.test(text)) throw new CliError(EXIT.usage, `--plan ${text}: give all 64 characters of the digest, or the file that "stopbath plan --out" wrote`);
  let document: unknown;
  try {
    document = JSON.parse(await readFile(text, 'utf8'));
  } catch (cause) {
    throw new CliError(EXIT.usage, `--plan ${text} is no digest, and cannot be read as a file: ${reasonOf(cause)}`, { cause });
  }
  const read = planFile.safeParse(document);
  if (!read.success) throw new CliError(EXIT.usage, `--plan ${text} is not a plan: ${z.prettifyError(read.error)}`);
  const { digest } = withDigest(document as Plan);
  if (digest !== read.data.digest) throw new CliError(EXIT.no, `--plan ${text} was changed after it was made: it says ${read.data.digest}, and its content is ${digest}; plan again`);
  return digest;
}

const moved = z.object({ plan: z.custom<Plan>(isPlan), seen: z.custom<Plan>(isPlan) });

/** What would be done now, and how that differs from what was seen. */
function showMoved(error: unknown): void {
  const read = moved.safeParse(error instanceof CliError ? error.answer : null);
  if (!read.success) return;
  const { plan, seen } = read.data;
  const differs = (one: readonly Change[], other: readonly Change[]) => one.filter((change) => !other.some((twin) => twin.setting === change.setting && same(twin.before, change.before) && same(twin.after, change.after)));
  const [gone, fresh] = [differs(seen.changes, plan.changes), differs(plan.changes, seen.changes)];
  if (gone.length > 0) tell(heading('In the plan that you saw, and not any more'), ...changesText(gone));
  if (fresh.length > 0) tell(heading('In the plan as it would be now'), ...changesText(fresh));
  tell('', `Start it as it is now: --plan ${plan.digest}`);
}

function isPlan(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'changes' in value && 'digest' in value;
}
