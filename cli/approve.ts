import type { Command } from 'commander';
import type { Approval } from '../core/approval.ts';
import { askDecision, viewIncident, type Person } from './api.ts';
import { approvalText, planText } from './incident-text.ts';
import { CliError, EXIT } from './exit.ts';
import { question, say, sayJson } from './terminal.ts';

interface Options extends Person {
  readonly digest?: string;
  readonly reason?: string;
  readonly json?: true;
}

/** Enough of a digest that nobody types it by accident. */
const SHORTEST = 6;

/** `stopbath approve <incident>` and `stopbath reject <incident>`: a responder's word about exactly one plan. */
export function register(program: Command): void {
  program
    .command('approve')
    .description('approve what an incident waits for: shows the plan, and asks for its digest')
    .argument('<incident>', 'its id, as "stopbath incidents" lists it')
    .option('--digest <characters>', `the first ${SHORTEST} or more characters of the plan's digest, instead of being asked`)
    .option('--reason <text>', 'why, for the record')
    .option('--json', 'print { incident, execution, state, have, needed } as JSON')
    .option('--as <person>', 'sign as a person of the sandbox: rosa, ravi')
    .addHelpText('after', '\nExample:\n  $ stopbath approve inc-20260102-0f3a9c2b11 --as ravi\n\nWhoever asked for it cannot approve it; a protected target takes two others.')
    .action(async (id: string, options: Options) => {
      const approval = await waitingOf(id, options);
      const digest = await typed(approval, options);
      const decided = await askDecision('approve', { incident: id, digest, reason: options.reason }, options);
      if (options.json) return sayJson(decided);
      say(decided.state === 'approved' ? `approved: ${decided.execution} goes on; see it: stopbath show ${id} --watch` : `your approval counts: ${decided.have} of ${decided.needed}; somebody else has to approve too`);
    });
  program
    .command('reject')
    .description('reject what an incident waits for; nothing is changed')
    .argument('<incident>', 'its id, as "stopbath incidents" lists it')
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--json', 'print { incident, execution, state, have, needed } as JSON')
    .option('--as <person>', 'sign as a person of the sandbox: rosa, ravi')
    .addHelpText('after', '\nExample:\n  $ stopbath reject inc-20260102-0f3a9c2b11 --reason "public on purpose until Sunday" --as ravi')
    .action(async (id: string, options: Options) => {
      const { digest } = await waitingOf(id, { ...options, json: true });
      const decided = await askDecision('reject', { incident: id, digest, reason: options.reason }, options);
      if (options.json) return sayJson(decided);
      say(`rejected: ${decided.execution} ends, and nothing is changed`);
    });
}

/** Shows the plan that waits, once more. Where nothing waits any more, the last request: the suite says why it is too late. */
async function waitingOf(id: string, options: Options): Promise<Approval> {
  const view = await viewIncident(id, options);
  const approval = view.approvals.findLast(({ state }) => state === 'waiting') ?? view.approvals.at(-1);
  if (!approval) throw new CliError(EXIT.no, `nothing of ${id} waits for an approval; it is ${view.incident.status}`);
  if (options.json) return approval;
  const plan = view.plans.find(({ digest }) => digest === approval.digest);
  if (plan) say(...planText(plan));
  say(...approvalText(approval));
  return approval;
}

async function typed({ digest }: Approval, options: Options): Promise<string> {
  const text = (options.digest ?? (await question(`Type the first ${SHORTEST} characters of the digest to approve exactly this plan: `, 'give the first characters of the digest with --digest'))).trim().toLowerCase();
  if (text.length < SHORTEST) throw new CliError(EXIT.usage, `${JSON.stringify(text)} is ${text.length} characters of the digest: it takes ${SHORTEST} or more; nothing was approved`);
  if (!digest.startsWith(text)) throw new CliError(EXIT.no, `${JSON.stringify(text)} does not begin the digest of the plan that waits, ${digest}; nothing was approved`);
  return digest;
}
