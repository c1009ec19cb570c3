import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { pseudonymOf } from '../aws/owners.ts';
import { startAccount, type Account } from '../sandbox/account.ts';
import { skippingClock } from '../sandbox/clock.ts';
import { seedPhotos, type Photos } from '../sandbox/photos/seed.ts';
import { EXIT } from './exit.ts';
import { run } from './main.ts';

/** The verbs of responders, through the URLs of a suite that is deployed for real in a sandbox. */
let account: Account;
let photos: Photos;
let suite: string;
let printed: string;

beforeAll(async () => {
  account = await startAccount({ clock: skippingClock() });
  photos = await seedPhotos(account, () => account.s3.settle());
  const { urls, name } = await account.deploy({ config: { modeCap: 'contain', verifyIntervalSeconds: 1, leaseHours: 20, responderRoles: [photos.roles.responder], auditorRoles: [photos.roles.auditor] } });
  suite = name;
  vi.stubEnv('AWS_REGION', account.world.region);
  vi.stubEnv('STOPBATH_AUDIT_URL', urls['audit'] ?? '');
  vi.stubEnv('STOPBATH_RESPOND_URL', urls['respond'] ?? '');
  for (const person of ['rosa', 'ada'] as const) {
    const { accessKeyId, secretAccessKey, sessionToken = '' } = await photos.credentialsOf(person);
    vi.stubEnv(`${person.toUpperCase()}_AWS_ACCESS_KEY_ID`, accessKeyId);
    vi.stubEnv(`${person.toUpperCase()}_AWS_SECRET_ACCESS_KEY`, secretAccessKey);
    vi.stubEnv(`${person.toUpperCase()}_AWS_SESSION_TOKEN`, sessionToken);
  }
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await account.stop();
});
beforeEach(() => {
  printed = '';
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
  }
});

async function says(...args: readonly string[]): Promise<readonly [number, string]> {
  printed = '';
  process.exitCode = undefined;
  const code = await run(args);
  process.exitCode = undefined;
  return [code, printed];
}

const SUPPRESS = ['suppress', 'thumbs', '--bucket', 'thumbnails', '--owner', 'web team', '--reason', 'on purpose', '--expires', '30d'] as const;

describe('suppress, suppressions and unsuppress', () => {
  it('accept an exposure until a day, show who did and until when, and end it; it stays on record', async () => {
    expect(await says(...SUPPRESS, '--as', 'rosa')).toEqual([EXIT.ok, expect.stringContaining('thumbs is in force until')]);
    expect(await says('suppressions', '--as', 'ada')).toEqual([EXIT.ok, expect.stringMatching(/thumbs +until .* web team +on purpose +rosa +\{"target":\{"kind":\["bucket"\],"name":\["thumbnails"\]\}\}/)]);
    expect(await says(...SUPPRESS, '--as', 'rosa')).toEqual([EXIT.no, expect.stringContaining('there is a suppression "thumbs"')]);
    expect((await says('unsuppress', 'thumbs', '--reason', 'moved', '--as', 'rosa'))[0]).toBe(EXIT.ok);
    expect(await says('unsuppress', 'thumbs', '--reason', 'again', '--as', 'rosa')).toEqual([EXIT.no, expect.stringContaining('no suppression "thumbs" that has not ended')]);
    expect(await says('suppressions', '--as', 'ada')).toEqual([EXIT.ok, 'no suppression is in force\n']);
    expect(await says('suppressions', '--all', '--as', 'ada')).toEqual([EXIT.ok, expect.stringMatching(/thumbs +ended/)]);
  });

  it('are a responder’s: an auditor is refused', async () => {
    expect(await says(...SUPPRESS, '--as', 'ada')).toEqual([EXIT.refused, expect.stringContaining('only responders')]);
  });

  const having = (name: string, value: string) => [...SUPPRESS.map((word, index) => (SUPPRESS[index - 1] === name ? value : word)), '--as', 'rosa'];
  it.each([
    ['an id that is none', ['suppress', 'a b', ...SUPPRESS.slice(2), '--as', 'rosa'], 'letters, digits'],
    ['a day that is past', having('--expires', '2020-01-01'), 'must be in the future'],
    ['more than a year', having('--expires', '400d'), 'at most a year'],
    ['no time', having('--expires', 'tomorrow'), '--expires is "tomorrow": use a day'],
    ['nothing to accept', ['suppress', 'x', '--owner', 'a', '--reason', 'b', '--expires', '1d', '--as', 'rosa'], 'give --bucket, --type or --pattern'],
    ['a pattern beside its short forms', [...SUPPRESS, '--pattern', '{}', '--as', 'rosa'], 'put all of it into the pattern'],
    ['a pattern that is no JSON', ['suppress', 'x', '--pattern', '{', ...SUPPRESS.slice(4), '--as', 'rosa'], 'must be a JSON object'],
    ['a pattern that names everything', ['suppress', 'x', '--pattern', '{"severity":[8]}', ...SUPPRESS.slice(4), '--as', 'rosa'], 'must name a type or a target'],
    ['a pattern with a typo', ['suppress', 'x', '--pattern', '{"type":["a"],"tragets":["b"]}', ...SUPPRESS.slice(4), '--as', 'rosa'], 'may have source, type'],
    ['a pattern that is none', ['suppress', 'x', '--pattern', '{"type":"a"}', ...SUPPRESS.slice(4), '--as', 'rosa'], 'pattern: Event pattern is not valid'],
  ])('refuse %s', async (_, args, said) => {
    expect(await says(...args)).toEqual([EXIT.usage, expect.stringContaining(said)]);
  });
});

let contained = '';

describe('pause and resume', () => {
  it('throw the kill switch and show it; what was held meanwhile is named and released', async () => {
    expect(await says('pause', '--reason', 'moving', '--as', 'rosa')).toEqual([EXIT.ok, expect.stringContaining('containment is paused since')]);
    expect(await says('suppressions', '--as', 'ada')).toEqual([EXIT.ok, expect.stringMatching(/paused since .*\/rosa: moving/)]);
    await photos.attacks['make-public'](photos.family);
    const finding = { type: 'Policy:S3/BucketAnonymousAccessGranted', id: 'f-1', severity: 8, accountId: account.world.account, region: account.world.region, schemaVersion: '2.0', updatedAt: new Date().toISOString(), resource: { s3BucketDetails: [{ name: photos.family }] }, service: {} };
    const event = { version: '0', resources: [], id: 'e-1', source: 'aws.guardduty', 'detail-type': 'GuardDuty Finding', account: account.world.account, region: account.world.region, time: finding.updatedAt, detail: finding };
    const sent = await fetch(`${account.endpoint}/_sandbox/events`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify([event]) });
    expect(sent.status).toBe(200);
    await account.idle();
    const [, listed] = await says('incidents', '--json', '--as', 'rosa');
    const { incidents } = JSON.parse(listed) as { readonly incidents: readonly { readonly id: string; readonly status: string }[] };
    const id = incidents[0]?.id ?? '';
    expect(incidents).toMatchObject([{ status: 'held' }]);
    const [code, text] = await says('resume', '--reason', 'moved', '--as', 'rosa');
    expect([code, text]).toEqual([EXIT.ok, expect.stringContaining(`1 incident still held: ${id}`)]);
    expect(await says('release', id, '--reason', 'close it', '--as', 'rosa')).toEqual([EXIT.ok, expect.stringContaining(`${id}-contain-2`)]);
    await account.idle();
    expect((await says('show', id, '--as', 'rosa'))[1]).toContain('contained and proven');
    contained = id;
  });

  it.each([
    ['no reason', ['pause', '--as', 'rosa'], EXIT.usage, '--reason'],
    ['an auditor', ['pause', '--reason', 'x', '--as', 'ada'], EXIT.refused, 'only responders'],
    ['an incident that is none', ['release', 'inc-none', '--reason', 'x', '--as', 'rosa'], EXIT.no, 'there is no incident "inc-none"'],
  ])('refuse %s', async (_, args, code, said) => {
    expect(await says(...args)).toEqual([code, expect.stringContaining(said)]);
  });
});

describe('erase-owner', () => {
  const erase = ['erase-owner', 'owner-anna', '--reason', 'she asked for it'];

  it('forgets an owner whom the record knows, once, and says under which pseudonym the record stays', async () => {
    const table = { settings: { STOPBATH_TABLE: suite }, clients: { dynamo: DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint: account.endpoint, region: account.world.region, credentials: account.admin })) } };
    const pseudonym = await pseudonymOf(table, 'owner-anna');
    expect(await says(...erase, '--confirm', 'owner-anna', '--as', 'rosa')).toEqual([EXIT.ok, expect.stringContaining(`in 0 incidents the owner is ${pseudonym} now`)]);
    expect(await says(...erase, '--confirm', 'owner-anna', '--as', 'rosa')).toEqual([EXIT.no, expect.stringContaining('knows no such owner')]);
  });

  it.each([
    ['another id than the one that is named', [...erase, '--confirm', 'owner-ann', '--as', 'rosa'], EXIT.usage, 'nothing was erased'],
    ['no terminal to ask on', [...erase, '--as', 'rosa'], EXIT.usage, 'give the id once more with --confirm'],
    ['no reason', ['erase-owner', 'owner-anna', '--confirm', 'owner-anna', '--as', 'rosa'], EXIT.usage, '--reason'],
    ['an auditor', [...erase, '--confirm', 'owner-anna', '--as', 'ada'], EXIT.refused, 'only responders'],
  ])('refuses %s', async (_, args, code, said) => {
    expect(await says(...args)).toEqual([code, expect.stringContaining(said)]);
  });
});

describe('extend', () => {
  const inDays = (days: number) => new Date(account.clock.now() + days * 86_400_000).toISOString();

  it('lets the containment stand until then, under whoever asked, on record; another may take it over', async () => {
    // With less than a day to go it waits for its owner.
    expect((await says('waiting', '--as', 'ada'))[1]).toMatch(/its owner \(/);
    const until = inDays(7);
    expect(await says('extend', contained, '--until', until, '--reason', 'forensics need the week', '--as', 'rosa')).toEqual([EXIT.ok, expect.stringContaining(`stands until ${until}; you are its owner`)]);
    const [, shown] = await says('show', contained, '--json', '--as', 'ada');
    const { incident, entries } = JSON.parse(shown) as { readonly incident: object; readonly entries: readonly { readonly detail: unknown }[] };
    expect(incident).toMatchObject({ status: 'contained', lease: { until, owner: expect.stringMatching(/stopbath-responder\/rosa$/), remindedAt: null } });
    expect(entries).toContainEqual(expect.objectContaining({ text: `the containment stands until ${until}: forensics need the week`, by: expect.stringMatching(/rosa$/) }));
    await account.idle(60_000);
    expect(await says('extend', contained, '--until', inDays(6), '--reason', 'shorter will do', '--as', 'rosa')).toEqual([EXIT.usage, expect.stringContaining('it can stand longer')]);
    expect(await says('extend', contained, '--until', '8d', '--reason', 'and a day', '--json', '--as', 'rosa')).toEqual([EXIT.ok, expect.stringContaining('"lease"')]);
    expect((await says('waiting', '--as', 'ada'))[1]).not.toMatch(/its owner \(/);
  });

  it.each([
    ['a time that is past', () => ['extend', contained, '--until', '2020-01-01T00:00:00Z', '--reason', 'x', '--as', 'rosa'], EXIT.usage, 'must be in the future'],
    ['more than 90 days', () => ['extend', contained, '--until', inDays(91), '--reason', 'x', '--as', 'rosa'], EXIT.usage, '90 days at most'],
    ['a time without its offset', () => ['extend', contained, '--until', '2026-12-01T10:00', '--reason', 'x', '--as', 'rosa'], EXIT.usage, '--until is "2026-12-01T10:00": use a day'],
    ['no reason', () => ['extend', contained, '--until', inDays(1), '--as', 'rosa'], EXIT.usage, '--reason'],
    ['an auditor', () => ['extend', contained, '--until', inDays(1), '--reason', 'x', '--as', 'ada'], EXIT.refused, 'only responders'],
    ['an incident that is none', () => ['extend', 'inc-none', '--until', inDays(1), '--reason', 'x', '--as', 'rosa'], EXIT.no, 'there is no incident'],
  ])('refuses %s', async (_, args, code, said) => {
    expect(await says(...args())).toEqual([code, expect.stringContaining(said)]);
  });
});

describe('plan', () => {
  it('says what is left of the budgets', async () => {
    const [code, text] = await says('plan', 'quarantine-bucket', '--bucket', photos.uploads, '--mode', 'contain', '--as', 'rosa');
    expect([code, text]).toEqual([EXIT.ok, expect.stringMatching(/Budget left +containments: 19 of 20 \(5 kept for critical incidents\) in this account, 49 of 50/)]);
  });

  it('starts exactly the plan that was seen, or nothing: not one that was edited, of another target, or of nobody; each refusal is on record', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'stopbath-plan-')), 'plan.json');
    const of = ['quarantine-bucket', '--bucket', photos.uploads] as const;
    expect((await says('plan', ...of, '--out', file, '--as', 'rosa'))[0]).toBe(EXIT.ok);
    const plan = JSON.parse(readFileSync(file, 'utf8')) as { readonly digest: string; readonly changes: readonly object[] };
    const { digest } = plan;
    const start = async (which: string, bucket = photos.uploads) => await says('start', 'quarantine-bucket', '--bucket', bucket, '--plan', which, '--reason', 'a test', '--as', 'rosa');

    writeFileSync(file, JSON.stringify({ ...plan, changes: [...plan.changes, { seq: 9, setting: 'policy', title: 'slipped in', before: null, after: null }] }));
    expect(await start(file)).toEqual([EXIT.no, expect.stringContaining('was changed after it was made')]);
    expect(await start(digest, photos.thumbnails)).toEqual([EXIT.no, expect.stringMatching(new RegExp(`is of quarantine-bucket for arn:aws:s3:::${photos.uploads}, not of`))]);
    expect(await start('0'.repeat(64))).toEqual([EXIT.no, expect.stringContaining('nobody has planned it, or the file was changed')]);
    expect(await start(digest.slice(0, 12))).toEqual([EXIT.usage, expect.stringContaining('give all 64 characters')]);
    rmSync(dirname(file), { recursive: true });

    const day = new Date(account.clock.now()).toISOString().slice(0, 10);
    const arn = 'arn:aws:iam::111122223333:root';
    const { Items } = (await account.world.call('dynamodb', 'Query', { TableName: 'stopbath-dev', KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: `DECISION#${day}` } } }, { kind: 'root', account: account.world.account, principalArn: arn, arn, userId: account.world.account })) as { readonly Items: readonly unknown[] };
    const refused = JSON.stringify(Items);
    for (const why of ['was refused: plan', 'was refused: there is no plan']) expect(refused).toContain(why);
  });
});

describe('ticket', () => {
  it('shows how an incident’s tickets stand, and sends them again', async () => {
    expect(await says('ticket', contained, '--as', 'ada')).toEqual([EXIT.ok, expect.stringMatching(/opscenter: oi-\d+ is open since[^]*ticket oi-\d+ in opscenter is open/)]);
    expect(await says('ticket', contained, '--resend', '--reason', 'to be sure', '--as', 'rosa')).toEqual([EXIT.ok, expect.stringContaining(`the tickets of ${contained} are brought up to date by ${contained}-resend-`)]);
    await account.idle();
    const [code, shown] = await says('ticket', contained, '--json', '--as', 'ada');
    expect([code, JSON.parse(shown)]).toMatchObject([EXIT.ok, { incident: contained, gap: null, tickets: { opscenter: { state: 'open' } } }]);
    expect(shown).toContain('tickets are sent again: to be sure');
    expect(await says('ticket', '--redrive', '--reason', 'it is back', '--as', 'rosa')).toEqual([EXIT.ok, 'there was nothing in the queue of undelivered tickets\n']);
  });

  it.each([
    ['no incident', ['ticket', '--as', 'rosa'], EXIT.usage, 'name an incident'],
    ['an incident that is none', ['ticket', 'inc-none', '--as', 'ada'], EXIT.no, 'there is no incident "inc-none"'],
    ['a resend without a reason', ['ticket', 'inc-none', '--resend', '--as', 'rosa'], EXIT.usage, '--resend needs --reason'],
    ['a resend of an incident that is none', ['ticket', 'inc-none', '--resend', '--reason', 'x', '--as', 'rosa'], EXIT.no, 'there is no incident "inc-none"'],
    ['a reason to look', ['ticket', 'inc-none', '--reason', 'x', '--as', 'ada'], EXIT.usage, '--reason goes with'],
    ['a redrive of one', ['ticket', 'inc-none', '--redrive', '--reason', 'x', '--as', 'rosa'], EXIT.usage, 'use stopbath ticket inc-none --resend'],
    ['both at once', ['ticket', '--redrive', '--resend', '--reason', 'x', '--as', 'rosa'], EXIT.usage, 'either --resend or --redrive'],
    ['an auditor who sends', ['ticket', '--redrive', '--reason', 'x', '--as', 'ada'], EXIT.refused, 'only responders'],
  ])('refuses %s', async (_, args, code, said) => {
    expect(await says(...args)).toEqual([code, expect.stringContaining(said)]);
  });
});
