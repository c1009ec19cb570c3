import { join } from 'node:path';
import { stackOf } from '../deploy/stack.ts';
import { play } from '../sandbox/scenario/play.ts';
import { readScenario, ROOT } from '../sandbox/scenario/scenario.ts';
import type { Account } from '../sandbox/account.ts';

/**
 * Dollars, us-east-1, first tier; free tiers are left out. Looked up on 2026-11-28. A KMS key's is on AWS's own page; the numbers of Lambda, S3, CloudWatch and of
 * KMS's signatures where others quote them, since AWS fills in the tables of its pages in the browser, and the copies that could be read have none:
 * cloudchipr.com/blog/aws-lambda-pricing, c3x.dev/blog/s3-request-fees-explained, c3x.dev/resources/aws/aws_cloudwatch_metric_alarm,
 * factualminds.com/blog/aws-kms-pricing-keys-requests-multi-region.
 */
const PRICES = {
  transitions: { each: 0.025 / 1000, what: 'Step Functions, state transitions', source: 'https://aws.amazon.com/step-functions/pricing/' },
  invocations: { each: 0.2 / 1_000_000, what: 'Lambda, requests', source: 'https://aws.amazon.com/lambda/pricing/' },
  gbSeconds: { each: 0.0000133334, what: 'Lambda, GB-seconds (arm64)', source: 'https://aws.amazon.com/lambda/pricing/' },
  writes: { each: 0.625 / 1_000_000, what: 'DynamoDB, writes', source: 'https://aws.amazon.com/dynamodb/pricing/on-demand/' },
  reads: { each: 0.125 / 1_000_000, what: 'DynamoDB, reads', source: 'https://aws.amazon.com/dynamodb/pricing/on-demand/' },
  puts: { each: 0.005 / 1000, what: 'S3, PUT and LIST', source: 'https://aws.amazon.com/s3/pricing/' },
  gets: { each: 0.0004 / 1000, what: 'S3, other requests', source: 'https://aws.amazon.com/s3/pricing/' },
} as const;
type Counted = Record<keyof typeof PRICES, number>;

/** An alarm costs by the metrics that it watches. */
const ALARMED = Object.values(stackOf(ROOT).alarms.Resources).reduce((sum, { Properties }) => sum + ('Metrics' in Properties && Array.isArray(Properties.Metrics) ? Properties.Metrics.filter((metric: object) => 'MetricStat' in metric).length : 1), 0);
/** What `reconcile` writes every quarter of an hour; the others are paid for the hours in which something happens. */
const OWN = 4;

/** What stands whether anything happens or not, a month. */
const STANDING: readonly (readonly [what: string, dollars: number, source: string])[] = [
  ['KMS, the key that signs seals', 1, 'https://aws.amazon.com/kms/pricing/'],
  ['KMS, a signature an hour (0.15 for 10,000)', (730 * 0.15) / 10_000, 'https://aws.amazon.com/kms/pricing/'],
  [`CloudWatch, ${ALARMED} metrics with alarms (0.10 each)`, ALARMED * 0.1, 'https://aws.amazon.com/cloudwatch/pricing/'],
  [`CloudWatch, ${OWN} own metrics (0.30 each)`, OWN * 0.3, 'https://aws.amazon.com/cloudwatch/pricing/'],
];

/** An item may take several units: 1 KB a write, 4 KB a read; a query reads what it finds. Indexes are written too. */
const UNITS = { writes: 3, reads: 2 };
/** Each item of a transaction is written twice. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html (Capacity management) */
const TRANSACTED = 2;
/** What a cold start and a slower processor than this one's add to what was measured. */
const SLOWER = 3;

const SCENARIOS = ['quarantine-bucket/public-bucket', 'quarantine-bucket/new-install', 'revoke-share-links/leaked-album'];

export interface Cost {
  /** The scenario that was played: `quarantine-bucket/public-bucket`. */
  readonly scenario: string;
  readonly lines: readonly { readonly what: string; readonly count: number; readonly dollars: number; readonly source: string }[];
  readonly dollars: number;
}

/** What an incident costs: the calls of a drill are counted in the sandbox, and multiplied by AWS's prices. */
export async function countCosts(names: readonly string[] = SCENARIOS): Promise<readonly Cost[]> {
  const costs: Cost[] = [];
  for (const scenario of names) {
    const [playbook = '', file = ''] = scenario.split('/');
    let counted: Omit<Counted, 'transitions'> | undefined;
    const { ok, transitions } = await play(readScenario(join(ROOT, 'workflows', playbook, 'scenarios', `${file}.json`)), { clock: 'skipping', onEnd: (account) => void (counted = countOf(account)) });
    if (!ok || !counted) throw new Error(`the drill ${scenario} did not end as it says: nothing to count`);
    const counts = { ...counted, transitions };
    const lines = Object.entries(PRICES).map(([kind, { each, what, source }]) => ({ what, count: counts[kind as keyof Counted], dollars: counts[kind as keyof Counted] * each, source }));
    costs.push({ scenario, lines, dollars: lines.reduce((sum, { dollars }) => sum + dollars, 0) });
  }
  return costs;
}

/** @param args - scenarios, three usual ones unless told; `--json` */
export async function run(args: readonly string[]): Promise<boolean> {
  const names = args.filter((arg) => arg !== '--json');
  const costs = await countCosts(names.length > 0 ? names : SCENARIOS);
  const standing = STANDING.map(([what, dollars, source]) => ({ what, dollars, source }));
  if (args.includes('--json')) {
    console.log(JSON.stringify({ costs, standing }, null, 2));
    return true;
  }
  for (const { scenario, lines, dollars } of costs) {
    console.log(`\n${scenario}, one incident`);
    for (const line of lines) console.log(`  ${line.what.padEnd(36)} ${String(Math.round(line.count * 10) / 10).padStart(8)}  ${line.dollars.toFixed(6)}  ${line.source}`);
    console.log(`  ${'dollars'.padEnd(36)} ${''.padStart(8)}  ${dollars.toFixed(6)}`);
  }
  console.log('\nA month, whatever happens');
  for (const { what, dollars, source } of standing) console.log(`  ${what.padEnd(46)} ${dollars.toFixed(2)}  ${source}`);
  console.log(`\n${NOTE}`);
  return true;
}

export const NOTE = `DynamoDB calls count as ${UNITS.writes} units a write (indexes, items over 1 KB), an item of a transaction as ${TRANSACTED} writes, and ${UNITS.reads} a read; GB-seconds are ${SLOWER} times what this machine took.`;

/** The rows that docs/performance.md has too. */
export function rowsOf(costs: readonly Cost[]): readonly [head: readonly string[], rows: readonly (readonly string[])[]] {
  const [first] = costs;
  return [
    ['one incident', ...(first?.lines.map(({ what }) => what) ?? []), 'dollars'],
    costs.map(({ scenario, lines, dollars }) => [scenario, ...lines.map(({ count }) => String(Math.round(count * 10) / 10)), dollars.toFixed(4)]),
  ];
}

function countOf({ calls, lambda }: Account): Omit<Counted, 'transitions'> {
  const own = calls.filter(({ principalArn, status }) => status < 400 && principalArn?.includes(':role/stopbath-') === true);
  const of = (service: string, pattern: RegExp) => own.filter((call) => call.service === service && pattern.test(call.operation)).length;
  const puts = of('s3', /^(Put|List)/);
  // What a transaction asks for is one permission an item.
  const transacted = own.reduce((sum, { operation, needs }) => sum + (operation === 'TransactWriteItems' ? needs.length : 0), 0);
  return {
    invocations: lambda.invocations.length,
    gbSeconds: lambda.invocations.reduce((sum, { ms, memoryMb }) => sum + (SLOWER * ms * memoryMb) / 1024 / 1000, 0),
    writes: (of('dynamodb', /^(Put|Update|Delete)/) + transacted * TRANSACTED) * UNITS.writes,
    reads: of('dynamodb', /^(Get|Query|BatchGet)/) * UNITS.reads,
    puts,
    gets: of('s3', /./) - puts,
  };
}
