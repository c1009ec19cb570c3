import { InvalidArgumentError, type Command } from 'commander';
import { askSuppress, type Person } from './api.ts';
import { CliError, EXIT } from './exit.ts';
import { momentOf, WHEN } from './period.ts';
import { say, sayJson } from './terminal.ts';

interface Options extends Person {
  readonly bucket?: string;
  readonly type?: string;
  readonly pattern?: Readonly<Record<string, unknown>>;
  readonly owner: string;
  readonly reason: string;
  readonly expires: string;
  readonly json?: true;
}

/** `stopbath suppress <id>`: an exposure that somebody accepts, until a day. */
export function register(program: Command): void {
  program
    .command('suppress')
    .description('accept an exposure until a day: its signals are recorded and start nothing')
    .argument('<id>', 'what it is called: thumbnails-public')
    .option('--bucket <name>', 'signals about this bucket')
    .option('--type <type>', 'signals of this type: Policy:S3/BucketAnonymousAccessGranted, PutBucketPolicy')
    .option('--pattern <json>', 'an EventBridge pattern over { source, type, severity, account, region, target: { kind, arn, name }, actor: { principal, address } }', object)
    .requiredOption('--owner <text>', 'who answers for it')
    .requiredOption('--reason <text>', 'why it is accepted')
    .requiredOption('--expires <when>', `until when, at most a year: ${WHEN.ahead}; a day is included whole`)
    .option('--json', 'print the suppression as JSON')
    .option('--as <person>', 'sign as a person of the sandbox: rosa, ravi')
    .addHelpText(
      'after',
      '\nExamples:\n  $ stopbath suppress thumbnails --bucket family-thumbnails-111122223333 --owner "web team" --reason "public on purpose" --expires 90d --as rosa\n  $ stopbath suppress scans --pattern \'{"type":[{"prefix":"Discovery:S3/"}],"actor":{"address":[{"cidr":"198.51.100.0/24"}]}}\' --owner security --reason "our scanner" --expires 2027-01-31\n\nIt acts on what arrives from now on; incidents that are open stay open. End it with: stopbath unsuppress <id> --reason "…".\nAsks through STOPBATH_RESPOND_URL, signed with your AWS credentials; only responders may.',
    )
    .action(async (id: string, options: Options) => {
      const { owner, reason } = options;
      const expires = momentOf('--expires', options.expires, Date.now(), { end: true, reach: 'ahead' });
      const made = await askSuppress({ id, pattern: patternOf(options), owner, reason, expires }, options);
      if (options.json) return sayJson(made);
      say(`${made.id} is in force until ${made.expires}: matching signals are recorded and start nothing. See all: stopbath suppressions`);
    });
}

function patternOf({ bucket, type, pattern }: Options): Readonly<Record<string, unknown>> {
  const short = { ...(type === undefined ? {} : { type: [type] }), ...(bucket === undefined ? {} : { target: { kind: ['bucket'], name: [bucket] } }) };
  if (pattern !== undefined && Object.keys(short).length > 0) throw new CliError(EXIT.usage, '--pattern is given with --bucket or --type: put all of it into the pattern');
  if (pattern === undefined && Object.keys(short).length === 0) throw new CliError(EXIT.usage, 'nothing says what is accepted: give --bucket, --type or --pattern');
  return pattern ?? short;
}

function object(text: string): Readonly<Record<string, unknown>> {
  const parsed = parse(text);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new InvalidArgumentError(`must be a JSON object: '{"type":["PutBucketPolicy"]}'`);
  return { ...parsed };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
