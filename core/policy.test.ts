import { describe, expect, it } from 'vitest';
import { settledPolicy } from './policy.ts';

const policyOf = (statement: object, ...more: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement: [statement, ...more] });
const [a, b] = ['arn:aws:s3:::family', 'arn:aws:s3:::family/*'];
const deny = { Sid: 'Deny', Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: [a, b], Condition: { ArnNotLike: { 'aws:PrincipalArn': ['arn:aws:iam::111122223333:role/one', 'arn:aws:iam::111122223333:role/two'] } } };

describe('one form of a policy, however S3 gives it back', () => {
  it.each([
    ['lists in another order', policyOf({ ...deny, Resource: [b, a] })],
    ['lists of one', policyOf({ ...deny, Action: ['s3:*'] })],
    ['other spaces', JSON.stringify(JSON.parse(policyOf(deny)), null, 2)],
    ['keys in another order', policyOf(Object.fromEntries(Object.entries(deny).toReversed()))],
    ['values of a condition in another order', policyOf({ ...deny, Condition: { ArnNotLike: { 'aws:PrincipalArn': deny.Condition.ArnNotLike['aws:PrincipalArn'].toReversed() } } })],
    ['everybody by the other name', policyOf({ ...deny, Principal: { AWS: ['*'] } })],
    ['its only statement by itself', JSON.stringify({ Version: '2012-10-17', Statement: deny })],
  ])('is the same for %s', (_, text) => {
    expect(settledPolicy(text)).toBe(settledPolicy(policyOf(deny)));
  });

  it.each([
    ['another value', policyOf({ ...deny, Resource: [a] })],
    ['another effect', policyOf({ ...deny, Effect: 'Allow' })],
    ['one more statement', policyOf(deny, { ...deny, Sid: 'More' })],
    ['everybody of another kind', policyOf({ ...deny, Principal: { Service: '*' } })],
  ])('is another for %s', (_, text) => {
    expect(settledPolicy(text)).not.toBe(settledPolicy(policyOf(deny)));
  });

  it('reads as AWS writes it, and leaves alone what is no JSON', () => {
    expect(settledPolicy(policyOf(deny))).toBe(policyOf(deny));
    expect(settledPolicy('{')).toBe('{');
  });
});
