import type { BucketState } from '../bucket.ts';
import { outsiders, policyIn } from '../decide/outside.ts';
import { isPublicPolicy } from '../exposure.ts';
import type { Level } from './levels.ts';

/**
 * Whom outside a bucket's policy still lets in at a level, one clause each, plain. At `public` whoever is not public for Block Public
 * Access; at `external` services that do not say for whom they act, as CloudFront does.
 *
 * @param organizationId - `o-…`; `null` where the account stands alone
 */
export function leftIn({ policy: text, account, acl }: Pick<BucketState, 'policy' | 'account' | 'acl'>, level: Level, organizationId: string | null): readonly string[] {
  const policy = policyIn(text);
  if (level === 'full' || !policy) return [];
  const found = outsiders(policy, { isOutside: (other) => other !== account, organizationId, trustedSources: acl?.owner ? [acl.owner] : [] });
  // RestrictPublicBuckets leaves nobody but services while a statement is public.
  const left = level === 'external' || isPublicPolicy(policy) ? found.filter(({ type }) => type === 'Service') : found;
  return left.filter((outsider) => level === 'public' || !outsider.text.startsWith('cloudfront.')).map((outsider) => outsider.text);
}
