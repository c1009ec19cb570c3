import { describe, expect, it } from 'vitest';
import { PlaybookInputError, readInputs } from './inputs.ts';
import { readPlaybook } from './playbook.ts';
import { scopeOf } from './share/scope.ts';

const playbook = readPlaybook('close-share', {
  title: 'Close', description: 'Closes.', targets: ['bucket'], defaultMode: 'observe', attack: [], triggers: [],
  inputs: {
    bucket: { description: 'Its name.', target: 'bucket' },
    inside: { description: 'What is in one.', target: 'bucket', contents: true },
    linkIds: { description: 'Links.', type: 'list', target: 'link' },
    issuedBy: { description: 'Who made them.', type: 'arn', target: 'principal', example: 'arn:aws:iam::111122223333:role/photo-signer' },
    since: { description: 'From when on.', type: 'instant', with: ['issuedBy'], required: true },
    prefix: { description: 'Where.', with: ['bucket'], narrows: true },
    keys: { description: 'Which.', type: 'list', with: ['bucket'], without: ['prefix'], narrows: true },
    level: { description: 'How far.', values: { public: 'a', full: 'b' }, default: 'public' },
  },
});
const place = { account: '111122223333', region: 'us-east-1' };
const read = (given: Readonly<Record<string, unknown>>) => readInputs(playbook, given, place);

describe('inputs of a start by hand', () => {
  it('names the target and fills in defaults', () => {
    expect(read({ bucket: 'photos', prefix: 'a/' })).toEqual({
      target: { kind: 'bucket', arn: 'arn:aws:s3:::photos/a/*', name: 'photos', ...place },
      inputs: { bucket: 'photos', prefix: 'a/', level: 'public' },
    });
  });

  it('takes a principal with its path and without for one target, and keeps what was said', () => {
    const [path, plain] = ['role/ops/photos/signer', 'role/signer'].map((name) => read({ issuedBy: `arn:aws:iam::111122223333:${name}`, since: '2026-11-24T10:00:00Z' }));
    expect([path?.target.arn, plain?.target.arn]).toEqual(['arn:aws:iam::111122223333:role/signer', 'arn:aws:iam::111122223333:role/signer']);
    expect(path?.inputs['issuedBy']).toBe('arn:aws:iam::111122223333:role/ops/photos/signer');
    expect(path && scopeOf({ id: 'inc-1', ...path })).toMatchObject({ kind: 'issuer', principal: 'arn:aws:iam::111122223333:role/ops/photos/signer' });
  });

  it('takes a list as text or as array, each item once', () => {
    const texts = read({ linkIds: 'a, b,a' });
    expect(texts.inputs['linkIds']).toEqual(['a', 'b']);
    expect(texts.target.arn).toBe(read({ linkIds: ['b', 'a'] }).target.arn);
  });

  it('tells the parts of a target apart, in whatever order they are said', () => {
    const arn = (given: Readonly<Record<string, unknown>>) => read({ bucket: 'photos', ...given }).target.arn;
    expect([arn({}), arn({ prefix: 'a/' }), arn({ keys: 'a/1.jpg' })]).toEqual(['arn:aws:s3:::photos', 'arn:aws:s3:::photos/a/*', 'arn:aws:s3:::photos/a/1.jpg']);
    // What is in a bucket is not the bucket: a quarantine of it stands in nobody's way.
    expect(read({ inside: 'photos' }).target).toMatchObject({ kind: 'bucket', name: 'photos', arn: 'arn:aws:s3:::photos/*' });
    expect(arn({ keys: 'b,a' })).toBe(arn({ keys: 'a,b' }));
    expect(arn({ keys: 'a,c' })).not.toBe(arn({ keys: 'a,b' }));
  });

  it('takes the account of a principal from its ARN', () => {
    const account = (issuedBy: string) => read({ issuedBy, since: '2026-11-24T10:00:00Z' }).target.account;
    expect(['111122223333', '222233334444'].map((id) => account(`arn:aws:iam::${id}:role/x`))).toEqual(['111122223333', '222233334444']);
  });

  it('makes an instant UTC', () => {
    expect(read({ issuedBy: 'arn:aws:iam::111122223333:role/x', since: '2026-11-24T10:00:00+02:00' }).inputs['since']).toBe('2026-11-24T08:00:00.000Z');
  });

  it.each([
    ['an unknown input', { buckt: 'x' }, /has no input "buckt".*bucket/],
    ['no target', { level: 'full' }, /give one of bucket, inside, linkIds, issuedBy/],
    ['two targets', { bucket: 'x', linkIds: ['a'] }, /bucket and linkIds are given/],
    ['what goes with another', { linkIds: ['a'], prefix: 'x/' }, /prefix is given without bucket/],
    ['two that contradict each other', { bucket: 'x', prefix: 'a/', keys: 'a/1.jpg' }, /prefix and keys are given: give one of them/],
    ['what must be there', { issuedBy: 'arn:aws:iam::111122223333:role/x' }, /since is missing/],
    ['an unknown value', { bucket: 'x', level: 'half' }, /level is "half": it must be one of public, full/],
    ['an instant without offset', { issuedBy: 'arn:aws:iam::111122223333:role/x', since: '2026-11-24T10:00:00' }, /since is "2026-11-24T10:00:00"/],
    ['a name that is no ARN', { issuedBy: 'photo-signer', since: '2026-11-24T10:00:00Z' }, /issuedBy is "photo-signer": it must be an ARN, with the account in it, for example arn:aws:iam::111122223333:role/],
    ['an empty list', { linkIds: '' }, /linkIds is ""/],
    ['a list of something else', { linkIds: [1] }, /linkIds is \[1\]/],
    ['a text that is none', { bucket: { $ne: 1 } }, /bucket is/],
    ['an own name of objects', JSON.parse('{"__proto__": "x", "bucket": "y"}') as Record<string, unknown>, /has no input "__proto__"/],
  ])('refuses %s', (_, given, message) => {
    expect(() => read(given)).toThrow(PlaybookInputError);
    expect(() => read(given)).toThrow(message);
  });
});
