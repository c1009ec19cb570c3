import { describe, expect, it } from 'vitest';
import type { Json } from './bucket.ts';
import { StateMovedError } from './apply.ts';
import { afterWithOthers, denialTakenBack, othersIn, othersRefusing, sameButOthers, withOthersOf } from './denials.ts';
import { policyText } from './policy.ts';
import { withUrlDenial, type UrlDenial } from './share/url-denial.ts';

const sid = (name: string, more: object = { Effect: 'Deny' }): { readonly [key: string]: Json } => ({ Sid: name, Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::family/*', ...more });
const [lab, closed, urls] = [sid('Lab', { Effect: 'Allow' }), sid('StopbathExternalinc1'), sid('StopbathUrlsinc2Presigned', { Effect: 'Deny', Resource: 'arn:aws:s3:::family/summer/*' })];
const policy = (...statements: readonly object[]) => policyText({ Version: '2012-10-17', Statement: statements });
/** A quarantine that came after a revocation. */
const entry = { incident: 'inc-1', before: policy(lab, urls), after: policy(lab, urls, closed) };

describe('denials of several incidents in one policy', () => {
  it.each([
    ['stand both', policy(lab, urls, closed), policy(lab, urls), false],
    ['was taken back, the other one', policy(lab, closed), policy(lab), false],
    ['came back, the other one', policy(lab, closed, urls), policy(lab, urls), false],
    ['is lifted already', policy(lab, urls), policy(lab, urls), false],
    ['is all that is left', policy(closed), null, true],
    ['stand beside what somebody wrote since', policy(lab, closed, urls, sid('Theirs')), policy(lab, urls, sid('Theirs')), true],
  ])('are taken back one by one: %s', (_, present, value, isNewer) => expect(denialTakenBack(entry, present)).toEqual({ value, isNewer }));

  it('neither come back nor go where an older policy is written over a newer one', () => {
    expect(withOthersOf(policy(lab, closed), entry.before, 'inc-1')).toBe(policy(lab));
    expect(withOthersOf(policy(sid('Theirs'), closed, urls), policy(lab), 'inc-1')).toBe(policy(lab, urls));
    expect(withOthersOf(policy(closed, urls), null, 'inc-1')).toBe(policy(urls));
  });

  it.each([
    ['nothing came between', policy(lab, urls), policy(lab, urls, closed)],
    ['it was written already', policy(lab, urls, closed), policy(lab, urls, closed)],
    ['one was put', policy(lab, urls, sid('StopbathFullinc3')), policy(lab, closed, urls, sid('StopbathFullinc3'))],
    ['one was taken back', policy(lab), policy(lab, closed)],
    ['one was put behind what was written', policy(lab, urls, closed, sid('StopbathFullinc3')), policy(lab, closed, urls, sid('StopbathFullinc3'))],
  ])('are not lost to a change that was planned before: %s', (_, present, written) => expect(afterWithOthers({ ...entry, setting: 'policy' }, present)).toBe(written));

  it('are no reason to plan again; what anybody else changed is', () => {
    expect(() => afterWithOthers({ ...entry, setting: 'policy' }, policy(lab, urls, sid('Theirs')))).toThrow(StateMovedError);
    expect(() => afterWithOthers({ ...entry, setting: 'policy' }, null)).toThrow(StateMovedError);
  });

  it('are no difference to each other; what lets somebody in is, whatever it is called', () => {
    expect(sameButOthers(entry.after, policy(lab, closed), 'inc-1')).toBe(true);
    expect(sameButOthers(entry.after, policy(lab, urls), 'inc-1')).toBe(false);
    const posing = policy(lab, urls, closed, sid('StopbathUrlsinc3Presigned', { Effect: 'Allow' }));
    expect([sameButOthers(entry.after, posing, 'inc-1'), othersIn(posing, 'inc-1')]).toEqual([false, ['StopbathUrlsinc2Presigned']]);
  });

  it('refuse URLs of what they name alone', () => {
    const present = policy(lab, urls, sid('StopbathUrlsinc3Cdn'), closed);
    expect(othersRefusing(present, 'inc-9', 'arn:aws:s3:::family/summer/1.jpg')).toEqual({ presigned: 'StopbathUrlsinc2Presigned', cdn: 'StopbathUrlsinc3Cdn' });
    expect(othersRefusing(present, 'inc-3', 'arn:aws:s3:::family/winter/1.jpg')).toEqual({ presigned: null, cdn: null });
    expect(othersRefusing(policy(sid('StopbathFullinc1')), 'inc-2', 'arn:aws:s3:::family/1.jpg')).toEqual({ presigned: 'StopbathFullinc1', cdn: 'StopbathFullinc1' });
  });

  it('keep their places, so that one that stands is not written again for what came behind it', () => {
    const denial: UrlDenial = { incident: 'inc-2', bucket: 'family', prefixes: ['summer/'], keys: [], tag: null, spared: [], distributions: [], identities: [] };
    const first = withUrlDenial(policy(lab), denial).policy ?? '';
    const both = policyText({ ...JSON.parse(first), Statement: [...(JSON.parse(first) as { readonly Statement: readonly object[] }).Statement, closed] });
    expect(withUrlDenial(both, denial).policy).toBe(both);
  });
});
