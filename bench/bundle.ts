import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { buildFunctions, kilobytes } from '../deploy/build.ts';

const RUNS = 9;
const MARK_KB = 500;
/** From the start of Node to the loaded module, ms. */
const MARKS: Readonly<Record<string, number>> = { triage: 80, 'quarantine-bucket-apply': 120, 'revoke-share-links-apply': 120 };

const SDK = "the SDK's clients register every error of their service as they are imported, used or not";
/** Bundles over the mark, and why they may be. */
const LARGER: Readonly<Record<string, string>> = {
  archive: 'reads executions (Step Functions), what code ran (Lambda), and writes to S3: four clients',
  'quarantine-bucket-verify': 'reads all settings of a bucket (S3), of its account (S3 Control), and asks as the probe (STS): four clients',
  'quarantine-bucket-apply': 'reads and changes all settings of a bucket (S3), and of its account (S3 Control)',
  'contain-principal-plan': 'reads users, roles and what uses them (IAM, Lambda), links, and keeps a snapshot (S3): four clients',
  reconcile: 'asks GuardDuty, CloudTrail and Step Functions, as members (STS), and invokes triage (Lambda): six clients',
  respond: 'takes every request of a responder: starts (Step Functions), plans (Lambda), redrives (SQS), 50 KB of it rules of approval',
  'quarantine-bucket-plan': 'reads all settings of a bucket (S3), of its account (S3 Control), counts objects (CloudWatch) and links: four clients',
  'revoke-share-links-apply': `changes S3, CloudFront, IAM and Parameter Store; ${SDK}: CloudFront has 150 of them, Systems Manager 140`,
  'revoke-share-links-plan': `reads what apply changes, and brings the same clients; ${SDK}`,
  'revoke-share-links-verify': `asks as everybody whom apply shuts out, with the same clients; ${SDK}`,
  ticket: 'writes to every tracker there is (Systems Manager, GuardDuty, SNS) in each one\'s markup; it runs after containment, which does not wait for it',
  triage: 'decides about every kind of event itself (70 KB of it are rules), reads buckets (S3, S3 Control) and starts playbooks',
};

/** Each function's minified size and how long its module takes to load, bare Node beside it: the median of several processes. */
export async function run(): Promise<boolean> {
  const root = join(import.meta.dirname, '..');
  const bundles = await buildFunctions(root);
  const bare = startOf(['--eval', '']);
  console.log(`Node ${process.versions.node}, the median of ${RUNS} processes each; bare Node starts in ${bare.toFixed(0)} ms\n`);
  console.log('function                       size  gzipped  process  of it the module');
  let held = true;
  for (const { name, bytes, gzipped, largest } of bundles) {
    const ms = startOf([join(root, 'dist', name, 'handler.mjs')]);
    const mark = MARKS[name];
    const large = bytes > MARK_KB * 1024;
    const missed = [...(mark !== undefined && ms > mark ? [`over ${mark} ms`] : []), ...(large && LARGER[name] === undefined ? [`over ${MARK_KB} KB, without a reason in bench/bundle.ts`] : [])];
    held &&= missed.length === 0;
    console.log(`${name.padEnd(26)} ${kilobytes(bytes).padStart(8)} ${kilobytes(gzipped).padStart(8)} ${ms.toFixed(0).padStart(5)} ms ${(ms - bare).toFixed(0).padStart(13)} ms   ${missed.length > 0 ? `MISSED: ${missed.join(', ')}` : large ? LARGER[name] : `largest: ${largest}`}`);
  }
  return held;
}

/** The median, ms. */
function startOf(args: readonly string[]): number {
  const times = Array.from({ length: RUNS }, () => {
    const started = performance.now();
    const { status, stderr } = spawnSync(process.execPath, args, { env: {}, encoding: 'utf8' });
    if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`);
    return performance.now() - started;
  }).toSorted((one, other) => one - other);
  return times[Math.floor(RUNS / 2)] ?? Infinity;
}
