import { CreateAccessKeyCommand, CreateLoginProfileCommand, CreateUserCommand, DeleteUserPolicyCommand, GenerateServiceLastAccessedDetailsCommand, GetLoginProfileCommand, GetServiceLastAccessedDetailsCommand, GetUserPolicyCommand, IAMClient, ListAccessKeysCommand, ListInstanceProfilesForRoleCommand, ListUserPoliciesCommand, ListUsersCommand, PutUserPolicyCommand, SimulatePrincipalPolicyCommand, UpdateAccessKeyCommand } from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSandbox, type Sandbox } from '../sandbox.ts';

/** What containing a principal calls, as any client sees it. */
let sandbox: Sandbox;
let admin: IAMClient;
let thief: IAMClient;
let key = '';

beforeAll(async () => {
  sandbox = await startSandbox();
  admin = new IAMClient({ endpoint: sandbox.endpoint, region: 'us-east-1', credentials: sandbox.admin });
  const made = sandbox.createUser('bot', { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iam:ListUsers', Resource: '*' }] });
  key = made.accessKeyId;
  thief = new IAMClient({ endpoint: sandbox.endpoint, region: 'us-east-1', credentials: made });
});
afterAll(async () => {
  admin.destroy();
  thief.destroy();
  await sandbox.stop();
});

const UserName = 'bot';
const deny = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: ['*'], Resource: ['*'] }] });

describe('a user', () => {
  it('has keys, and one that is switched off is not known any more', async () => {
    expect((await admin.send(new ListAccessKeysCommand({ UserName }))).AccessKeyMetadata).toMatchObject([{ AccessKeyId: key, Status: 'Active' }]);
    expect((await thief.send(new ListUsersCommand({}))).Users?.length).toBeGreaterThan(0);
    await admin.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId: key, Status: 'Inactive' }));
    await expect(thief.send(new ListUsersCommand({}))).rejects.toMatchObject({ name: 'InvalidClientTokenId' });
    await admin.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId: key, Status: 'Active' }));
    expect((await thief.send(new ListUsersCommand({}))).IsTruncated).toBe(false);
    await expect(admin.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId: 'AKIAAAAAAAAAAAAAAAAA', Status: 'Inactive' }))).rejects.toMatchObject({ name: 'NoSuchEntityException' });
  });

  it('is refused everything by a deny, until it goes', async () => {
    const named = { UserName, PolicyName: 'StopbathContain-x' };
    await admin.send(new PutUserPolicyCommand({ ...named, PolicyDocument: deny }));
    expect((await admin.send(new ListUserPoliciesCommand({ UserName }))).PolicyNames).toContain('StopbathContain-x');
    expect(decodeURIComponent((await admin.send(new GetUserPolicyCommand(named))).PolicyDocument ?? '')).toBe(deny);
    await expect(thief.send(new ListUsersCommand({}))).rejects.toThrow('explicit deny');
    await admin.send(new DeleteUserPolicyCommand(named));
    await expect(admin.send(new DeleteUserPolicyCommand(named))).rejects.toMatchObject({ name: 'NoSuchEntityException' });
    expect((await thief.send(new ListUsersCommand({}))).IsTruncated).toBe(false);
  });

  it('has a password where one was made', async () => {
    await admin.send(new CreateUserCommand({ UserName: 'anna' }));
    await expect(admin.send(new GetLoginProfileCommand({ UserName: 'anna' }))).rejects.toMatchObject({ name: 'NoSuchEntityException' });
    await admin.send(new CreateLoginProfileCommand({ UserName: 'anna', Password: 'not-kept-anywhere-1' }));
    expect((await admin.send(new GetLoginProfileCommand({ UserName: 'anna' }))).LoginProfile?.UserName).toBe('anna');
  });

  it('is known by what it used', async () => {
    await thief.send(new ListUsersCommand({}));
    const { JobId } = await admin.send(new GenerateServiceLastAccessedDetailsCommand({ Arn: 'arn:aws:iam::111122223333:user/bot' }));
    const { JobStatus, ServicesLastAccessed } = await admin.send(new GetServiceLastAccessedDetailsCommand({ JobId }));
    expect([JobStatus, ServicesLastAccessed?.map(({ ServiceNamespace }) => ServiceNamespace)]).toEqual(['COMPLETED', ['iam']]);
  });

  it('may do to its own keys nothing that its policies do not say', async () => {
    await expect(thief.send(new CreateAccessKeyCommand({ UserName }))).rejects.toThrow('iam:CreateAccessKey');
    await expect(thief.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId: key, Status: 'Inactive' }))).rejects.toThrow('iam:UpdateAccessKey');
  });
});

describe('SimulatePrincipalPolicy', () => {
  const decisions = async (role: string, issued: string) => (await admin.send(new SimulatePrincipalPolicyCommand({ PolicySourceArn: role, ActionNames: ['s3:GetObject', 'iam:ListRoles'], ContextEntries: [{ ContextKeyName: 'aws:TokenIssueTime', ContextKeyType: 'date', ContextKeyValues: [issued] }] }))).EvaluationResults?.map(({ EvalDecision }) => EvalDecision);
  it('answers as the policies would, by when the session was issued', async () => {
    const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }, { Effect: 'Deny', Action: '*', Resource: '*', Condition: { DateLessThan: { 'aws:TokenIssueTime': '2026-01-01T00:00:00Z' } } }] };
    const role = sandbox.createRole('half', { trust: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'ecs-tasks.amazonaws.com' }, Action: 'sts:AssumeRole' }] }, policy });
    expect(await decisions(role, '2025-12-31T23:59:59Z')).toEqual(['explicitDeny', 'explicitDeny']);
    expect(await decisions(role, '2026-01-01T00:00:01Z')).toEqual(['allowed', 'implicitDeny']);
    expect((await admin.send(new ListInstanceProfilesForRoleCommand({ RoleName: 'half' }))).InstanceProfiles).toEqual([]);
  });
});
