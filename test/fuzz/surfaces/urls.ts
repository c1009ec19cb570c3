import fc from 'fast-check';
import { fetchSigned } from '../../../sandbox/scenario/signed.ts';
import { startSuite } from '../../responders/suite.ts';
import { mangled, nastyText } from '../mangle.ts';
import { overheard, SECRET, surface, Violation } from '../surface.ts';

const REASON = `because of ${SECRET.slice(0, 4)}`;
const BODIES: Readonly<Record<string, object>> = {
  '/plan': { playbook: 'quarantine-bucket', inputs: { bucket: 'family-photos-111122223333', level: 'public' }, mode: 'approve' },
  '/start': { playbook: 'revoke-share-links', inputs: { albumId: 'no-such-album' }, mode: 'observe', reason: REASON, digest: 'a'.repeat(64) },
  '/restore': { incident: 'inc-20260102-0f3a9c2b11', reason: REASON, newer: 'keep', digest: null },
  '/release': { incident: 'inc-20260102-0f3a9c2b11', reason: REASON },
  '/approve': { incident: 'inc-20260102-0f3a9c2b11', digest: 'b'.repeat(64), reason: null },
  '/reject': { incident: 'inc-20260102-0f3a9c2b11', digest: 'b'.repeat(64), reason: REASON },
  '/extend': { incident: 'inc-20260102-0f3a9c2b11', reason: REASON, until: '2026-12-31T00:00:00Z' },
  '/ticket': { incident: 'inc-20260102-0f3a9c2b11', reason: REASON },
  '/suppress': { id: 'x', owner: 'web', reason: REASON, expires: '2027-01-01T00:00:00Z', pattern: { bucket: ['x'] } },
  '/unsuppress': { id: 'x', reason: REASON },
  '/pause': { reason: '' },
};
const READS = ['/incidents', '/incidents/inc-20260102-0f3a9c2b11', '/history', '/history/count', '/views', '/decisions/2026-01-01', '/seals', '/guard', '/evidence', '/evidence/list', '/evidence/object'] as const;
const QUERY = ['which', 'before', 'cursor', 'since', 'until', 'playbook', 'target', 'actor', 'status', 'mode', 'drill', 'ids', 'key', 'prefix', 'version', 'limit'] as const;

const requests = fc.oneof(
  fc.tuple(fc.constant('POST' as const), fc.constantFrom(...Object.keys(BODIES)).chain((path) => fc.tuple(fc.constant(path), mangled(BODIES[path]), fc.constantFrom('rosa' as const, 'ada' as const, 'mallory' as const)))),
  fc.tuple(fc.constant('GET' as const), fc.tuple(fc.oneof({ weight: 6, arbitrary: fc.constantFrom<string>(...READS) }, { weight: 1, arbitrary: nastyText.map((text) => `/${encodeURIComponent(text.toWellFormed())}`) }), fc.dictionary(fc.constantFrom(...QUERY), nastyText.map((text) => text.toWellFormed()), { maxKeys: 3 }), fc.constantFrom('ada' as const, 'mallory' as const))),
);
/** What runs by a schedule meanwhile, or was started by a request before, is not this one's doing. */
const ASKED = /-(respond|audit)$/;
/** Whoever meets an incident that is open makes sure that it was started, or says that it never was, and is refused afterwards. */
const ENSURES = /^(StartExecution|UpdateItem)$/;
/** What a request that is refused may still do: put its refusal on record. */
const HARMLESS = /^(Get|List|Describe|Head|Query|BatchGet|Scan|PutItem$|PutObject$|AssumeRole|GenerateDataKey|Decrypt|Lookup|Simulate|Invoke)/;

/** Bodies, paths and queries that a responder, an auditor and a stranger send to the two function URLs. */
export const urls = surface('urls', 'function-URL requests', async () => {
  const suite = await startSuite();
  const { account, deployment, photos } = suite;
  const known = { rosa: await photos.credentialsOf('rosa'), ada: await photos.credentialsOf('ada'), mallory: await photos.credentialsOf('mallory') };
  return {
    cases: requests,
    close: suite.stop,
    holds: async ([method, [path, said, person]]) => {
      const before = account.calls.length;
      const url = new URL(path.slice(1), method === 'POST' ? deployment.urls['respond'] : deployment.urls['audit']);
      if (method === 'GET') for (const [name, value] of Object.entries(said as Readonly<Record<string, string>>)) url.searchParams.set(name, value);
      const { result } = await overheard(async () => {
        const answer = await fetchSigned({ service: 'lambda', region: account.world.region, credentials: known[person], method, url, ...(method === 'POST' ? { body: JSON.stringify(said) ?? 'null' } : {}), now: account.clock.now() });
        return { status: answer.status, text: await answer.text() };
      });
      const { status, text } = result;
      const told = `${method} ${path} by ${person}: ${status} ${text.slice(0, 300)}`;
      if (status >= 500) throw new Violation(`failed: ${told}`);
      if (person === 'mallory' && status !== 403) throw new Violation(`answered a stranger: ${told}`);
      if (person === 'ada' && method === 'POST' && status !== 403) throw new Violation(`took an auditor's request: ${told}`);
      if (/\bat [\w./<>]+ \(|node:internal/.test(text)) throw new Violation(`tells its insides: ${told}`);
      if (status < 400) return;
      const acted = account.calls.slice(before).filter(({ operation, principalArn, status: done }) => done < 400 && ASKED.test(principalArn ?? '') && !operation.includes(' /lambda-url/') && !HARMLESS.test(operation) && !(status === 409 && ENSURES.test(operation)));
      if (acted.length > 0) throw new Violation(`refused, and yet it did ${acted.map(({ operation }) => operation).join(', ')}: ${told}`);
    },
  };
});
