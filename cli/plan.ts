import { writeFile } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import type { BudgetLeft } from '../core/budget.ts';
import { askPlan, type Person, type PlanAnswer } from './api.ts';
import { planText } from './incident-text.ts';
import { addInputs, inputsOf, readPlaybooks, startable } from './playbook-files.ts';
import { exampleOf } from './playbooks.ts';
import { facts } from './table.ts';
import { heading, say, sayJson, tell } from './terminal.ts';
import { statusWords } from './words.ts';

interface Options extends Person {
  readonly mode?: string;
  readonly json?: true;
  readonly out?: string;
}

/** `stopbath plan <playbook> …`: what it would do, to the last setting, and what that means. Changes nothing. */
export function register(program: Command): void {
  const verb = program.command('plan').description('show what a playbook would do, and do nothing').addHelpText('after', '\nExample:\n  $ stopbath plan quarantine-bucket --bucket family-photos-111122223333 --level public --as rosa');
  for (const playbook of startable(readPlaybooks())) {
    addInputs(verb.command(playbook.name).description(playbook.title), playbook)
      .addOption(modeOption())
      .option('--json', 'print { plan, result, budgets, holding } as JSON')
      .option('--out <file>', 'write the plan to a file too, for "stopbath start --plan"')
      .option('--as <person>', 'sign as a person of the sandbox: rosa, ravi')
      .addHelpText('after', `\nExample:\n  $ stopbath plan ${playbook.name} ${exampleOf(playbook)} --as rosa\n\nAsks through STOPBATH_RESPOND_URL; the plan's own function reads, under a role that can only read.`)
      .action(async (options: Options) => {
        const answer = await askPlan({ playbook: playbook.name, inputs: inputsOf(playbook, { ...options }), mode: options.mode }, options);
        if (options.out !== undefined) await writeFile(options.out, `${JSON.stringify(answer.plan, null, 2)}\n`, { mode: 0o600 });
        if (options.json) return sayJson(answer);
        say(...planText(answer.plan), ...nextText(answer));
        if (options.out !== undefined) tell(`The plan is in ${options.out}.`);
      });
  }
}

export function modeOption(): Option {
  return new Option('--mode <mode>', 'observe: only record; approve: somebody else approves first; contain: act at once, where configuration lets the suite do so').choices(['observe', 'approve', 'contain']).default('approve');
}

/** What the guard says of it, and how to start exactly it. */
export function nextText({ plan, result, holding, budgets = [] }: PlanAnswer, newer: 'keep' | 'overwrite' = 'keep'): readonly string[] {
  const refused = budgets.flatMap(({ account, all }) => account.refused ?? all.refused ?? []);
  const words: Readonly<Record<PlanAnswer['result']['next'], string>> = {
    apply: refused.length === 0 ? 'it would be applied at once' : `it would wait for an approval: ${refused.join('; ')}`,
    approve: `it would wait for an approval: ${[result.reason, ...refused].join('; ')}`,
    verify: 'there is nothing to change: it would only be looked at from outside',
    record: `nothing would be changed: ${result.reason}`,
  };
  return [
    heading('If it were started'),
    ...facts([
      ['Then', words[result.next]],
      ...budgets.map(({ account, all }): [string, string] => ['Budget left', `${account.of}: ${leftText(account)} in this account, ${leftText(all)} in all, this hour`]),
      ['Held by', holding ? `${holding.id} (${statusWords(holding.status).words}), which it would join` : null],
      ['Start it', plan.direction === 'restore' ? `stopbath restore ${plan.incident}${newer === 'overwrite' ? ' --overwrite-newer' : ''} --plan ${plan.digest} --reason "…"` : `stopbath start ${plan.playbook} … --plan ${plan.digest} --reason "…"`],
    ]),
  ];
}

function leftText({ left, limit, reserved }: BudgetLeft): string {
  return `${left.toLocaleString('en')} of ${limit.toLocaleString('en')}${reserved === 0 ? '' : ` (${reserved.toLocaleString('en')} kept for critical incidents)`}`;
}
