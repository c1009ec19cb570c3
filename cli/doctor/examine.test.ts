import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startAccount, type Account } from '../../sandbox/account.ts';
import { seedPhotos, type Photos } from '../../sandbox/photos/seed.ts';
import { seedShares, type Shares } from '../../sandbox/photos/shares.ts';
import { examine } from './examine.ts';
import type { Diagnosis } from './diagnosis.ts';

/** One installation: whole at first, then with one thing broken at a time, and mended again. */
let account: Account;
let photos: Photos;
let shares: Shares;
let config: Parameters<typeof examine>[1];
const NAME = 'stopbath-dev';
const QUEUE = `https://sqs.us-east-1.amazonaws.com/111122223333/${NAME}-undelivered`;

beforeAll(async () => {
  account = await startAccount();
  photos = await seedPhotos(account, () => account.s3.settle());
  shares = await seedShares(account, photos);
  config = { responderRoles: [photos.roles.responder], auditorRoles: [photos.roles.auditor], sessionNamesPinned: true, shares: shares.config };
  const { urls } = await account.deploy({ config });
  for (const [name, value] of Object.entries({ AWS_ENDPOINT_URL: account.endpoint, AWS_REGION: account.world.region, STOPBATH_RESPOND_URL: urls['respond'] ?? '', STOPBATH_AUDIT_URL: urls['audit'] ?? '', AWS_SESSION_TOKEN: '' })) vi.stubEnv(name, value);
  actAs(account.admin);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await shares.close();
  await account.stop();
});

function actAs({ accessKeyId, secretAccessKey }: Account['admin']): void {
  vi.stubEnv('AWS_ACCESS_KEY_ID', accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretAccessKey);
}

const call = async (what: string, input: object): Promise<unknown> => {
  const [service = '', operation = ''] = what.split(':');
  const arn = 'arn:aws:iam::111122223333:root';
  return await account.world.call(service, operation, input, { kind: 'root', account: account.world.account, principalArn: arn, arn, userId: account.world.account });
};
const bad = (diagnoses: readonly Diagnosis[]) => diagnoses.filter(({ state }) => state !== 'good').map(({ what, state, found }) => `${state} ${what}: ${found}`);

it('finds a whole installation whole, and looks at all of it', async () => {
  const diagnoses = await examine(NAME, config);
  expect(bad(diagnoses)).toEqual([]);
  const looked = diagnoses.map(({ what }) => what);
  expect(looked).toEqual(expect.arrayContaining(['who asks', 'function triage', 'settings as in the file', 'URL of respond', 'failures of triage', `role ${NAME}-quarantine-bucket-apply`, `role ${NAME}-open-ticket`, 'who may call audit',
    `rule ${NAME}-triage-1`, `rule ${NAME}-seal`, `workflow ${NAME}-quarantine-bucket`, 'table', 'table backups', 'evidence lock', 'evidence access', 'seal key 1', 'undelivered events', 'undelivered tickets', 'share tables', 'tracker opscenter', 'tracker guardduty']));
  expect(looked.filter((what) => what.startsWith('signer role'))).not.toEqual([]);
});

interface Broken {
  readonly what: string;
  readonly found: string | RegExp;
  readonly todo: string;
  readonly breaks: () => Promise<unknown>;
  readonly mends: () => Promise<unknown>;
}

const rule = (Name: string) => call('events:DescribeRule', { Name }) as Promise<Readonly<Record<string, unknown>>>;
/** What it was, for mending. */
const kept = new Map<string, Readonly<Record<string, unknown>>>();
const keep = async (name: string, value: Promise<unknown>) => void kept.set(name, Object((await value) as object));
const was = (name: string, member: string) => kept.get(name)?.[member];
const document = (RoleName: string) => decodeURIComponent(String(was(RoleName, 'PolicyDocument')));
const rewrite = async (RoleName: string, change: (text: string) => string) => {
  await keep(RoleName, call('iam:GetRolePolicy', { RoleName, PolicyName: 'own' }));
  await call('iam:PutRolePolicy', { RoleName, PolicyName: 'own', PolicyDocument: change(document(RoleName)) });
};
const putBack = (RoleName: string) => call('iam:PutRolePolicy', { RoleName, PolicyName: 'own', PolicyDocument: document(RoleName) });
const keyId = async () => String(Object(await call('lambda:GetFunctionConfiguration', { FunctionName: `${NAME}-seal` })).Environment.Variables.STOPBATH_SEAL_KEYS);

const BROKEN: Readonly<Record<string, Broken>> = {
  'a rule that is off': { what: `rule ${NAME}-triage-2`, found: 'is DISABLED', todo: 'enable-rule', breaks: () => call('events:DisableRule', { Name: `${NAME}-triage-2` }), mends: () => call('events:EnableRule', { Name: `${NAME}-triage-2` }) },
  'a rule with another pattern': {
    what: `rule ${NAME}-triage-1`, found: 'its pattern is not the files', todo: 'deploy',
    breaks: async () => {
      await keep('rule', rule(`${NAME}-triage-1`));
      await call('events:PutRule', { Name: `${NAME}-triage-1`, EventPattern: '{"source":["nobody"]}' });
    },
    mends: () => call('events:PutRule', { Name: `${NAME}-triage-1`, EventPattern: was('rule', 'EventPattern') }),
  },
  'a rule without its target': {
    what: `rule ${NAME}-lease`, found: 'its target is nothing', todo: 'deploy',
    breaks: async () => {
      await keep('targets', call('events:ListTargetsByRule', { Rule: `${NAME}-lease` }));
      await call('events:RemoveTargets', { Rule: `${NAME}-lease`, Ids: ['lease'] });
    },
    mends: () => call('events:PutTargets', { Rule: `${NAME}-lease`, Targets: was('targets', 'Targets') }),
  },
  'a key that is off': { what: 'seal key 1', found: 'is Disabled: nothing is sealed', todo: 'enable-key', breaks: async () => await call('kms:DisableKey', { KeyId: await keyId() }), mends: async () => await call('kms:EnableKey', { KeyId: await keyId() }) },
  'a key that somebody else may sign with': {
    what: 'seal key 1', found: 'arn:aws:iam::111122223333:user/mallory may sign with it', todo: 'PutKeyPolicy',
    breaks: async () => {
      const KeyId = await keyId();
      await keep('key', call('kms:GetKeyPolicy', { KeyId }));
      const { Statement, ...rest } = JSON.parse(String(was('key', 'Policy'))) as { readonly Statement: readonly object[] };
      await call('kms:PutKeyPolicy', { KeyId, Policy: JSON.stringify({ ...rest, Statement: [...Statement, { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::111122223333:user/mallory' }, Action: 'kms:Sign', Resource: '*' }] }) });
    },
    mends: async () => await call('kms:PutKeyPolicy', { KeyId: await keyId(), Policy: was('key', 'Policy') }),
  },
  'an event that nobody saw': {
    what: 'undelivered events', found: '1 event was never seen by triage', todo: `${NAME}-triage`,
    breaks: () => call('sqs:SendMessage', { QueueUrl: `${QUEUE}-events`, MessageBody: '{}' }),
    mends: async () => await emptied('events'),
  },
  'a ticket that was given up': {
    what: 'undelivered tickets', found: '1 ticket was given up', todo: 'stopbath ticket --redrive',
    breaks: () => call('sqs:SendMessage', { QueueUrl: `${QUEUE}-tickets`, MessageBody: '{}' }),
    mends: async () => await emptied('tickets'),
  },
  'a table that can be deleted': { what: 'table', found: 'can be deleted', todo: '--deletion-protection-enabled', breaks: () => call('dynamodb:UpdateTable', { TableName: NAME, DeletionProtectionEnabled: false }), mends: () => call('dynamodb:UpdateTable', { TableName: NAME, DeletionProtectionEnabled: true }) },
  'a table without recovery': { what: 'table backups', found: 'no point-in-time recovery', todo: 'PointInTimeRecoveryEnabled=true', breaks: () => recovery(false), mends: () => recovery(true) },
  'a role with more than its folder says': {
    what: `role ${NAME}-audit`, found: 'allows more than its folder says: dynamodb:PutItem', todo: 'deploy',
    breaks: () => rewrite(`${NAME}-audit`, (text) => text.replace('"dynamodb:Query"', '"dynamodb:Query","dynamodb:PutItem"')),
    mends: () => putBack(`${NAME}-audit`),
  },
  'a role with less': {
    what: `role ${NAME}-seal`, found: /lacks .*s3:PutObject/, todo: 'deploy',
    breaks: () => rewrite(`${NAME}-seal`, (text) => text.replaceAll('"s3:PutObject"', '"s3:GetObject"')),
    mends: () => putBack(`${NAME}-seal`),
  },
  'a role with a policy beside its own': {
    what: `role ${NAME}-triage`, found: 'has a policy that no file gives it: more', todo: 'find out who attached it',
    breaks: () => call('iam:PutRolePolicy', { RoleName: `${NAME}-triage`, PolicyName: 'more', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }) }),
    mends: () => call('iam:DeleteRolePolicy', { RoleName: `${NAME}-triage`, PolicyName: 'more' }),
  },
  'a grant to invoke without the URL': {
    what: 'who may call respond', found: 'statement door lets it be invoked without its URL', todo: 'remove-permission',
    breaks: () => call('lambda:AddPermission', { FunctionName: `${NAME}-respond`, StatementId: 'door', Action: 'lambda:InvokeFunction', Principal: photos.roles.auditor }),
    mends: () => call('lambda:RemovePermission', { FunctionName: `${NAME}-respond`, StatementId: 'door' }),
  },
  'a stranger who may call': {
    what: 'who may call audit', found: 'user/mallory may, and the file does not say so', todo: 'take the statement out',
    breaks: () => call('lambda:AddPermission', { FunctionName: `${NAME}-audit`, StatementId: 'door', Action: 'lambda:InvokeFunctionUrl', Principal: 'arn:aws:iam::111122223333:user/mallory', FunctionUrlAuthType: 'AWS_IAM' }),
    mends: () => call('lambda:RemovePermission', { FunctionName: `${NAME}-audit`, StatementId: 'door' }),
  },
  'evidence that can be written over': {
    what: 'evidence access', found: 'its policy lacks OnlyOnce', todo: 'deploy',
    breaks: async () => {
      await keep('evidence', call('s3:GetBucketPolicy', { Bucket: `${NAME}-evidence-111122223333` }));
      await call('s3:PutBucketPolicy', { Bucket: `${NAME}-evidence-111122223333`, Policy: String(was('evidence', 'Policy')).replace('OnlyOnce', 'Twice') });
      account.s3.settle();
    },
    mends: async () => {
      await call('s3:PutBucketPolicy', { Bucket: `${NAME}-evidence-111122223333`, Policy: was('evidence', 'Policy') });
      account.s3.settle();
    },
  },
};

const recovery = (PointInTimeRecoveryEnabled: boolean) => call('dynamodb:UpdateContinuousBackups', { TableName: NAME, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled } });

async function emptied(which: 'events' | 'tickets'): Promise<void> {
  const { Messages } = (await call('sqs:ReceiveMessage', { QueueUrl: `${QUEUE}-${which}` })) as { readonly Messages: readonly { readonly ReceiptHandle: string }[] };
  await call('sqs:DeleteMessage', { QueueUrl: `${QUEUE}-${which}`, ReceiptHandle: Messages[0]?.ReceiptHandle });
}

describe('finds what is broken, each thing by itself, and says what to do', () => {
  // One examination for all: nothing else may be found wrong, and mending leaves it whole.
  it.each([
    ['one', ['a rule that is off', 'a rule with another pattern', 'a rule without its target', 'a key that is off', 'an event that nobody saw', 'a ticket that was given up', 'a table that can be deleted', 'a table without recovery', 'a role with more than its folder says', 'a role with less', 'evidence that can be written over', 'a grant to invoke without the URL']],
    ['other', ['a key that somebody else may sign with', 'a role with a policy beside its own', 'a stranger who may call']],
  ])('in %s round', async (_, names) => {
    const broken = names.flatMap((name) => BROKEN[name] ?? []);
    expect(broken).toHaveLength(names.length);
    for (const { breaks } of broken) await breaks();
    const faults = (await examine(NAME, config)).filter(({ state }) => state !== 'good');
    expect(faults.map(({ what }) => what).toSorted((a, b) => a.localeCompare(b))).toEqual(broken.map(({ what }) => what).toSorted((a, b) => a.localeCompare(b)));
    for (const { what, found, todo } of broken) expect(faults.find((fault) => fault.what === what)).toEqual({ what, state: 'bad', found: expect.stringMatching(found), todo: expect.stringContaining(todo) });
    for (const { mends } of broken) await mends();
  });

  it('and nothing once it is mended', async () => expect(bad(await examine(NAME, config))).toEqual([]));
});

describe('against another configuration', () => {
  it('says which settings are not as deployed, once', async () => {
    const faults = (await examine(NAME, { ...config, modeCap: 'contain', leaseHours: 12, evidenceRetentionDays: 30 })).filter(({ state }) => state === 'bad');
    expect(faults.map(({ what }) => what)).toEqual(['settings as in the file', 'evidence lock']);
    expect(faults[0]?.found).toMatch(/STOPBATH_MODE_CAP is observe, and the file says contain; .*STOPBATH_LEASE_HOURS is 72, and the file says 12/);
    expect(faults[0]?.todo).toContain('stopbath.config.json');
  });

  it('says which workflow waits for another time', async () => {
    const faults = (await examine(NAME, { ...config, verifyIntervalSeconds: 9 })).filter(({ state }) => state === 'bad');
    expect(faults.map(({ what }) => what)).toEqual(expect.arrayContaining([`workflow ${NAME}-quarantine-bucket`, `workflow ${NAME}-revoke-share-links`]));
    expect(faults.filter(({ what }) => !what.startsWith('workflow '))).toEqual([]);
  });

  it('asks every tracker that is configured, and says of each what is wrong', async () => {
    const secret = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:nothing-AbCdEf';
    const trackers = { opscenter: { kind: 'opscenter' }, github: { kind: 'github', repository: 'acme/alerts', secret }, topic: { kind: 'sns', topic: 'arn:aws:sns:us-east-1:111122223333:none' } };
    const faults = (await examine(NAME, Object.assign({}, config, { trackers }))).filter(({ what }) => what.startsWith('tracker'));
    expect(faults.map(({ what, state }) => `${state} ${what}`)).toEqual(['good tracker opscenter', 'bad tracker github', 'bad tracker topic']);
    expect(faults.filter(({ todo }) => todo !== '').every(({ todo }) => todo.includes('docs/tickets.md'))).toBe(true);
  });

  it('says what is wrong with share tables, and which role is not there', async () => {
    const faults = (await examine(NAME, { ...config, exemptRoles: ['arn:aws:iam::111122223333:role/gone'], shares: { ...shares.config, links: { ...shares.config.links, table: 'other' } } })).filter(({ state }) => state === 'bad');
    expect(faults.map(({ what }) => what)).toEqual(expect.arrayContaining(['share tables', 'exempt role gone']));
    expect(faults.find(({ what }) => what === 'share tables')?.found).toContain('there is no table other: set shares.links.table');
  });

  it('says that the file is none', async () => {
    expect(await examine(NAME, { leaseHours: -1 })).toMatchObject([{ what: 'configuration', state: 'bad', found: expect.stringContaining('leaseHours') }]);
  });
});

it('holds it against what the file says of its stage, and not of another', async () => {
  const stages = (stage: string): typeof config => Object.assign({}, config, { stages: { [stage]: { leaseHours: 24 } } });
  expect(bad(await examine(NAME, stages('prod')))).toEqual([]);
  expect(bad(await examine(NAME, stages('dev')))).toEqual([expect.stringContaining('STOPBATH_LEASE_HOURS')]);
});

it('what whoever asks may not see is no fault, and is no praise', async () => {
  actAs(account.createUser('clerk'));
  const diagnoses = await examine(NAME, config);
  actAs(account.admin);
  expect(diagnoses.filter(({ state }) => state === 'bad')).toEqual([]);
  expect(diagnoses.filter(({ state }) => state === 'good').map(({ what }) => what)).toEqual(['who asks']);
});

it('says that nothing is installed under a name that nothing has', async () => {
  const diagnoses = await examine('stopbath-none', config);
  expect(diagnoses.filter(({ state }) => state === 'good').map(({ what }) => what)).not.toContain('function triage');
  expect(diagnoses.find(({ what }) => what === 'function triage')).toMatchObject({ state: 'bad', todo: expect.stringContaining('deploy') });
});
