import { Option, type Command } from 'commander';
import { writeFile } from 'node:fs/promises';
import type { Person } from './api.ts';
import { FORMATS, writeExport, type Exported, type Format } from './audit/export.ts';
import { countIncidents, readSeals, walkDecisions, walkIncidents } from './audit/walk.ts';
import { CliError, EXIT } from './exit.ts';
import { filterOptions, filterQuery, type FilterOptions } from './history-filter.ts';
import { jsonText, say, sayJson, tell } from './terminal.ts';
import { count } from './words.ts';

interface Options extends Person, FilterOptions {
  readonly format: Format;
  readonly out?: string;
  readonly json?: true;
}

/** `stopbath export`: everything on record about a period, as a file, with a count that says whether it is all. */
export function register(program: Command): void {
  filterOptions(program.command('export').description('write everything on record about a period to a file'))
    .addOption(new Option('--format <format>', 'one JSON value a line, a table for a spreadsheet, or one page to read and print').choices(FORMATS).makeOptionMandatory())
    .option('--out <file>', 'where to; - for stdout (default: stopbath-<since>-<until>.<format>)')
    .option('--json', 'print what was exported as JSON: { file, incidents, decisions, complete, seals, numbers, … }')
    .option('--as <person>', 'sign as a person of the sandbox: rosa, ravi, ada')
    .addHelpText('after', '\nExamples:\n  $ stopbath export --since 2026-10-01 --until 2026-12-31 --format html --as ada\n  $ stopbath export --since 30d --format csv --no-drill --out incidents.csv\n  $ stopbath export --since 7d --format ndjson --out - | jq -r \'select(.line == "decision") | .reason\'\n\nReads through STOPBATH_AUDIT_URL, signed with your AWS credentials. Beside the file lies <file>.manifest.json: counts, the SHA-256 of\nthe file, the seals that cover it. Exit code 0 only where every incident that the index counts is in the file.')
    .action(async (options: Options) => {
      const exported = await run(options);
      const { incidents, complete } = exported;
      if (!complete) throw new CliError(EXIT.no, `not complete: ${incidents.exported} of ${count(incidents.expected, 'incident')} are in the export; ask again, and if it stays so, compare with stopbath history`);
    });
}

async function run(options: Options): Promise<Exported> {
  const { since } = options;
  if (since === undefined) throw new CliError(EXIT.usage, '--since is missing: say from when, like --since 2026-10-01 or --since 30d');
  const now = Date.now();
  const startedAt = new Date(now).toISOString();
  // Both ends stand still while it is read: what arrives meanwhile is the next export's.
  const asked = filterQuery(options, now);
  const until = asked['until'] === undefined || asked['until'] > startedAt ? startedAt : asked['until'];
  const period = { since: asked['since'] ?? '', until };
  if (period.since >= until) throw new CliError(EXIT.usage, `--since is ${JSON.stringify(since)}: it must be before ${until === startedAt ? 'now' : `--until, ${until}`}`);
  const question: Readonly<Record<string, string>> = { ...asked, until };
  const filtered = ['playbook', 'target', 'actor', 'status', 'mode', 'drill'].some((name) => name in question);
  const path = options.out ?? `stopbath-${period.since.slice(0, 10)}-${lastDayOf(until)}.${options.format}`;
  const exported = await writeExport(path, options.format, {
    question,
    startedAt,
    incidents: walkIncidents(question, options),
    decisions: filtered ? null : walkDecisions(period, options),
    count: () => countIncidents(question, options),
    seals: () => readSeals(period, new Date().toISOString(), options),
  });
  const manifest = { format: options.format, startedAt, question, ...exported };
  if (path !== '-') await writeFile(`${path}.manifest.json`, `${jsonText(manifest)}\n`);
  tellEnd(path, exported, options);
  return exported;
}

/** The end is not included: a span until midnight has its last day before. */
function lastDayOf(until: string): string {
  return new Date(Date.parse(until) - 1).toISOString().slice(0, 10);
}

function tellEnd(path: string, exported: Exported, { json }: Options): void {
  const { file, incidents, decisions, complete, records, seals } = exported;
  if (json && path !== '-') return sayJson({ out: path, ...exported });
  const lines = [
    `${complete ? 'complete' : 'NOT complete'}: ${incidents.exported} of ${count(incidents.expected, 'incident')}${decisions === null ? '' : `, ${count(decisions, 'decision')}`}`,
    seals.length === 0 ? 'no seal covers them yet' : `${count(records, 'record')} of them in the evidence bucket, under ${count(seals.length, 'seal')}: ${seals[0]?.number} to ${seals.at(-1)?.number}`,
    `SHA-256 ${file.sha256}  ${path}`,
  ];
  if (path === '-') return tell(...lines);
  say(...lines, `Manifest: ${path}.manifest.json`);
}
