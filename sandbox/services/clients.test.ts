import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSandbox } from '../sandbox.ts';
import type { Sandbox } from '../sandbox.ts';
import { createDynamodb } from './dynamodb.ts';
import { createIam } from './iam.ts';
import { createSsm } from './ssm.ts';
import { createSts } from './sts.ts';
import { askOtherClients } from './other-clients.ts';

let sandbox: Sandbox;
let answer: {
  readonly boto3: Readonly<Record<string, unknown>>;
  readonly errors: Readonly<Record<string, string>>;
  readonly cli: Readonly<Record<string, readonly [code: number, output: string]>>;
} | null = null;

beforeAll(async () => {
  sandbox = await startSandbox();
  answer = await askOtherClients(new URL('clients.py', import.meta.url), 'IAM, STS, DynamoDB and SSM', sandbox);
});
afterAll(() => sandbox.stop());

describe('other clients', () => {
  it('call every operation of IAM, STS, DynamoDB and SSM by boto3', () => {
    if (!answer) return;
    expect(Object.entries(answer.boto3).filter(([, outcome]) => outcome !== 'ok')).toEqual([]);
    const called = new Set(Object.keys(answer.boto3).map((name) => name.replaceAll('_', '').toLowerCase()));
    const services = [createIam(sandbox.directory), createSts(sandbox.world, sandbox.directory), createDynamodb(), createSsm()];
    const served = services.flatMap((service) => Object.keys(service.operations).map((name) => `${service.name}:${name}`));
    expect(served.filter((name) => !called.has(name.toLowerCase()))).toEqual([]);
  });

  it('see AWS’s errors', () => {
    if (!answer) return;
    expect(answer.errors).toEqual({
      'iam:get_role': 'An error occurred (NoSuchEntity) when calling the GetRole operation: The role with name absent cannot be found.',
      'dynamodb:describe_table': 'An error occurred (ResourceNotFoundException) when calling the DescribeTable operation: Requested resource not found: Table: absent not found',
      'ssm:get_ops_item': 'An error occurred (OpsItemNotFoundException) when calling the GetOpsItem operation: OpsItem ID oi-ffffffffffff not found.',
      'ssm:get_parameter': 'An error occurred (ParameterNotFound) when calling the GetParameter operation: ',
      'iam:list_groups': 'An error occurred (NotImplemented) when calling the ListGroups operation: The sandbox does not serve iam:ListGroups',
      'sts wrong': 'SignatureDoesNotMatch',
      'sts unknown': 'InvalidClientTokenId',
      'dynamodb wrong': 'InvalidSignatureException',
      'dynamodb unknown': 'UnrecognizedClientException',
    });
  });

  it('work by the AWS CLI', () => {
    if (!answer) return;
    const { 'iam get-role --role-name absent': failed, ...worked } = answer.cli;
    expect(Object.entries(worked).filter(([, [code]]) => code !== 0)).toEqual([]);
    expect(JSON.parse(worked['dynamodb scan --table-name cli']?.[1] ?? '')).toMatchObject({ Items: [{ pk: { S: 'a' } }] });
    expect(failed?.[0]).not.toBe(0);
    expect(failed?.[1]).toContain('(NoSuchEntity) when calling the GetRole operation');
  });
});
