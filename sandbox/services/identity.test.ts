import {
  CreateAccessKeyCommand, CreateRoleCommand, CreateUserCommand, DeleteRoleCommand, DeleteRolePolicyCommand, GetRoleCommand, GetRolePolicyCommand, GetUserCommand, IAMClient,
  ListRolePoliciesCommand, ListRolesCommand, PutRolePolicyCommand, PutUserPolicyCommand, UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { skippingClock } from '../clock.ts';
import { startSandbox } from '../sandbox.ts';
import type { Sandbox } from '../sandbox.ts';
import type { Credentials } from '../service.ts';

const HOME = '111122223333';
const FOREIGN = '444455556666';
const clients: { destroy(): void }[] = [];
let sandbox: Sandbox;
let iam: IAMClient;
let sts: STSClient;

beforeEach(async () => {
  sandbox = await startSandbox({ clock: skippingClock() });
  iam = as(IAMClient, sandbox.admin);
  sts = as(STSClient, sandbox.admin);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await sandbox.stop();
});

function as<T extends { destroy(): void }>(Client: new (config: { endpoint: string; region: string; credentials: Credentials; maxAttempts: number }) => T, credentials: Credentials): T {
  const client = new Client({ endpoint: sandbox.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  clients.push(client);
  return client;
}

const trusting = (Principal: object, more: object = {}) => ({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal, Action: 'sts:AssumeRole', ...more }] });
const allowing = (Action: string, Resource = '*') => ({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource }] });
const HOME_TRUST = trusting({ AWS: `arn:aws:iam::${HOME}:root` });

describe('IAM', () => {
  it('makes, shows, changes and drops roles with their policies, as they were written', async () => {
    const AssumeRolePolicyDocument = JSON.stringify(HOME_TRUST, null, 2);
    await iam.send(new CreateRoleCommand({ RoleName: 'signer', Path: '/photos/', AssumeRolePolicyDocument, Description: 'signs', MaxSessionDuration: 7200, Tags: [{ Key: 'team', Value: 'a&b' }] }));
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: 'signer' }));
    expect(Role).toMatchObject({ Arn: `arn:aws:iam::${HOME}:role/photos/signer`, Path: '/photos/', Description: 'signs', MaxSessionDuration: 7200, Tags: [{ Key: 'team', Value: 'a&b' }] });
    expect(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '')).toBe(AssumeRolePolicyDocument);

    const PolicyDocument = JSON.stringify(allowing('s3:GetObject', 'arn:aws:s3:::family/ü+*'));
    await iam.send(new PutRolePolicyCommand({ RoleName: 'signer', PolicyName: 'read', PolicyDocument }));
    const policy = await iam.send(new GetRolePolicyCommand({ RoleName: 'signer', PolicyName: 'read' }));
    expect(decodeURIComponent(policy.PolicyDocument ?? '')).toBe(PolicyDocument);
    expect((await iam.send(new ListRolePoliciesCommand({ RoleName: 'signer' }))).PolicyNames).toEqual(['read']);
    expect((await iam.send(new ListRolesCommand({ PathPrefix: '/photos/' }))).Roles?.map((role) => role.RoleName)).toEqual(['signer']);

    await expect(iam.send(new DeleteRoleCommand({ RoleName: 'signer' }))).rejects.toMatchObject({ name: 'DeleteConflictException', $metadata: { httpStatusCode: 409 } });
    await iam.send(new DeleteRolePolicyCommand({ RoleName: 'signer', PolicyName: 'read' }));
    await iam.send(new DeleteRoleCommand({ RoleName: 'signer' }));
    await expect(iam.send(new GetRoleCommand({ RoleName: 'signer' }))).rejects.toMatchObject({ name: 'NoSuchEntityException', message: 'The role with name signer cannot be found.', $metadata: { httpStatusCode: 404 } });
  });

  it.each<[string, () => Promise<unknown>, string]>([
    ['a policy that is none', () => iam.send(new PutRolePolicyCommand({ RoleName: 'taken', PolicyName: 'p', PolicyDocument: '{"Statement":' })), 'MalformedPolicyDocumentException'],
    ['a trust policy with a resource', () => iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'taken', PolicyDocument: JSON.stringify(trusting({ AWS: '*' }, { Resource: '*' })) })), 'MalformedPolicyDocumentException'],
    ['policies above the limit of a role', () => iam.send(new PutRolePolicyCommand({ RoleName: 'taken', PolicyName: 'p', PolicyDocument: JSON.stringify(allowing('x'.repeat(10_240))) })), 'LimitExceededException'],
    ['a name that is taken', () => iam.send(new CreateRoleCommand({ RoleName: 'TAKEN', AssumeRolePolicyDocument: JSON.stringify(HOME_TRUST) })), 'EntityAlreadyExistsException'],
    ['a name that is none', () => iam.send(new CreateRoleCommand({ RoleName: 'a b', AssumeRolePolicyDocument: JSON.stringify(HOME_TRUST) })), 'ValidationError'],
    ['a policy that is not there', () => iam.send(new GetRolePolicyCommand({ RoleName: 'taken', PolicyName: 'p' })), 'NoSuchEntityException'],
  ])('refuses %s', async (_, call, name) => {
    sandbox.createRole('taken', { trust: HOME_TRUST });
    await expect(call()).rejects.toMatchObject({ name });
  });

  it('makes users whose keys work with the policies that they have at the time', async () => {
    await iam.send(new CreateUserCommand({ UserName: 'rosa' }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'rosa' }));
    const rosa = as(IAMClient, { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' });
    await expect(rosa.send(new GetUserCommand({}))).rejects.toMatchObject({ name: 'AccessDenied' });
    await iam.send(new PutUserPolicyCommand({ UserName: 'rosa', PolicyName: 'self', PolicyDocument: JSON.stringify(allowing('iam:GetUser', 'arn:aws:iam::*:user/${aws:username}')) }));
    expect((await rosa.send(new GetUserCommand({}))).User?.UserName).toBe('rosa');
    await expect(rosa.send(new GetUserCommand({ UserName: 'admin' }))).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it('keeps accounts apart', async () => {
    sandbox.createRole('only-here', { trust: HOME_TRUST });
    await expect(as(IAMClient, sandbox.foreign.admin).send(new GetRoleCommand({ RoleName: 'only-here' }))).rejects.toMatchObject({ name: 'NoSuchEntityException' });
  });
});

describe('STS', () => {
  it('says who calls', async () => {
    expect(await sts.send(new GetCallerIdentityCommand({}))).toMatchObject({ Account: HOME, Arn: `arn:aws:iam::${HOME}:user/admin`, UserId: expect.stringMatching(/^AIDA/) });
    expect(await as(STSClient, sandbox.foreign.root).send(new GetCallerIdentityCommand({}))).toMatchObject({ Account: FOREIGN, Arn: `arn:aws:iam::${FOREIGN}:root`, UserId: FOREIGN });
  });

  it('gives a session of a role, known by its name', async () => {
    const RoleArn = sandbox.createRole('responder', { trust: HOME_TRUST });
    const given = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'rosa' }));
    expect(given.AssumedRoleUser).toMatchObject({ Arn: `arn:aws:sts::${HOME}:assumed-role/responder/rosa`, AssumedRoleId: expect.stringMatching(/^AROA\w+:rosa$/) });
    const ends = (given.Credentials?.Expiration?.getTime() ?? 0) - sandbox.clock.now();
    expect(Math.abs(ends - 3_600_000)).toBeLessThan(60_000);
    expect(await as(STSClient, sessionOf(given.Credentials)).send(new GetCallerIdentityCommand({}))).toMatchObject({ Arn: given.AssumedRoleUser?.Arn, UserId: given.AssumedRoleUser?.AssumedRoleId });
  });

  it('lets in whom the trust policy names; whom only the account is named for needs a permission too', async () => {
    const [named, other] = [sandbox.createUser('named'), sandbox.createUser('other')];
    const direct = sandbox.createRole('direct', { trust: trusting({ AWS: `arn:aws:iam::${HOME}:user/named` }) });
    const delegated = sandbox.createRole('delegated', { trust: HOME_TRUST });
    expect([await assume(named, direct), await assume(other, direct), await assume(named, delegated)]).toEqual(['ok', 'AccessDenied', 'AccessDenied']);
    expect(await assume(sandbox.createUser('may', allowing('sts:AssumeRole', delegated)), delegated)).toBe('ok');
    expect(await assume(sandbox.createUser('may-other', allowing('sts:AssumeRole', direct)), delegated)).toBe('AccessDenied');
    expect(await assume(sandbox.admin, `${direct}-not-there`)).toBe('AccessDenied');
  });

  it('crosses accounts where both sides agree and the external id is right', async () => {
    const role = sandbox.createRole('probe', { trust: trusting({ AWS: FOREIGN }, { Condition: { StringEquals: { 'sts:ExternalId': 'seven' } } }) });
    expect(await assume(sandbox.foreign.admin, role, { ExternalId: 'seven' })).toBe('ok');
    expect(await assume(sandbox.foreign.admin, role, { ExternalId: 'eight' })).toBe('AccessDenied');
    expect(await assume(sandbox.foreign.admin, role)).toBe('AccessDenied');
    expect(await assume(sandbox.createUser('poor', undefined, FOREIGN), role, { ExternalId: 'seven' })).toBe('AccessDenied');
  });

  it('can pin the session name to the user', async () => {
    const role = sandbox.createRole('responder', { trust: trusting({ AWS: HOME }, { Condition: { StringLike: { 'sts:RoleSessionName': '${aws:username}' } } }) });
    expect(await assume(sandbox.admin, role, { RoleSessionName: 'admin' })).toBe('ok');
    expect(await assume(sandbox.admin, role, { RoleSessionName: 'somebody-else' })).toBe('AccessDenied');
  });

  it('narrows a session by the policy that it was asked for with', async () => {
    const role = sandbox.createRole('wide', { trust: HOME_TRUST, policy: allowing('iam:*') });
    const { Credentials: given } = await sts.send(new AssumeRoleCommand({ RoleArn: role, RoleSessionName: 'me', Policy: JSON.stringify(allowing('iam:ListRoles')) }));
    const session = as(IAMClient, sessionOf(given));
    expect((await session.send(new ListRolesCommand({}))).Roles?.length).toBe(1);
    await expect(session.send(new GetRoleCommand({ RoleName: 'wide' }))).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it('cuts off sessions older than a time, and not those after it', async () => {
    const role = sandbox.createRole('signer', { trust: HOME_TRUST, policy: allowing('iam:ListRoles') });
    const session = async () => as(IAMClient, sessionOf((await sts.send(new AssumeRoleCommand({ RoleArn: role, RoleSessionName: 'me' }))).Credentials));
    const old = await session();
    const cutoff = new Date(sandbox.clock.now() + 1).toISOString();
    const deny = { Statement: [{ Effect: 'Deny', Action: '*', Resource: '*', Condition: { DateLessThan: { 'aws:TokenIssueTime': cutoff } } }] };
    await iam.send(new PutRolePolicyCommand({ RoleName: 'signer', PolicyName: 'revoke-older-sessions', PolicyDocument: JSON.stringify(deny) }));
    await expect(old.send(new ListRolesCommand({}))).rejects.toThrow('explicit deny');
    await sandbox.clock.sleep(1000);
    expect(await (await session()).send(new ListRolesCommand({}))).toMatchObject({ IsTruncated: false });
  });

  it.each([
    ['a session name that is none', { RoleSessionName: 'a b' }],
    ['less than 15 minutes', { DurationSeconds: 899 }],
    ['more than the role’s maximum', { DurationSeconds: 3601 }],
  ])('refuses %s', async (_, more) => {
    expect(await assume(sandbox.admin, sandbox.createRole('responder', { trust: HOME_TRUST }), more)).toBe('ValidationError');
  });
});

async function assume(credentials: Credentials, RoleArn: string, more: object = {}): Promise<string> {
  return as(STSClient, credentials)
    .send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'me', ...more }))
    .then(() => 'ok', (error: unknown) => (error instanceof Error ? error.name : ''));
}

function sessionOf(given: { AccessKeyId?: string | undefined; SecretAccessKey?: string | undefined; SessionToken?: string | undefined } | undefined): Credentials {
  return { accessKeyId: given?.AccessKeyId ?? '', secretAccessKey: given?.SecretAccessKey ?? '', sessionToken: given?.SessionToken ?? '' };
}
