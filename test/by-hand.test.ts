import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../cli/main.ts';
import { recordText } from '../core/evidence.ts';
import { withDigest } from '../core/plan.ts';
import { sealKey } from '../core/seal.ts';
import { BEGIN, chainFiles, HOUR, makeKey } from './evidence/chain.ts';

/** The recipe of docs/verify-by-hand.md, and `stopbath verify --offline`, over the same folder: they agree. */
const ROOT = join(import.meta.dirname, '..');
const recipe = /```sh\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, 'docs/verify-by-hand.md'), 'utf8'))?.[1] ?? '';
const until = new Date(BEGIN + 9 * HOUR).toISOString();
const [ours, theirs] = [makeKey(), makeKey()];
const kinds = (seal: number) => (seal === 4 ? [] : (['snapshot', 'outcome', 'decisions'] as const));
const hasTools = ['openssl', 'sha256sum', 'sh'].every((tool) => spawnSync(tool, [tool === 'openssl' ? 'version' : '--version'], { stdio: 'ignore' }).error === undefined);
if (!hasTools) process.stdout.write('openssl or sha256sum is not installed: the recipe of docs/verify-by-hand.md was not run\n');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'stopbath-by-hand-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const CASES = [
  { what: 'nothing was done', change: () => undefined, exit: 0, says: /^intact until 2026-11-01T08:00:00\.000Z, next seal due 2026-11-01T10:00:00\.000Z$/m },
  { what: 'a record was altered', change: (dir: string) => writeFileSync(join(dir, 'records/outcome/r-3-1.json'), '{}'), exit: 1, says: /a record of seals\/0000000003\.jsonl is missing or altered/ },
  { what: 'a record is gone', change: (dir: string) => rmSync(join(dir, 'records/outcome/r-3-1.json')), exit: 1, says: /a record of seals\/0000000003\.jsonl is missing or altered/ },
  { what: 'a seal was altered', change: (dir: string) => edit(dir, sealKey(5), (text) => text.replace('"count":3', '"count":2')), exit: 1, says: /seals\/0000000005\.jsonl was changed/ },
  { what: 'a seal is gone', change: (dir: string) => rmSync(join(dir, sealKey(4))), exit: 1, says: /expected seal 4, found seals\/0000000005\.jsonl/ },
  { what: 'another key signed', change: (dir: string) => [...chainFiles({ seals: 8, kinds, signers: () => [theirs] })].forEach(([key, text]) => writeFileSync(join(dir, key), text)), exit: 1, says: /another key signed it/ },
  { what: 'there is one record more', change: (dir: string) => writeFileSync(join(dir, 'records/outcome/more.json'), '{"at":"2026-11-01T01:00:00.000Z"}'), exit: 0, verify: 1, says: /^not sealed: records\/outcome\/more\.json$/m },
] as const;

describe.each(CASES)('where $what', (one) => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(folder, 'case-'));
    write(dir, chainFiles({ seals: 8, kinds, signers: () => [ours] }));
    writeFileSync(join(folder, 'key.pem'), ours.pem);
    one.change(dir);
  });

  it.runIf(hasTools)('the recipe says so', () => {
    const { status, stdout } = byHand(dir, 'key.pem');
    expect(stdout).toMatch(one.says);
    expect(status).toBe(one.exit);
  });

  it('stopbath verify agrees', async () => {
    expect(await run(['verify', '--offline', dir, '--public-key', join(folder, 'key.pem'), '--until', until, '--json'])).toBe('verify' in one ? one.verify : one.exit);
    process.exitCode = 0;
  });
});

describe('where the key changed', () => {
  const rotated = (atThree: readonly (typeof ours)[]): string => {
    const dir = mkdtempSync(join(folder, 'rotated-'));
    write(dir, chainFiles({ seals: 8, kinds, signers: (seal) => (seal < 3 ? [ours] : seal === 3 ? atThree : [theirs]) }));
    writeFileSync(join(folder, 'key.pem'), ours.pem);
    writeFileSync(join(folder, 'new.pem'), theirs.pem);
    return dir;
  };

  it.runIf(hasTools)('the old key goes up to the seal that both signed, the new one on from there', () => {
    const dir = rotated([ours, theirs]);
    expect(byHand(dir, 'key.pem')).toMatchObject({ status: 1, stdout: expect.stringContaining('seals/0000000004.jsonl was changed, or another key signed it') });
    expect(byHand(dir, 'new.pem', '3')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^intact until 2026-11-01T08/) });
    writeFileSync(join(dir, 'records/outcome/r-7-1.json'), '{}');
    expect(byHand(dir, 'new.pem', '3')).toMatchObject({ status: 1, stdout: expect.stringContaining('a record of seals/0000000007.jsonl is missing or altered') });
  });

  it.runIf(hasTools)('a new key that the old one did not vouch for is found: the old one ends a seal earlier', () => {
    expect(byHand(rotated([theirs]), 'key.pem')).toMatchObject({ status: 1, stdout: expect.stringContaining('seals/0000000003.jsonl was changed, or another key signed it') });
  });

  it('stopbath verify needs the old key alone', async () => {
    expect(await run(['verify', '--offline', rotated([ours, theirs]), '--public-key', join(folder, 'key.pem'), '--until', until, '--json'])).toBe(0);
  });
});

it('stopbath verify --until a day means the whole day, as in every verb: the evening without a seal is missing', async () => {
  const dir = mkdtempSync(join(folder, 'day-'));
  write(dir, chainFiles({ seals: 8, kinds, signers: () => [ours] }));
  writeFileSync(join(folder, 'key.pem'), ours.pem);
  const verified = (day: string) => run(['verify', '--offline', dir, '--public-key', join(folder, 'key.pem'), '--until', day, '--json']);
  expect([await verified('2026-10-31'), await verified('2026-11-01')]).toEqual([0, 1]);
  process.exitCode = 0;
});

it.runIf(hasTools)('the digest of a recorded plan is what jq and sha256sum say', () => {
  if (spawnSync('jq', ['--version'], { stdio: 'ignore' }).error) return void process.stdout.write('jq is not installed: the recipe for plans in docs/audit.md was not run\n');
  const plan = withDigest({ incident: 'inc-1', playbook: 'quarantine-bucket', direction: 'contain', target: { kind: 'bucket', arn: 'arn:aws:s3:::ä', name: 'ä', account: '1', region: 'x' }, level: 'public', changes: [{ seq: 1, setting: 'policy', title: 'Deny "x"', before: null, after: { b: [1, 2.5, true], a: 'é\u001f\n</script>' } }], notes: ['n'], impact: {}, plannedAt: until });
  const file = join(folder, 'snapshot.json');
  writeFileSync(file, recordText({ schemaVersion: 1, kind: 'snapshot', id: 'x', incident: 'inc-1', at: until, drill: false, body: { plan } }).text);
  const command = /^ {4}(jq .*)records\/snapshot\S+ (.*)$/m.exec(readFileSync(join(ROOT, 'docs/audit.md'), 'utf8'));
  expect(execFileSync('sh', ['-c', `${command?.[1]}"$0" ${command?.[2]}`, file], { encoding: 'utf8' }).split(' ')[0]).toBe(plan.digest);
});

it.runIf(hasTools)('the fingerprint is what openssl and sha256sum say', () => {
  writeFileSync(join(folder, 'key.pem'), ours.pem);
  const said = execFileSync('sh', ['-c', 'openssl pkey -pubin -in "$0" -outform DER | sha256sum', join(folder, 'key.pem')], { encoding: 'utf8' });
  expect(said.split(' ')[0]).toBe(ours.fingerprint);
});

function byHand(dir: string, key: string, from = ''): { readonly status: number | null; readonly stdout: string } {
  return spawnSync('sh', ['-c', recipe], { env: { PATH: process.env['PATH'], LC_ALL: 'C', EVIDENCE: dir, PUBLIC_KEY: join(folder, key), ...(from === '' ? {} : { FROM: from }) }, encoding: 'utf8' });
}

function write(dir: string, files: Iterable<readonly [key: string, text: string]>): void {
  for (const [key, text] of files) {
    mkdirSync(dirname(join(dir, key)), { recursive: true });
    writeFileSync(join(dir, key), text);
  }
}

function edit(dir: string, key: string, change: (text: string) => string): void {
  writeFileSync(join(dir, key), change(readFileSync(join(dir, key), 'utf8')));
}
