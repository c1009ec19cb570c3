/**
 * What the pattern language of EventBridge cannot say, by name: `when` in a playbook's triggers. What each asks is in
 * `predicates.ts`.
 */
export const PREDICATE_NAMES = [
  'exposed',
  'exposed-or-unknown',
  'shared',
  'object-exposed',
  'threats-found',
  'notable-severity',
  'block-lifted',
  'acls-enabled',
  'website-set',
  'replicates-outside',
  'replicates-somewhere',
  'versioning-weakened',
  'expires-soon',
  'logging-off',
  'trail-narrowed',
  'detector-weakened',
  'key-opened',
  'resource-opened',
  'origin-access-removed',
  'function-opened',
  'touches-own',
  'grants-administrator',
  'trusts-outside',
  'for-somebody-else',
  'root-change',
  'not-the-suite',
] as const;

export type PredicateName = (typeof PREDICATE_NAMES)[number];
