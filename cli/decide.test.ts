import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { register } from './decide.ts';

const ACCOUNT = '111122223333';
const statement = { Sid: 'PublicRead', Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::photos/*' };
const makePublic = { eventID: 'e-1', eventSource: 's3.amazonaws.com', eventName: 'PutBucketPolicy', eventTime: '2026-01-01T00:00:00Z', awsRegion: 'us-east-1', recipientAccountId: ACCOUNT, requestParameters: { bucketName: 'photos', bucketPolicy: { Statement: [statement] } } };
const calm = { ...makePublic, eventID: 'e-2', eventName: 'GetBucketPolicy' };

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'decide-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
  process.exitCode = undefined;
});

function file(name: string, content: string | Buffer | object): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content));
  return path;
}

async function run(...args: readonly string[]): Promise<{ readonly lines: readonly string[]; readonly summary: string; readonly exit: unknown }> {
  const written = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      written[stream] += String(text);
      return true;
    });
  }
  const program = new Command('stopbath').exitOverride();
  register(program);
  await program.parseAsync(['decide', ...args], { from: 'user' });
  vi.restoreAllMocks();
  return { lines: written.stdout.split('\n').filter(Boolean), summary: written.stderr, exit: process.exitCode };
}

describe('stopbath decide', () => {
  it('prints one JSON object an event, in order, with these keys and no others', async () => {
    const { lines, summary, exit } = await run('--json', file('a.json', [makePublic, calm]));
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      event: 'e-1',
      source: 'cloudtrail',
      type: 'PutBucketPolicy',
      decision: 'contain',
      playbook: 'quarantine-bucket',
      inputs: { level: 'public' },
      targets: ['arn:aws:s3:::photos'],
      suppressedBy: null,
      reason: `The bucket's policy was changed, and the bucket is public: photos: anyone can read objects (policy statement "PublicRead").`,
    });
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ event: 'e-2', decision: 'ignore', playbook: null, inputs: null });
    expect(summary).toBe('2 events: 1 contain, 1 ignore\n');
    expect(exit).toBeUndefined();
  });

  it('reads log files, gzipped ones, NDJSON and findings, one file after another', async () => {
    const log = file('log.json.gz', gzipSync(JSON.stringify({ Records: [makePublic, calm] })));
    const lines = file('events.ndjson', `${JSON.stringify(calm)}\n{"Records":[${JSON.stringify(makePublic)}]}\n`);
    const findings = file('findings.json', { Findings: [{ Id: 'f', Type: 'Recon:EC2/Portscan', Severity: 5, Resource: {}, Service: {} }] });
    const { lines: out } = await run('--json', log, lines, findings);
    expect(out.map((text) => JSON.parse(text).decision)).toEqual(['contain', 'ignore', 'ignore', 'contain', 'observe']);
  });

  it('ends with 1 where a line is no event, and goes on', async () => {
    const { lines, summary, exit } = await run('--json', file('a.ndjson', `{broken\n${JSON.stringify(calm)}\n`));
    expect(lines.map((text) => JSON.parse(text).decision)).toEqual(['rejected', 'ignore']);
    expect(lines[0]).toContain('not JSON: {broken');
    expect(summary).toBe('2 events: 1 ignore, 1 rejected\n');
    expect(exit).toBe(1);
  });

  it('takes what is known of buckets from --state', async () => {
    const block = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };
    const { lines } = await run('--json', '--state', file('state.json', [{ bucket: 'photos', publicAccessBlock: block }]), file('a.json', makePublic));
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ decision: 'ignore', reason: expect.stringContaining('kept closed by Block Public Access') });
    const lifted = await run('--json', '--state', file('all.json', [{ bucket: 'photos', account: ACCOUNT, policy: { Statement: [statement] } }, { bucket: 'logs', policy: null, acl: null }]), file('b.json', { ...makePublic, eventName: 'DeleteAccountPublicAccessBlock', requestParameters: {} }));
    expect(JSON.parse(lifted.lines[0] ?? '')).toMatchObject({ decision: 'contain', targets: [`arn:aws:iam::${ACCOUNT}:root`, 'arn:aws:s3:::photos'] });
  });

  it('shows with --config what configuration makes of it', async () => {
    const suppression = { id: 'press', pattern: { target: { name: ['photos'] } }, owner: 'rosa', reason: 'press kit', expires: '2999-01-01T00:00:00Z' };
    const event = file('a.json', makePublic);
    expect(JSON.parse((await run('--json', '--config', file('c.json', {}), event)).lines[0] ?? '')).toMatchObject({ decision: 'contain', effective: 'observe' });
    const accepted = file('s.json', { paused: null, suppressions: [{ ...suppression, by: 'arn:aws:sts::111122223333:assumed-role/responder/rosa', at: '2026-01-01T00:00:00Z' }] });
    expect(JSON.parse((await run('--json', '--config', file('d.json', { modeCap: 'approve' }), '--suppressions', accepted, event)).lines[0] ?? '')).toMatchObject({ decision: 'record', effective: 'record', suppressedBy: 'press' });
    const staged = file('e.json', { modeCap: 'observe', stages: { prod: { modeCaps: { 'quarantine-bucket': 'approve' } } } });
    expect(JSON.parse((await run('--json', '--config', staged, '--stage', 'prod', event)).lines[0] ?? '')).toMatchObject({ decision: 'contain', effective: 'approve' });
  });

  it('reads the file that is deployed, so that a mistake in it is said and an account that is trusted is', async () => {
    const shared = { ...makePublic, requestParameters: { bucketName: 'photos', bucketPolicy: { Statement: [{ ...statement, Principal: { AWS: 'arn:aws:iam::444455556666:root' } }] } } };
    const event = file('a.json', shared);
    expect(JSON.parse((await run('--json', '--config', join(import.meta.dirname, '../stopbath.config.json'), event)).lines[0] ?? '')).toMatchObject({ decision: 'approve', effective: 'observe' });
    expect(JSON.parse((await run('--json', '--config', file('t.json', { trustedAccounts: ['444455556666'] }), event)).lines[0] ?? '')).toMatchObject({ decision: 'ignore' });
    await expect(run('--config', file('w.json', { suppressions: [] }), event)).rejects.toThrow('suppressions');
  });

  it('explains with --explain', async () => {
    const { lines } = await run('--explain', file('a.json', makePublic));
    expect(lines.map((text) => text.trim().replaceAll(/ {2,}/g, ' | '))).toEqual([
      `contain | quarantine-bucket public | PutBucketPolicy | The bucket's policy was changed, and the bucket is public: photos: anyone can read objects (policy statement "PublicRead").`,
      'yes | quarantine-bucket/bucket-policy | arn:aws:s3:::photos',
      'yes | exposed: photos: anyone can read objects (policy statement "PublicRead")',
      'no | quarantine-bucket/bucket-policy-shared | arn:aws:s3:::photos',
      'no | shared',
    ]);
  });

  it('writes nothing that a terminal obeys, and in JSON the value as it was', async () => {
    const evil = { Id: 'f\u001b[2J', Type: 'Object:S3/MaliciousFile', Severity: 8, Service: {}, Resource: { S3BucketDetails: [{ Name: 'photos', S3ObjectDetails: [{ Key: 'a\u202egpj.exe\u009b' }] }] } };
    const { lines } = await run('--json', file('a.json', evil));
    expect(lines[0]).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(JSON.parse(lines[0] ?? '').inputs.key).toBe('a\u202egpj.exe\u009b');
    expect((await run('--explain', file('b.json', evil))).lines.join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it.each([
    ['a file that is not there', ['nowhere.json'], 'nowhere.json cannot be read'],
    ['a state that is wrong', ['--state', 'STATE', 'x'], 'policy'],
    ['a configuration that is wrong', ['--config', 'CONFIG', 'x'], 'modeCap'],
  ])('says what is wrong with %s', async (_, args, message) => {
    const files = { STATE: file('s.json', { bucket: 'b', policy: 7 }), CONFIG: file('c.json', { modeCap: 'all' }) };
    await expect(run(...args.map((arg) => (arg === 'STATE' || arg === 'CONFIG' ? files[arg] : arg)))).rejects.toThrow(message);
  });
});
