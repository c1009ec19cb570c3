import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkShareLink, scopesOf, UNTOUCHED, type ScopeState, type ShareLink } from './link.ts';

const NOW = '2026-11-24T12:00:00.000Z';
const link: ShareLink = { linkId: 'l1', albumId: 'summer', ownerId: 'anna', bucket: 'photos', status: 'active', expiresAt: null, endedAt: null, epochs: { album: 2, owner: 0, bucket: 0 } };
const revoked = (...throughs: readonly number[]): ScopeState => ({ epoch: 9, revoked: throughs.map((through, index) => ({ through, incident: `inc-${index}` })) });
const scopes = (album: ScopeState | null = revoked()): ReadonlyMap<string, ScopeState | null> => new Map([['album#summer', album], ['owner#anna', null], ['bucket#photos', null]]);

describe('a share link', () => {
  it.each<[string, Partial<ShareLink>, ScopeState | null, ReturnType<typeof checkShareLink>]>([
    ['works', {}, revoked(), { live: true }],
    ['works in the epoch that its scope has reached', { epochs: { album: 9 } }, revoked(), { live: true }],
    ['works without epochs where nothing was ever revoked', { epochs: {} }, null, { live: true }],
    ['is dead in an epoch that its scope has not reached', { epochs: { album: 10 } }, revoked(), { live: false, because: 'revoked' }],
    ['is dead in any epoch where nothing was ever revoked', { epochs: { owner: 1e9 } }, null, { live: false, because: 'revoked' }],
    ['works under a revocation of older links', {}, revoked(1), { live: true }],
    ['is dead under a revocation that covers its epoch', {}, revoked(2), { live: false, because: 'revoked' }],
    ['is dead if any of several covers it', {}, revoked(0, 5, 1), { live: false, because: 'revoked' }],
    ['counts as epoch 0 where it carries none', { epochs: {} }, revoked(0), { live: false, because: 'revoked' }],
    ['is dead by its status', { status: 'revoked' }, revoked(), { live: false, because: 'revoked' }],
    ['is dead in a status that only the service knows', { status: 'draft' }, revoked(), { live: false, because: 'revoked' }],
    ['is dead when its owner ended it, whatever else it says', { endedAt: NOW }, revoked(), { live: false, because: 'ended' }],
    ['is dead from the moment on when it expires', { expiresAt: NOW }, revoked(), { live: false, because: 'expired' }],
    ['works until then', { expiresAt: '2026-11-24T12:00:00.001Z' }, revoked(), { live: true }],
    ['is dead where its expiry is no time', { expiresAt: 'soon' }, revoked(), { live: false, because: 'expired' }],
  ])('%s', (_, change, album, verdict) => expect(checkShareLink({ ...link, ...change }, scopes(album), NOW)).toEqual(verdict));

  it.each(scopesOf(link))('is dead where %s was not read', (missing) => {
    const read = new Map([...scopes()].filter(([key]) => key !== missing));
    expect(checkShareLink(link, read, NOW)).toEqual({ live: false, because: 'revoked' });
  });

  it('lives exactly while no incident that covered it stands, in whatever order they are restored', () => {
    // Links are made, incidents revoke and are restored at random; a model keeps for each link who killed it.
    const act = fc.oneof(fc.constant('make' as const), fc.constant('revoke' as const), fc.nat(20));
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        let scope: ScopeState = UNTOUCHED;
        let incidents = 0;
        const made: { readonly epoch: number; readonly killers: Set<string> }[] = [];
        for (const one of acts) {
          if (one === 'make') made.push({ epoch: scope.epoch, killers: new Set() });
          else if (one === 'revoke') {
            const incident = `inc-${incidents++}`;
            scope = { epoch: scope.epoch + 1, revoked: [...scope.revoked, { through: scope.epoch, incident }] };
            for (const { killers } of made) killers.add(incident);
          } else {
            const incident = `inc-${one}`;
            scope = { ...scope, revoked: scope.revoked.filter((range) => range.incident !== incident) };
            for (const { killers } of made) killers.delete(incident);
          }
          for (const { epoch, killers } of made) expect(checkShareLink({ ...link, epochs: { album: epoch } }, scopes(scope), NOW).live).toBe(killers.size === 0);
        }
      }),
    );
  });
});
