import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readRawSettings } from '../../sandbox/scenario/settings.ts';
import { PEOPLE } from '../../sandbox/photos/people.ts';
import { root, startSuite, type Suite } from './suite.ts';

const CLI = join(import.meta.dirname, '../../cli/main.ts');
const BUCKET = 'family-photos-111122223333';
let suite: Suite;
let env: Record<string, string>;
let folder: string;

beforeAll(async () => {
  suite = await startSuite();
  folder = mkdtempSync(join(tmpdir(), 'stopbath-terminal-'));
  const { audit = '', respond = '' } = suite.deployment.urls;
  const people = await Promise.all(PEOPLE.filter((one) => one === 'rosa' || one === 'ravi' || one === 'ada').map(async (person) => {
    const { accessKeyId, secretAccessKey, sessionToken = '' } = await suite.photos.credentialsOf(person);
    const prefix = `${person.toUpperCase()}_AWS_`;
    return { [`${prefix}ACCESS_KEY_ID`]: accessKeyId, [`${prefix}SECRET_ACCESS_KEY`]: secretAccessKey, [`${prefix}SESSION_TOKEN`]: sessionToken };
  }));
  env = Object.assign({ PATH: process.env['PATH'] ?? '', HOME: folder, TERM: 'xterm', AWS_REGION: 'us-east-1', STOPBATH_AUDIT_URL: audit, STOPBATH_RESPOND_URL: respond }, ...people);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await suite.stop();
});

interface Ended {
  readonly text: string;
  readonly code: number;
}

/** Types a command line into a terminal, and what it is asked for. `null` where this machine has no pseudo-terminal. */
async function typed(args: readonly string[], question = '', answer = ''): Promise<Ended | null> {
  const pty = await import('@lydell/node-pty').catch(() => null);
  if (!pty) {
    process.stdout.write('not run: the command line on a pseudo-terminal (@lydell/node-pty has no build for this machine)\n');
    return null;
  }
  return await new Promise((resolve) => {
    const terminal = pty.spawn(process.execPath, [CLI, ...args], { cols: 250, rows: 60, env });
    let text = '';
    let asked = false;
    terminal.onData((data) => {
      text += data;
      if (question === '' || asked || !text.includes(question)) return;
      asked = true;
      terminal.write(`${answer}\r`);
    });
    terminal.onExit(({ exitCode }) => resolve({ text, code: exitCode }));
  });
}

/** The same in a pipe, where nobody can type. */
async function piped(...args: readonly string[]): Promise<Ended> {
  return await new Promise((resolve) => {
    const child = execFile(process.execPath, [CLI, ...args], { env }, (error, stdout, stderr) => resolve({ text: stdout + stderr, code: typeof error?.code === 'number' ? error.code : 0 }));
    child.stdin?.end();
  });
}

it('plan, start, approve by another, drift, restore: on a terminal', async (context) => {
  const before = await readRawSettings({ endpoint: suite.account.endpoint, region: 'us-east-1', credentials: suite.account.admin, now: Date.now() }, BUCKET);
  const file = join(folder, 'plan.json');
  const plan = await typed(['plan', 'quarantine-bucket', '--bucket', BUCKET, '--level', 'external', '--out', file, '--as', 'rosa']);
  if (!plan) return context.skip();
  expect(plan.text).toMatch(/Deny everyone outside[\s\S]*it would wait for an approval/);
  const digest = /Digest\S*\s+([0-9a-f]{64})/.exec(stripVTControlCharacters(plan.text))?.[1] ?? '';

  const started = await typed(['start', 'quarantine-bucket', '--bucket', BUCKET, '--level', 'external', '--plan', file, '--reason', 'the album leaked', '--as', 'rosa']);
  expect(started).toMatchObject({ code: 0, text: expect.stringContaining('has started in mode approve') });
  const id = /inc-\d{8}-[0-9a-f]{10}/.exec(started?.text ?? '')?.[0] ?? '';
  await suite.until(id, ({ approvals }) => approvals.length > 0);

  const question = 'Type the first 6 characters';
  expect(await typed(['approve', id, '--as', 'rosa'], question, digest.slice(0, 6))).toMatchObject({ code: 4, text: expect.stringContaining('you asked for it, so somebody else has to approve it') });
  expect(await typed(['approve', id, '--as', 'ravi'], question, '000000')).toMatchObject({ code: 1, text: expect.stringContaining('nothing was approved') });
  expect(await typed(['approve', id, '--as', 'ravi'], question, digest.slice(0, 6))).toMatchObject({ code: 0, text: expect.stringContaining('approved: ') });
  expect(await typed(['show', id, '--watch', '--as', 'ada'])).toMatchObject({ code: 0, text: expect.stringMatching(/contained and proven[\s\S]*Without Stopbath/) });

  await suite.account.world.call('s3', 'PutBucketTagging', { Bucket: BUCKET, Tagging: { TagSet: [{ Key: 'case', Value: '2026-117' }] } }, root(suite.account));
  const seen = await typed(['restore', id, '--plan-only', '--as', 'rosa']);
  expect(seen?.text).toMatch(/Changed since the containment: tagging[\s\S]*2026-117/);
  expect(seen?.text).toMatch(/Start it[\s\S]{0,40}stopbath restore/);
  // Whom the denial keeps out would get in again: that, too, is for two to decide.
  expect(await typed(['restore', id, '--overwrite-newer', '--reason', 'the link was withdrawn', '--as', 'rosa'])).toMatchObject({ code: 0 });
  const asked = await suite.until(id, ({ approvals }) => approvals.some(({ direction, state }) => direction === 'restore' && state === 'waiting'));
  const wanted = asked.approvals.findLast(({ direction }) => direction === 'restore')?.digest ?? '';
  expect(await typed(['approve', id, '--as', 'ravi'], question, wanted.slice(0, 6))).toMatchObject({ code: 0, text: expect.stringContaining('approved: ') });
  expect((await typed(['show', id, '--watch', '--as', 'ada']))?.text).toContain('restored');
  await suite.until(id, ({ incident }) => incident.status === 'restored');
  expect(await readRawSettings({ endpoint: suite.account.endpoint, region: 'us-east-1', credentials: suite.account.admin, now: Date.now() }, BUCKET)).toEqual(before);
});

it('says in a pipe what to give instead of typing, and what is wrong, in one line', async () => {
  const { body } = await suite.respond('rosa', '/start', { playbook: 'quarantine-bucket', inputs: { bucket: 'family-uploads-111122223333', level: 'full' }, reason: 'a test' });
  await suite.until(body.incident, ({ approvals }) => approvals.length > 0);
  expect(await piped('approve', body.incident, '--as', 'ravi')).toMatchObject({ code: 2, text: expect.stringContaining('--digest') });
  expect(await piped('approve', body.incident, '--digest', '12', '--as', 'ravi')).toMatchObject({ code: 2 });
  expect(await piped('waiting', '--as', 'ada')).toMatchObject({ code: 0, text: expect.stringContaining('1 more to approve the containment') });
  expect(await piped('restore', body.incident, '--as', 'ravi')).toMatchObject({ code: 2, text: expect.stringContaining('--reason is missing') });
  expect(await piped('reject', body.incident, '--reason', 'over', '--as', 'ravi')).toMatchObject({ code: 0, text: expect.stringContaining('rejected') });
});
