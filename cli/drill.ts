import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { ScenarioResult } from '../sandbox/scenario/result.ts';
import { CliError, EXIT } from './exit.ts';
import { changesText } from './incident-text.ts';
import { reportOfScenario, writeReport } from './report/report.ts';
import { summarize } from './summary.ts';
import { facts, table } from './table.ts';
import { heading, ink, line, say, sayJson } from './terminal.ts';
import { timelineSince, toned } from './timeline.ts';
import { count, duration } from './words.ts';

const DEFAULT_SCENARIO = 'quarantine-bucket/public-bucket';

interface Options {
  readonly list?: true;
  readonly all?: true;
  readonly fast?: true;
  readonly json?: true;
  readonly out: string;
}

/** `stopbath drill`: plays an attack in a sandbox of its own and shows how it was contained, proven and undone. */
export function register(program: Command): void {
  program
    .command('drill')
    .description('play an attack in a sandbox and watch it being contained')
    .argument('[scenario]', `a scenario by name, or a scenario file (default: ${DEFAULT_SCENARIO})`)
    .option('--list', 'list the scenarios')
    .option('--all', 'play all of them, with --fast')
    .option('--fast', 'skip waits: times are those of the sandbox')
    .option('--json', 'print one JSON object { scenario, ok, incidents, timeline, probes, timings, report, … }')
    .option('--out <dir>', 'where the HTML report goes', 'reports')
    .addHelpText('after', '\nExamples:\n  $ stopbath drill\n  $ stopbath drill --list\n  $ stopbath drill quarantine-bucket/public-bucket --json | jq .timings\n\nNeeds no AWS account and no credentials. Exit code 0 only where every expectation of the scenario held.')
    .action(async (scenario: string | undefined, options: Options) => {
      const files = await scenarios();
      if (options.list) return list(files, options);
      if (options.all) return await playAll(files, options);
      const result = await play(find(files, scenario ?? DEFAULT_SCENARIO), options.fast === true, options.json ? null : sayBeginning);
      const report = await saveReport(result, options.out);
      if (options.json) sayJson({ ...result, report });
      else sayEnd(result, report);
      process.exitCode = result.ok ? EXIT.ok : EXIT.no;
    });
}

interface ScenarioFile {
  /** `<playbook>/<name>` */
  readonly name: string;
  readonly path: string;
}

async function scenarios(): Promise<readonly ScenarioFile[]> {
  const { scenarioFiles } = await import('../sandbox/scenario/scenario.ts');
  return scenarioFiles().map((path) => ({ name: `${basename(dirname(dirname(path)))}/${basename(path, '.json')}`, path }));
}

async function list(files: readonly ScenarioFile[], options: Options): Promise<void> {
  const { readScenario } = await import('../sandbox/scenario/scenario.ts');
  const rows = files.map(({ name, path }) => ({ scenario: name, title: readScenario(path).title }));
  if (options.json) sayJson({ scenarios: rows });
  else say(table(['scenario', 'what happens'], rows.map(({ scenario, title }) => [scenario, title])), '', '  Play one: stopbath drill <scenario>');
}

/** By its full name, by its own name where only one playbook has it, or as a file. */
function find(files: readonly ScenarioFile[], wanted: string): ScenarioFile {
  const named = files.filter(({ name }) => name === wanted || basename(name) === wanted);
  if (named.length > 1) throw new CliError(EXIT.usage, `scenario ${JSON.stringify(wanted)} is in several playbooks: say ${named.map(({ name }) => name).join(' or ')}`);
  if (named[0]) return named[0];
  if (wanted.endsWith('.json') && existsSync(wanted)) return { name: wanted, path: resolve(wanted) };
  const near = files.filter(({ name }) => name.includes(wanted)).map(({ name }) => name);
  throw new CliError(EXIT.usage, `there is no scenario ${JSON.stringify(wanted)}${near.length > 0 ? ` (did you mean ${near.slice(0, 3).join(' or ')}?)` : ''}; stopbath drill --list shows them`);
}

async function play(file: ScenarioFile, fast: boolean, beginning: ((file: ScenarioFile) => (entry: ScenarioResult['timeline'][number]) => void) | null): Promise<ScenarioResult> {
  const [{ playScenario }, { ScenarioError }] = await Promise.all([import('../sandbox/scenario/play.ts'), import('../sandbox/scenario/scenario.ts')]);
  try {
    const onLine = beginning?.(file);
    return await playScenario(file.path, { clock: fast ? 'skipping' : 'real', ...(onLine ? { onLine } : {}) });
  } catch (error) {
    if (error instanceof ScenarioError) throw new CliError(EXIT.usage, error.message, { cause: error });
    throw error;
  }
}

function sayBeginning(file: ScenarioFile): (entry: ScenarioResult['timeline'][number]) => void {
  say(heading(`Drill ${file.name}`), ink.dim('  An account in a box on this machine; the attack, the requests and the answers are real.'), '');
  const text = timelineSince();
  return (entry) => say(text(entry));
}

async function saveReport(result: ScenarioResult, out: string): Promise<string> {
  const path = join(out, `${result.scenario}.html`);
  await writeReport(path, reportOfScenario(result));
  return path;
}

function sayEnd(result: ScenarioResult, report: string): void {
  for (const view of result.incidents) {
    for (const plan of view.plans) {
      const done = view.ledger.some((entry) => entry.digest === plan.digest);
      say(heading(`${done ? 'Changed' : 'Planned, not done'} to ${plan.direction} ${line(view.incident.target.name)}: ${count(plan.changes.length, 'change')}`), ...changesText(plan.changes));
      for (const note of plan.notes) say('', `  ${ink.dim('Note')}  ${line(note)}`);
    }
  }
  const { headline, tone, times } = summarize(result.incidents, result.timings);
  if (times.length > 0) say(heading('How long it took'), ...facts(times));
  say(heading('What had to be true'), ...expectationLines(result));
  say('', toned(tone, ink.bold(headline)), `The drill took ${duration(result.timings.total)}; ${verdict(result)}`, `Report: ${report}`);
}

function expectationLines(result: ScenarioResult): readonly string[] {
  return result.expectations.map(({ what, held, found }) => `  ${held ? ink.green('✓') : ink.red('✗')} ${line(what)}${found === '' ? '' : ink.dim(`  ${line(found)}`)}`);
}

function verdict({ expectations }: ScenarioResult): string {
  const missed = expectations.filter(({ held }) => !held).length;
  return missed === 0 ? `all ${count(expectations.length, 'expectation')} held` : ink.red(`${missed} of ${count(expectations.length, 'expectation')} did not hold`);
}

/** One line a scenario, and what did not hold under it. */
async function playAll(files: readonly ScenarioFile[], options: Options): Promise<void> {
  const width = Math.max(...files.map(({ name }) => name.length));
  const results: (ScenarioResult & { readonly report: string })[] = [];
  for (const file of files) {
    const result = await play(file, true, null);
    results.push({ ...result, report: await saveReport(result, options.out) });
    if (options.json) continue;
    say(`  ${result.ok ? ink.green('✓') : ink.red('✗')} ${file.name.padEnd(width)}  ${line(result.title)}`);
    if (!result.ok) say(...expectationLines({ ...result, expectations: result.expectations.filter(({ held }) => !held) }).map((row) => `    ${row}`));
  }
  const failed = results.filter(({ ok }) => !ok).length;
  if (options.json) sayJson({ ok: failed === 0, scenarios: results });
  else say('', failed === 0 ? ink.green(`${count(results.length, 'scenario')}, all as expected`) : ink.red(`${failed} of ${count(results.length, 'scenario')} not as expected`), `Reports: ${options.out}`);
  process.exitCode = failed === 0 ? EXIT.ok : EXIT.no;
}
