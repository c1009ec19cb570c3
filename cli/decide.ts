import { once } from 'node:events';
import type { Command } from 'commander';
import { capFor } from '../aws/settings.ts';
import { capped, decide, type Decision, type DecideOptions, type Verdict } from '../core/decide.ts';
import type { Config } from '../deploy/config.ts';
import { eventsIn } from './decide/events.ts';
import { readConfigFile, readStates, readSuppressionsFile, shippedPlaybooks } from './decide/files.ts';
import { EXIT } from './exit.ts';
import { ink, line, tell } from './terminal.ts';

interface Options {
  readonly json?: true;
  readonly state?: string;
  readonly config?: string;
  readonly stage?: string;
  readonly suppressions?: string;
  readonly explain?: true;
}

/** `stopbath decide`: what would be done about events, without AWS and without doing it. */
export function register(program: Command): void {
  program
    .command('decide')
    .description('say what would be done about events, and why; asks AWS nothing and changes nothing')
    .argument('[files...]', 'JSON, NDJSON, arrays, CloudTrail log files, gzipped or not; - or none is stdin')
    .option('--json', 'one JSON object a line')
    .option('--state <file>', 'what is known of buckets: a JSON object or list of { bucket, publicAccessBlock, accountPublicAccessBlock, policy, acl, ownership, accessPoints }')
    .option('--config <file>', 'what a configuration makes of it: a stopbath.config.json')
    .option('--stage <stage>', 'the stage whose settings are laid over it, and whose own parts are known: prod')
    .option('--suppressions <file>', 'what was accepted, as "stopbath suppressions --json" prints it')
    .option('--explain', 'show which triggers matched and what each predicate answered')
    .addHelpText(
      'after',
      '\nExamples:\n  $ stopbath decide --explain finding.json\n  $ stopbath decide --config stopbath.config.json --stage prod finding.json\n  $ zcat trail/*.json.gz | stopbath decide --json | grep \'"decision":"contain"\'\n\nOne line an event, in input order; a summary goes to stderr. Ends with 1 where a line was no event.',
    )
    .action(async (files: readonly string[], options: Options) => {
      const rejected = await decideFiles(files.length > 0 ? files : ['-'], options);
      if (rejected) process.exitCode = EXIT.no;
    });
}

/** @returns whether something was rejected */
async function decideFiles(files: readonly string[], options: Options): Promise<boolean> {
  const { state, stage } = options;
  const [playbooks, states, config, suppressions] = await Promise.all([
    shippedPlaybooks(),
    state === undefined ? null : readStates(state),
    options.config === undefined ? null : readConfigFile(options.config, stage),
    options.suppressions === undefined ? [] : readSuppressionsFile(options.suppressions),
  ]);
  const decideOptions = { ...states, playbooks, own: { prefix: stage === undefined ? 'stopbath' : `stopbath-${stage}` }, suppressions, ...(config && { trustedAccounts: [...config.accounts, ...config.trustedAccounts], trustedSources: config.trustedSources, organizationId: config.organizationId, photoKeys: config.photoKeys }) };
  const counts = new Map<Verdict, number>();
  for (const file of files) {
    for await (const found of eventsIn(file)) {
      const decision = 'value' in found ? decide(found.value, { ...decideOptions, receivedAt: new Date().toISOString() }) : brokenDecision(found.broken, decideOptions);
      counts.set(decision.decision, (counts.get(decision.decision) ?? 0) + 1);
      const text = options.json ? jsonOf(decision, config, options.explain === true) : textOf(decision, config, options.explain === true);
      // A pipe that is full must drain first, or all that is decided would pile up here.
      if (!process.stdout.write(`${text}\n`)) await once(process.stdout, 'drain');
    }
  }
  tell(summaryOf(counts));
  return counts.has('rejected');
}

/** What is no JSON is decided like what is no event. */
function brokenDecision(broken: string, options: Omit<DecideOptions, 'receivedAt'>): Decision {
  return { ...decide(null, { ...options, receivedAt: '' }), reason: `Not an event: ${line(broken)}.` };
}

function jsonOf(decision: Decision, config: Config | null, explain: boolean): string {
  const { event, source, type, decision: verdict, playbook, inputs, targets, suppressedBy, reason, checks } = decision;
  const effective = config && { effective: cappedBy(config, decision) };
  const text = JSON.stringify({ event, source, type, decision: verdict, playbook, inputs, targets, suppressedBy, reason, ...effective, ...(explain && { checks }) });
  // Targets and inputs are the event's own: what a terminal would obey is escaped, the value stays the same.
  return text.replaceAll(/[\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function cappedBy({ modeCap, modeCaps }: Config, { decision, playbook }: Decision): Verdict {
  return capped(decision, capFor({ STOPBATH_MODE_CAP: modeCap, STOPBATH_MODE_CAPS: modeCaps }, playbook));
}

const TONES: Readonly<Record<Verdict, (text: string) => string>> = {
  contain: ink.red,
  approve: ink.yellow,
  observe: ink.cyan,
  record: ink.dim,
  ignore: ink.dim,
  rejected: ink.magenta,
};

/** `contain   quarantine-bucket public    PutBucketPolicy    The bucket's policy was made public: …` */
function textOf(decision: Decision, config: Config | null, explain: boolean): string {
  const { decision: verdict, playbook, inputs, type, reason, suppressedBy } = decision;
  const level = inputs?.['level'] ?? inputs?.['scope'];
  const what = playbook === null ? '-' : `${playbook}${typeof level === 'string' ? ` ${level}` : ''}`;
  const effective = config && cappedBy(config, decision);
  const changed = effective !== null && effective !== verdict ? ` → ${effective}` : '';
  const words = `${TONES[verdict](`${verdict}${changed}`.padEnd(config ? 18 : 8))}  ${what.padEnd(26)}  ${line(type ?? '-').padEnd(32)}  ${line(reason)}${suppressedBy === null ? '' : ` [${line(suppressedBy)}]`}`;
  return explain ? [words, ...explanation(decision)].join('\n') : words;
}

function explanation({ checks }: Decision): readonly string[] {
  if (checks.length === 0) return [ink.dim('          no trigger matched')];
  return checks.flatMap(({ trigger, target, matched, predicates }) => [
    `          ${matched ? ink.green('yes') : ink.dim('no ')}  ${trigger}  ${ink.dim(line(target))}`,
    ...predicates.map(({ name, holds, because }) => `               ${holds ? 'yes' : 'no '}  ${name}${because === '' ? '' : `: ${line(because)}`}`),
  ]);
}

const ORDER: readonly Verdict[] = ['contain', 'approve', 'observe', 'record', 'ignore', 'rejected'];

function summaryOf(counts: ReadonlyMap<Verdict, number>): string {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const parts = ORDER.flatMap((verdict) => (counts.has(verdict) ? [`${counts.get(verdict) ?? 0} ${verdict}`] : []));
  return `${total} ${total === 1 ? 'event' : 'events'}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
}
