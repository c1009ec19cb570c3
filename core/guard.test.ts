import { describe, expect, it } from 'vitest';
import { guardSays, protectedBy } from './guard.ts';
import type { Target } from './incident.ts';

const target: Target = { kind: 'bucket', arn: 'arn:aws:s3:::family-photos', name: 'family-photos', account: '111122223333', region: 'us-east-1' };
const running = { paused: null };
const paused = { paused: { by: 'rosa', at: '2026-11-24T10:00:00.000Z', reason: 'moving' } };

describe('the guard', () => {
  it('holds everything while paused or unreadable', () => {
    expect(guardSays('contain', running)).toBeNull();
    expect(guardSays('contain', paused)).toContain('paused since 2026-11-24T10:00:00.000Z by rosa: moving');
    expect(guardSays('contain', { unreadable: 'AccessDenied' })).toContain('AccessDenied');
  });

  it('never stands in the way back', () => {
    expect(guardSays('restore', paused)).toBeNull();
  });
});

describe('protection', () => {
  it.each([
    ['its name', { buckets: ['fam*'], tags: [] }, null, 'fam*'],
    ['a tag', { buckets: [], tags: ['stopbath:protected=true'] }, [{ Key: 'stopbath:protected', Value: 'true' }], 'tag stopbath:protected=true'],
    ['a tag with any value', { buckets: [], tags: ['tier=*'] }, [{ Key: 'tier', Value: 'gold' }], 'tag tier=*'],
    ['a tag whose value has an equals sign', { buckets: [], tags: ['q=a=b'] }, [{ Key: 'q', Value: 'a=b' }], 'tag q=a=b'],
  ])('is by %s', (_, protection, tags, by) => {
    expect(protectedBy(target, protection, tags)).toBe(by);
  });

  it.each([
    ['another value', [{ Key: 'stopbath:protected', Value: 'false' }]],
    ['another key', [{ Key: 'Stopbath:protected', Value: 'true' }]],
    ['no tags', null],
  ])('is not by %s', (_, tags) => {
    expect(protectedBy(target, { buckets: [], tags: ['stopbath:protected=true'] }, tags)).toBeNull();
  });
});
