import { expect, it } from 'vitest';
import { unpinnedStatements } from './trust.ts';

const statement = (more: object) => ({ Statement: [{ Sid: 'People', Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::111122223333:root' }, Action: 'sts:AssumeRole', ...more }] });

it.each([
  ['the user’s own name', { Condition: { StringEquals: { 'sts:RoleSessionName': '${aws:username}' } } }, []],
  ['anything', {}, ['People']],
  ['one of several names', { Condition: { StringLike: { 'sts:RoleSessionName': ['${aws:username}', '*'] } } }, ['People']],
  ['a name that may be absent', { Condition: { StringEqualsIfExists: { 'sts:RoleSessionName': '${aws:username}' } } }, ['People']],
  ['what the identity provider sets', { Principal: { Federated: 'arn:aws:iam::111122223333:saml-provider/idp' }, Action: 'sts:AssumeRoleWithSAML' }, []],
  ['what a web identity chooses', { Principal: { Federated: 'accounts.google.com' }, Action: 'sts:AssumeRoleWithWebIdentity' }, ['People']],
  ['a name that begins with the user’s', { Condition: { StringLike: { 'sts:RoleSessionName': '${aws:username}*' } } }, ['People']],
])('a trust policy that lets a session be called %s', (_, more, unpinned) => {
  expect(unpinnedStatements(statement(more))).toEqual(unpinned);
});
