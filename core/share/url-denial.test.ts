import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../policy.ts';
import { POLICY_LIMIT_BYTES } from '../quarantine/levels.ts';
import { withoutUrlDenial, withUrlDenial, type UrlDenial } from './url-denial.ts';

const own = JSON.stringify({ Version: '2008-10-17', Id: 'theirs', Statement: { Sid: 'Lab', Effect: 'Allow', Principal: { AWS: '111122223333' }, Action: 's3:GetObject', Resource: 'arn:aws:s3:::photos/*' } });
const denial: UrlDenial = { incident: 'inc-1', bucket: 'photos', prefixes: ['albums/one/'], keys: [], tag: null, spared: [], distributions: [], identities: [] };
const places = (policy: string | null) => parsePolicy(policy ?? '{}').statements.filter(({ effect }) => effect === 'Deny').map(({ resources }) => resources);
const keys = (count: number, folder: (n: number) => string) => Array.from({ length: count }, (_, n) => `${folder(n)}picture-${n}.jpg`);

describe('a denial of URLs', () => {
  it('asks how a request is signed and spares the signer, and leaves what others wrote', () => {
    const { policy } = withUrlDenial(own, { ...denial, spared: ['arn:aws:iam::111122223333:role/signer'], distributions: ['arn:aws:cloudfront::111122223333:distribution/E1'] });
    const [theirs, presigned, cdn] = parsePolicy(policy ?? '').statements;
    expect(theirs?.sid).toBe('Lab');
    expect(presigned).toMatchObject({ effect: 'Deny', principal: { AWS: ['*'] }, resources: ['arn:aws:s3:::photos/albums/one/*'] });
    expect(presigned?.conditions).toEqual([
      { operator: 'ArnNotEquals', key: 'aws:principalarn', values: ['arn:aws:iam::111122223333:role/signer'] },
      { operator: 'StringEquals', key: 's3:authtype', values: ['REST-QUERY-STRING'] },
    ]);
    expect(cdn).toMatchObject({ principal: { Service: ['cloudfront.amazonaws.com'] }, conditions: [{ key: 'aws:sourcearn' }] });
    expect(JSON.parse(policy ?? '{}')).toMatchObject({ Version: '2008-10-17', Id: 'theirs' });
  });

  it('is the same when it is there already, and goes without a trace of its own', () => {
    const first = withUrlDenial(null, denial).policy;
    expect(withUrlDenial(first, denial).policy).toBe(first);
    const both = withUrlDenial(first, { ...denial, incident: 'inc-12' }).policy;
    expect(parsePolicy(withoutUrlDenial(both, 'inc-1') ?? '').statements.map(({ sid }) => sid)).toEqual(['StopbathUrlsinc12Presigned']);
    expect(withoutUrlDenial(first, 'inc-1')).toBeNull();
    expect(withoutUrlDenial(own, 'inc-1')).toBe(own);
  });

  it('reads a key as a key, whatever is in it', () => {
    const { policy } = withUrlDenial(null, { ...denial, prefixes: [], keys: ['a/*.jpg', 'b/${aws:username}?'] });
    expect(places(policy)).toEqual([['arn:aws:s3:::photos/a/?.jpg', 'arn:aws:s3:::photos/b/?{aws:username}?']]);
  });

  it('takes folders where keys do not fit, and says what else that denies', () => {
    const { policy, notes } = withUrlDenial(own, { ...denial, keys: keys(900, (n) => `albums/${n % 20}/`) });
    expect(Buffer.byteLength(policy ?? '')).toBeLessThanOrEqual(POLICY_LIMIT_BYTES);
    expect(places(policy)[0]).toContain('arn:aws:s3:::photos/albums/7/*');
    expect(notes.join(' ')).toMatch(/901 places do not fit .* 21 whole folders are denied, and with them everything else that lies there/);
  });

  it('takes the tag before that, where objects carry one', () => {
    const { policy } = withUrlDenial(own, { ...denial, keys: keys(900, (n) => `albums/${n}/`), tag: { key: 'album', value: 'one' } });
    expect(places(policy)).toEqual([['arn:aws:s3:::photos/*']]);
    expect(policy).toContain('"s3:ExistingObjectTag/album":"one"');
  });

  it('says how much does not fit at all', () => {
    const cut = withUrlDenial(own, { ...denial, keys: keys(900, (n) => `albums/an-album-with-a-long-name-${n}/`) });
    expect(Buffer.byteLength(cut.policy ?? '')).toBeLessThanOrEqual(POLICY_LIMIT_BYTES);
    expect(cut.notes.at(-1)).toMatch(/^\d+ of 901 folders do not fit .* quarantine the bucket\.$/);
    const full = JSON.stringify({ Version: '2012-10-17', Statement: [], Id: 'x'.repeat(POLICY_LIMIT_BYTES - 100) });
    expect(withUrlDenial(full, denial).policy).toBeNull();
  });
});
