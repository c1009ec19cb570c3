import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAccount, type TestAccount } from './testing.ts';
import { askOtherClients } from '../other-clients.ts';

let account: TestAccount;
let answer: { readonly boto3: Readonly<Record<string, unknown>>; readonly cli: Readonly<Record<string, readonly [number, string, string]>> } | null = null;

beforeAll(async () => {
  account = await startTestAccount();
  account.makeFunction('echo', 'export const handler = async (event) => event;');
  answer = await askOtherClients(new URL('clients.py', import.meta.url), 'Lambda and EventBridge', account);
});
afterAll(() => account.stop());

describe('other clients of Lambda and EventBridge', () => {
  it('call every operation by boto3', () => {
    if (!answer) return;
    expect(Object.entries(answer.boto3).filter(([, outcome]) => typeof outcome === 'string' && outcome !== 'ok')).toEqual([]);
    const called = new Set(Object.keys(answer.boto3).map((name) => name.replaceAll('_', '')));
    const offered = [account.lambda, account.events].flatMap((service) => Object.keys(service.operations));
    expect(offered.filter((name) => !called.has(name.toLowerCase()))).toEqual([]);
  });

  it('read what was answered', () => {
    if (!answer) return;
    expect(answer.boto3).toMatchObject({
      invoke: { StatusCode: 200, Payload: '{"a":1}' },
      get_function_url_config: { FunctionUrl: `${account.endpoint}/lambda-url/echo/`, AuthType: 'AWS_IAM' },
      describe_rule: { Name: 'r', State: 'ENABLED', EventPattern: '{"source": ["a"]}' },
      put_events: { FailedEntryCount: 1, Entries: [{ ErrorCode: 'NotAuthorizedForSourceException' }] },
      test_event_pattern: { Result: true },
    });
  });

  it('work by the AWS CLI, and see AWS’s errors', () => {
    if (!answer) return;
    const { missing, ...others } = answer.cli;
    expect(others).toEqual({ url: [0, 'AWS_IAM', ''], invoke: [0, '200', ''], rules: [0, '[]', ''] });
    expect(missing?.[2]).toContain('(ResourceNotFoundException) when calling the DescribeRule operation: Rule nobody does not exist on EventBus default.');
  });
});
