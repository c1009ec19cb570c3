import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { run } from '../cli/main.ts';
import { matchesPattern, parsePattern } from '../core/event-pattern.ts';
import { foldersOf } from '../deploy/stack.ts';
import { parseYaml } from '../deploy/yaml.ts';
import { startAccount, type Account } from '../sandbox/account.ts';
import { skippingClock } from '../sandbox/clock.ts';
import { seedPhotos, type Photos } from '../sandbox/photos/seed.ts';

/** The suite in its own account, buckets in two others. The drill `quarantine-bucket/member-account` plays the whole of it in the first. */
const ROOT = join(import.meta.dirname, '..');
const template: unknown = parseYaml(readFileSync(join(ROOT, 'deploy/member-account.yml'), 'utf8'));
const at = (value: unknown, ...path: readonly string[]): unknown => path.reduce<unknown>((inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined), value);
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const actionsOf = (statements: unknown): readonly string[] => listOf(statements).flatMap((statement) => [at(statement, 'Action')].flat().map(String));

describe('deploy/member-account.yml', () => {
  const role = (id: string) => actionsOf(at(listOf(at(template, 'Resources', id, 'Properties', 'Policies'))[0], 'PolicyDocument', 'Statement'));
  const ofFunctions = (which: RegExp, ...names: readonly string[]) => [...new Set(names.flatMap((name) => actionsOf(parseYaml(readFileSync(join(ROOT, 'functions', name, 'role.yml'), 'utf8')))).filter((action) => which.test(action)))].toSorted();
  const ABOUT_BUCKETS = /^(s3:(?!PutObject$)|cloudwatch:|cloudtrail:|guardduty:)/;
  const READS_PRINCIPALS = /^(iam:(Get|List|Generate|Simulate)|lambda:List)/;

  it('allows in a member what the functions do in their own account, and no more', () => {
    const principals = ofFunctions(READS_PRINCIPALS, 'contain-principal-plan', 'contain-principal-verify', 'revoke-share-links-plan');
    const buckets = ofFunctions(ABOUT_BUCKETS, 'triage', 'quarantine-bucket-plan', 'quarantine-bucket-verify', 'reconcile');
    expect(role('ReadRole').toSorted()).toEqual([...buckets, ...principals].toSorted());
    expect(role('ContainRole').toSorted()).toEqual(ofFunctions(ABOUT_BUCKETS, 'quarantine-bucket-apply'));
    const CHANGES_PRINCIPALS = /^iam:(?!Get|List)/;
    // The deny of the suite's own roles is there too.
    expect([...new Set(role('ContainPrincipalsRole'))].toSorted()).toEqual(ofFunctions(CHANGES_PRINCIPALS, 'contain-principal-apply'));
    expect(role('ContainSignersRole').toSorted()).toEqual(ofFunctions(CHANGES_PRINCIPALS, 'revoke-share-links-apply'));
  });

  it('lets each of its roles be assumed by the very functions that ask for it, with the external id', () => {
    // Who has no role.yml runs under another's role.
    const asking = (config: string) => foldersOf(join(ROOT, 'functions')).filter((name) => existsSync(join(ROOT, 'functions', name, 'role.yml')) && JSON.stringify(parseYaml(readFileSync(join(ROOT, 'functions', name, 'role.yml'), 'utf8'))).includes(`{"Config":"${config}"}`));
    const roles = { ReadRole: ['readRoles', 'readSignersRoles'], ContainRole: ['containRoles'], ContainPrincipalsRole: ['containPrincipalsRoles'], ContainSignersRole: ['containSignersRoles'], ProbeRole: ['probeRoles'] };
    for (const [id, configs] of Object.entries(roles)) {
      const statement = at(listOf(at(template, 'Resources', id, 'Properties', 'AssumeRolePolicyDocument', 'Statement'))[0], 'Condition');
      const named = [...JSON.stringify(at(statement, 'ArnEquals')).matchAll(/role\/\$\{Name\}-([a-z-]+)/g)].map(([, name]) => String(name));
      expect([id, named.toSorted()]).toEqual([id, configs.flatMap(asking).toSorted()]);
      expect(at(statement, 'StringEquals', 'sts:ExternalId')).toEqual({ Ref: 'ExternalId' });
    }
  });

  it('sends on everything that a trigger listens to', () => {
    const forward = ['ForwardedChanges', 'ForwardedFindings'].map((id) => parsePattern(Object(at(template, 'Resources', id, 'Properties', 'EventPattern'))));
    const types = foldersOf(join(ROOT, 'workflows')).flatMap((name) => listOf(at(JSON.parse(readFileSync(join(ROOT, 'workflows', name, 'playbook.json'), 'utf8')), 'triggers')).flatMap((trigger) => listOf(at(trigger, 'pattern', 'detail-type'))));
    expect(types.length).toBeGreaterThan(10);
    for (const type of new Set(types)) {
      const source = String(type).startsWith('GuardDuty') ? 'aws.guardduty' : 'aws.s3';
      expect([type, forward.filter((pattern) => matchesPattern(pattern, { source, 'detail-type': type, detail: {} })).length]).toEqual([type, 1]);
    }
  });
});

describe('what a member cannot send', () => {
  const resource = (id: string, ...path: readonly string[]) => at(template, 'Resources', id, 'Properties', ...path);

  it('is tried for a day, then lies in a queue that these rules alone may write to, and an alarm tells', () => {
    const rules = Object.entries(Object(at(template, 'Resources'))).filter(([, made]) => at(made, 'Type') === 'AWS::Events::Rule').map(([id]) => id);
    expect(rules).toHaveLength(2);
    for (const id of rules) expect(listOf(resource(id, 'Targets'))).toEqual([expect.objectContaining({ RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 }, DeadLetterConfig: { Arn: { 'Fn::GetAtt': ['UnsentEvents', 'Arn'] } } })]);
    const [fromRules] = listOf(resource('UnsentEventsPolicy', 'PolicyDocument', 'Statement'));
    const may = listOf(at(fromRules, 'Condition', 'ArnEquals', 'aws:SourceArn')).map((arn) => String(at(arn, 'Fn::Sub')).replace(/.*:rule\//, ''));
    expect(may.toSorted()).toEqual(rules.map((id) => String(at(resource(id, 'Name'), 'Fn::Sub'))).toSorted());
    expect(at(fromRules, 'Principal')).toEqual({ Service: 'events.amazonaws.com' });
    expect(resource('UnsentEvents')).toMatchObject({ MessageRetentionPeriod: 1_209_600, SqsManagedSseEnabled: true });
    expect(resource('UnsentEventsAlarm', 'Dimensions')).toEqual([{ Name: 'QueueName', Value: { 'Fn::GetAtt': ['UnsentEvents', 'QueueName'] } }]);
  });
});

describe('a suite with member accounts', () => {
  const EXTERNAL = 'an-external-id';
  let account: Account;
  let photos: Photos;
  let printed: string;
  const [member, other] = ['222233334444', '333344445555'];

  beforeAll(async () => {
    account = await startAccount({ clock: skippingClock() });
    photos = await seedPhotos(account, () => account.s3.settle(), true);
    const config = { modeCap: 'contain', sessionNamesPinned: true, verifyIntervalSeconds: 1, trackers: {}, responderRoles: [photos.roles.responder], auditorRoles: [photos.roles.auditor], accounts: [member, other], externalId: EXTERNAL } as const;
    const { name, urls } = await account.deploy({ config: { ...config, responderRoles: [...config.responderRoles], auditorRoles: [...config.auditorRoles], accounts: [...config.accounts] } });
    // The other one was set up with another external id than the configuration has.
    await Promise.all([account.deployMember(member, { Name: name, ExternalId: EXTERNAL }), account.deployMember(other, { Name: name, ExternalId: 'not-the-same-id' })]);
    const env = { AWS_REGION: 'us-east-1', STOPBATH_AUDIT_URL: urls['audit'], STOPBATH_RESPOND_URL: urls['respond'] };
    for (const [key, value] of Object.entries(env)) vi.stubEnv(key, value);
    const { accessKeyId, secretAccessKey, sessionToken = '' } = await photos.credentialsOf('rosa');
    for (const [key, value] of Object.entries({ ACCESS_KEY_ID: accessKeyId, SECRET_ACCESS_KEY: secretAccessKey, SESSION_TOKEN: sessionToken })) vi.stubEnv(`ROSA_AWS_${key}`, value);
    for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, 'write').mockImplementation((text) => (printed += String(text)) !== '');
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    await account.stop();
  });

  const says = async (...args: readonly string[]) => {
    printed = '';
    process.exitCode = undefined;
    const code = await run([...args, '--as', 'rosa']);
    process.exitCode = undefined;
    await account.idle(60_000);
    return [code, printed] as const;
  };
  const start = async (of: string) => await says('start', 'quarantine-bucket', '--bucket', `family-photos-${of}`, '--account', of, '--level', 'full', '--mode', 'contain', '--reason', 'leaked', '--json');
  const incidents = async (): Promise<readonly { readonly id: string; readonly status: string; readonly outcome: string; readonly target: { readonly account: string; readonly arn: string } }[]> => JSON.parse((await says('incidents', '--json'))[1]).incidents;

  it('contains a bucket of a member, and leaves the suite in at level full', async () => {
    await photos.attacks['make-public'](`family-photos-${member}`);
    expect((await start(member))[0]).toBe(0);
    const incident = (await incidents()).find(({ target }) => target.account === member);
    expect(incident).toMatchObject({ status: 'contained' });
    // The member's own trail says for which incident.
    const changes = account.calls.filter(({ service, operation, status }) => service === 's3' && operation === 'PutPublicAccessBlock' && status === 200).map(({ caller }) => caller);
    expect(changes).toContain(`arn:aws:sts::${member}:assumed-role/stopbath-dev-contain/${incident?.id ?? ''}`);
    const foreign = account.calls.filter(({ principalArn, service }) => service === 's3' && principalArn?.startsWith(`arn:aws:iam::${account.accounts.home}:role/stopbath-dev-quarantine-bucket`));
    expect(foreign.filter(({ needs, status }) => status === 200 && needs.some(({ resource }) => resource.includes(member)))).toEqual([]);
  });

  it('contains a user of a member there, and not the one of the same name at home', async () => {
    account.createUser('deploy-bot', undefined, member);
    const principal = `arn:aws:iam::${member}:user/deploy-bot`;
    expect((await says('start', 'contain-principal', '--principal', principal, '--mode', 'contain', '--reason', 'its key is in a public repository', '--json'))[0]).toBe(0);
    const incident = (await incidents()).find(({ target }) => target.arn === principal);
    expect(incident).toMatchObject({ status: 'contained', target: { account: member } });
    const changes = account.calls.filter(({ service, operation, caller, status }) => service === 'iam' && /^(Put|Update|Delete)/.test(operation) && caller.includes(':assumed-role/') && status === 200).map(({ operation, caller }) => [operation, caller]);
    const session = `arn:aws:sts::${member}:assumed-role/stopbath-dev-contain-principals/${incident?.id ?? ''}`;
    expect(changes).toEqual([['PutUserPolicy', session], ['UpdateAccessKey', session]]);
    expect([...(account.directory.users.find(account.accounts.home, 'deploy-bot')?.policies.keys() ?? [])]).toEqual(['deploy-bot']);
  });

  it("never touches a role of the suite's in a member", async () => {
    const principal = `arn:aws:iam::${member}:role/stopbath-dev-read`;
    await says('start', 'contain-principal', '--principal', principal, '--mode', 'contain', '--reason', 'tried', '--json');
    expect((await incidents()).find(({ target }) => target.arn === principal)).toMatchObject({ status: 'held', outcome: expect.stringContaining('a role of the suite itself') });
  });

  it('changes nothing where the external id is another, and says why', async () => {
    await start(other);
    const incident = (await incidents()).find(({ target }) => target.account === other);
    expect(incident).toMatchObject({ status: 'failed', outcome: expect.stringContaining('sts:AssumeRole') });
  });

  it('acts in no account that the configuration does not name', async () => {
    expect(await says('plan', 'quarantine-bucket', '--bucket', 'b', '--account', account.accounts.foreign)).toEqual([2, expect.stringContaining(`the suite acts in ${account.accounts.home}, ${member}, ${other}`)]);
  });
});
