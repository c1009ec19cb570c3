import { DeleteParameterCommand, GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startSandbox, type Sandbox } from '../../sandbox.ts';
import { messageOf, outcomeOf } from '../s3/harness.ts';

let sandbox: Sandbox;
const clients: SSMClient[] = [];
const as = (credentials: Sandbox['admin']) => {
  const client = new SSMClient({ endpoint: sandbox.endpoint, region: 'us-east-1', credentials });
  clients.push(client);
  return client;
};
beforeAll(async () => void (sandbox = await startSandbox()));
afterAll(async () => {
  clients.forEach((client) => client.destroy());
  await sandbox.stop();
});

it('keeps a secret, once under a name, for who may read it', async () => {
  const ssm = as(sandbox.admin);
  const put = (Value: string, Overwrite = false) => ssm.send(new PutParameterCommand({ Name: '/one/secret', Value, Type: 'SecureString', Overwrite }));
  await put('s3cret');
  expect(await outcomeOf(put('other'))).toBe('400 ParameterAlreadyExists');
  expect((await put('second', true)).Version).toBe(2);
  const get = (WithDecryption: boolean) => new GetParameterCommand({ Name: '/one/secret', WithDecryption });
  expect((await ssm.send(get(true))).Parameter?.Value).toBe('second');
  expect((await ssm.send(get(false))).Parameter?.Value).not.toContain('second');
  expect(await messageOf(as(sandbox.createUser('nobody')).send(get(true)))).toContain('ssm:GetParameter on resource: arn:aws:ssm:us-east-1:111122223333:parameter/one/secret');
  await ssm.send(new DeleteParameterCommand({ Name: '/one/secret' }));
  expect(await outcomeOf(ssm.send(get(true)))).toBe('400 ParameterNotFound');
  expect(await outcomeOf(put('x'.repeat(4097)))).toBe('400 ValidationException');
});
