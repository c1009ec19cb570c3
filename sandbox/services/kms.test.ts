import { GetPublicKeyCommand, KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAccount, type Account } from '../account.ts';
import { keyIdOf } from './kms.ts';

let account: Account;
let role: string;
let KeyId: string;
const clientOf = (credentials: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }) => new KMSClient({ endpoint: account.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
const message = Buffer.from('a seal');
const digest = createHash('sha256').update(message).digest();
const input = () => ({ KeyId, Message: digest, MessageType: 'DIGEST', SigningAlgorithm: 'ECDSA_SHA_256' }) as const;

beforeAll(async () => {
  account = await startAccount();
  role = account.createRole('signer', { trust: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] } });
  const policy = {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { AWS: role }, Action: 'kms:Sign', Resource: '*', Condition: { StringEquals: { 'kms:MessageType': 'DIGEST' } } },
      { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account.accounts.home}:root` }, Action: ['kms:GetPublicKey', 'kms:PutKeyPolicy'], Resource: '*' },
    ],
  };
  const caller = account.directory.findKey(account.admin.accessKeyId)?.caller;
  if (caller) await account.world.call('kms', 'CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Policy: JSON.stringify(policy), Tags: [{ TagKey: 'aws:cloudformation:logical-id', TagValue: 'TestKey' }] }, caller);
  KeyId = keyIdOf(account.accounts.home, 'TestKey');
});
afterAll(() => account.stop());

describe('KMS', () => {
  it('signs a digest so that the public key verifies it over the message', async () => {
    const { Signature } = await clientOf(account.world.credentials(role, 'test', 'lambda.amazonaws.com')).send(new SignCommand(input()));
    const { PublicKey } = await clientOf(account.admin).send(new GetPublicKeyCommand({ KeyId }));
    const key = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
    expect(verify('sha256', message, key, Signature ?? new Uint8Array())).toBe(true);
    expect(verify('sha256', Buffer.from('another'), key, Signature ?? new Uint8Array())).toBe(false);
  });

  it('lets the key’s policy decide: an administrator of everything cannot sign', async () => {
    await expect(clientOf(account.admin).send(new SignCommand(input()))).rejects.toMatchObject({ name: 'AccessDeniedException', message: expect.stringContaining('kms:Sign') });
    await expect(clientOf(account.root).send(new SignCommand(input()))).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  it('counts identity policies only where the key’s leaves it to the account', async () => {
    const reader = account.createUser('reader', { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'kms:GetPublicKey', Resource: '*' }] });
    await expect(clientOf(reader).send(new GetPublicKeyCommand({ KeyId }))).resolves.toMatchObject({ KeySpec: 'ECC_NIST_P256' });
    await expect(clientOf(account.createUser('nobody')).send(new GetPublicKeyCommand({ KeyId }))).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  it('refuses what is no digest, and a key that is not there', async () => {
    const signer = clientOf(account.world.credentials(role, 'test', 'lambda.amazonaws.com'));
    await expect(signer.send(new SignCommand({ ...input(), Message: message }))).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(signer.send(new SignCommand({ ...input(), KeyId: 'not-there' }))).rejects.toMatchObject({ name: 'NotFoundException' });
  });
});
