import { expect, it } from 'vitest';
import { ownersIn, replacing, withoutSecrets } from './redact.ts';

it('takes out tokens, wherever a history keeps them', () => {
  const parameters = JSON.stringify({ FunctionName: 'ask', Payload: { token: 'AQCEAAAA', incident: 'inc-1' } });
  const written = JSON.stringify({ ExpressionAttributeValues: { ':token': { S: 'AQCEAAAA' } } });
  const kept = withoutSecrets({ taskToken: 'AQCEAAAA', events: [{ taskScheduledEventDetails: { parameters } }, { taskScheduledEventDetails: { parameters: written } }] });
  expect(JSON.stringify(kept)).not.toContain('AQCEAAAA');
  expect(JSON.stringify(kept)).toContain('inc-1');
});

it('takes out what makes a presigned URL work', () => {
  const url = 'https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIA%2F20261124&X-Amz-Date=20261124T000000Z&X-Amz-Signature=abc123&x=1';
  expect(withoutSecrets({ note: `found ${url} in a log` })).toEqual({ note: 'found https://b.s3.amazonaws.com/k?X-Amz-Credential=(not kept)&X-Amz-Date=20261124T000000Z&X-Amz-Signature=(not kept)&x=1 in a log' });
});

it('leaves every other text byte for byte, JSON within it too', () => {
  const value = { policy: '{ "Version":"2012-10-17",  "Statement": [] }', n: 1, none: null, list: ['{not json', true] };
  expect(withoutSecrets(value)).toEqual(value);
});

it('finds owners by key and as targets, and replaces them everywhere', () => {
  const value = { target: { kind: 'owner', name: 'u-17', arn: 'arn:x:owner/u-17' }, changes: [{ ownerId: 'u-18' }], title: 'links of u-17', more: JSON.stringify({ ownerIds: ['u-19'] }), link: { kind: 'link', name: 'u-20' } };
  expect(ownersIn(value)).toEqual(new Set(['u-17', 'u-18', 'u-19']));
  expect(JSON.stringify(replacing(value, new Map([['u-17', 'owner-a'], ['u-18', 'owner-b'], ['u-19', 'owner-c']])))).not.toMatch(/u-1[789]/);
});

it('takes an owner for an owner, whatever the name looks like, and touches no other word', () => {
  const value = { target: { kind: 'owner', name: 'owner-anna', arn: 'share:1:owner/owner-anna' }, ownerId: 'a', text: 'a link of owner-anna, an album' };
  expect(ownersIn(value)).toEqual(new Set(['owner-anna', 'a']));
  expect(replacing(value, new Map([['owner-anna', 'owner-1'], ['a', 'owner-2']]))).toMatchObject({ target: { arn: 'share:1:owner/owner-1' }, text: 'owner-2 link of owner-1, an album' });
  expect(ownersIn({ ownerId: `owner-${'0'.repeat(24)}` })).toEqual(new Set());
  expect(ownersIn({ targets: ['share:111122223333:owner/a b', 'share:111122223333:album/x'] })).toEqual(new Set(['a b']));
});
