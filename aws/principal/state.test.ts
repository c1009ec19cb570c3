import { GetUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { mockClient } from 'aws-sdk-client-mock';
import { expect, it } from 'vitest';
import { HeldError } from '../../core/held.ts';
import { principalOf } from '../../core/principal/principal.ts';
import { createClients } from '../clients.ts';
import type { Tools } from '../function.ts';
import { readSettings } from '../settings.ts';
import { readPrincipal } from './state.ts';

it('reads nobody of an account that is not configured: the suite\'s own has somebody else of that name', async () => {
  const iam = mockClient(IAMClient);
  iam.on(GetUserCommand).resolves({});
  const settings = readSettings({ AWS_REGION: 'us-east-1', AWS_LAMBDA_FUNCTION_NAME: 'x', STOPBATH_NAME: 'stopbath-dev', STOPBATH_ACCOUNT: '111122223333', STOPBATH_ACCOUNTS: '444455556666', STOPBATH_TABLE: 't', STOPBATH_EVIDENCE_BUCKET: 'b' });
  const tools = { settings, clients: createClients('us-east-1'), now: () => '2026-01-01T00:00:00.000Z' } as Tools;
  await expect(readPrincipal(tools, principalOf('arn:aws:iam::999999999999:user/anna'), 'inc-1')).rejects.toThrow(HeldError);
  expect(iam.calls()).toEqual([]);
  iam.restore();
});
