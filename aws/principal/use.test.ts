import { GenerateServiceLastAccessedDetailsCommand, GetRolePolicyCommand, GetServiceLastAccessedDetailsCommand, IAMClient, ListInstanceProfilesForRoleCommand, ListRolePoliciesCommand } from '@aws-sdk/client-iam';
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { principalOf, type PrincipalState } from '../../core/principal/principal.ts';
import { createClients } from '../clients.ts';
import type { Tools } from '../function.ts';
import { readSettings } from '../settings.ts';
import { readRoom } from './state.ts';
import { askForReport, readUse } from './use.ts';

const NAMED = 'arn:aws:iam::111122223333:role/photo-service';
const WITH_PATH = 'arn:aws:iam::111122223333:role/service/photo-service';
const settings = readSettings({ AWS_REGION: 'us-east-1', AWS_LAMBDA_FUNCTION_NAME: 'x', STOPBATH_NAME: 'stopbath-dev', STOPBATH_ACCOUNT: '111122223333', STOPBATH_TABLE: 't', STOPBATH_EVIDENCE_BUCKET: 'b' });
const tools = { settings, clients: createClients('us-east-1'), now: () => '2026-01-01T00:00:00.000Z' } as Tools;
const role = principalOf(NAMED);
const iam = mockClient(IAMClient);
const lambda = mockClient(LambdaClient);

beforeEach(() => {
  iam.on(GenerateServiceLastAccessedDetailsCommand).callsFake(({ Arn }: { readonly Arn: string }) => ({ JobId: `of ${Arn}` }));
  iam.on(GetServiceLastAccessedDetailsCommand).callsFake(({ JobId }: { readonly JobId: string }) => ({ JobStatus: 'COMPLETED', ServicesLastAccessed: [{ ServiceNamespace: JobId, LastAuthenticated: new Date('2026-01-01') }] }));
  iam.on(ListInstanceProfilesForRoleCommand).resolves({});
  lambda.on(ListFunctionsCommand).resolves({});
});
afterEach(() => {
  iam.reset();
  lambda.reset();
});

const standing = (arn: string): PrincipalState => ({ arn, path: '/', keys: {}, hasPassword: false, deny: null, trust: null });
const asked = () => iam.commandCalls(GenerateServiceLastAccessedDetailsCommand).map(({ args }) => args[0].input.Arn);

it.each([
  ['a role without a path', NAMED, [NAMED]],
  ['a role with a path, whom the ARN that was said does not mean', WITH_PATH, [NAMED, WITH_PATH]],
])('reports the use of %s', async (_, arn, jobs) => {
  const report = await askForReport(tools, NAMED);
  expect((await readUse(tools, role, standing(arn), () => report)).lastAccessed).toEqual([`of ${arn}, last on 2026-01-01`]);
  expect(asked()).toEqual(jobs);
});

it('asks for a report by the whole ARN where IAM knew nobody by the one that was said', async () => {
  const nobody = () => {
    throw new Error('NoSuchEntity');
  };
  expect((await readUse(tools, role, standing(WITH_PATH), nobody)).lastAccessed).toEqual([`of ${WITH_PATH}, last on 2026-01-01`]);
});

it('leaves room for what the policies of others do not take, white space aside', async () => {
  iam.on(ListRolePoliciesCommand).resolves({ PolicyNames: ['own', 'StopbathContain-inc-1'] });
  iam.on(GetRolePolicyCommand, { PolicyName: 'own' }).resolves({ PolicyDocument: encodeURIComponent('{ "Version": "1" }') });
  iam.on(GetRolePolicyCommand, { PolicyName: 'StopbathContain-inc-1' }).rejects(new Error('asked for elsewhere'));
  expect(await readRoom(tools, role, 'inc-1')).toBe(10_240 - '{"Version":"1"}'.length);
});
