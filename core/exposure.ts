import type { AccessPoint, Acl, BucketState, Grant, PublicAccessBlock } from './bucket.ts';
import { type Access, accessOfGrant, accessOfStatement } from './exposure/access.ts';
import { ALL_USERS, isPublicAcl, publicGrants } from './exposure/acl.ts';
import { isFixedPrincipal, isPublicPolicy, publicStatements } from './exposure/policy.ts';
import type { PolicyOwner } from './exposure/conditions.ts';
import { type Policy, PolicyParseError, type Statement, parsePolicy } from './policy.ts';
import { listed, plain } from './text.ts';

export { isPublicAcl, isPublicPolicy, publicGrants, publicStatements };

/** One way in for the public. */
export interface Exposure {
  readonly via: 'policy' | 'acl' | 'access-point';
  readonly who: 'anyone' | 'any-account';
  readonly access: readonly Access[];
  /** The Sid, or `#2` for the second statement without one; `null` for an ACL. Hostile text. */
  readonly statement: string | null;
  /** For people: `anyone can read and list objects (policy statement "PublicRead")`. */
  readonly phrase: string;
}

/** What is known of a bucket, in part or in full; a setting that is missing is taken for absent. */
export type KnownState = Partial<BucketState>;

/**
 * Every way in that the public has to a bucket, as Block Public Access defines "public", most open first; empty where
 * it has none. Settings of the account and of the bucket count together, the stricter one wins; for an access point its
 * own count too. `BlockPublicAcls` and `BlockPublicPolicy` refuse new settings and close nothing that is there already.
 *
 * A policy that cannot be read is an exposure: S3 holds only policies that it could read, so the reader is what is wrong.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
 */
export function exposuresOf(state: KnownState): readonly Exposure[] {
  const block = strictest(state.accountPublicAccessBlock, state.publicAccessBlock);
  const viaPolicy = block.RestrictPublicBuckets ? [] : policyExposures(state.policy, 'bucket', 'policy');
  const viaAccessPoints = (state.accessPoints ?? []).flatMap((point) => accessPointExposures(point, block));
  return [...viaPolicy, ...viaAccessPoints, ...aclExposures(state, block)].sort((one, other) => openness(other) - openness(one));
}

/** What applies where several levels are set: the most restrictive combination. */
export function strictest(...blocks: readonly (PublicAccessBlock | null | undefined)[]): PublicAccessBlock {
  const on = (key: keyof PublicAccessBlock): boolean => blocks.some((block) => block?.[key] === true);
  return {
    BlockPublicAcls: on('BlockPublicAcls'),
    IgnorePublicAcls: on('IgnorePublicAcls'),
    BlockPublicPolicy: on('BlockPublicPolicy'),
    RestrictPublicBuckets: on('RestrictPublicBuckets'),
  };
}

function accessPointExposures(point: AccessPoint, bucketBlock: PublicAccessBlock): readonly Exposure[] {
  // An access point of a VPC is never public, whatever its policy says.
  if (point.networkOrigin === 'VPC' || strictest(bucketBlock, point.publicAccessBlock).RestrictPublicBuckets) return [];
  return policyExposures(point.policy, 'access-point', `access point ${plain(point.name, 64)} policy`);
}

function policyExposures(text: string | null | undefined, owner: PolicyOwner, label: string): readonly Exposure[] {
  if (text === null || text === undefined) return [];
  const via = owner === 'bucket' ? 'policy' : 'access-point';
  let policy: Policy;
  try {
    policy = parsePolicy(text);
  } catch (error) {
    if (!(error instanceof PolicyParseError)) throw error;
    return [{ via, who: 'anyone', access: ['settings'], statement: null, phrase: `who it lets in is not known: the ${label} cannot be read (${plain(error.message)})` }];
  }
  return publicStatements(policy, owner).map((statement) => {
    const name = statement.sid ?? `#${policy.statements.indexOf(statement) + 1}`;
    const access = accessOfStatement(statement);
    const where = `${label} statement ${statement.sid === null ? name : JSON.stringify(plain(name, 64))}`;
    const conditions = statement.conditions.length > 0 ? ', whose conditions do not limit who' : '';
    return { via, who: 'anyone' as const, access, statement: name, phrase: `${whoOf(statement)} can ${inWords(access)} (${where}${conditions})` };
  });
}

function whoOf({ principal }: Statement): string {
  const providers = (principal?.['Federated'] ?? []).filter((value) => !isFixedPrincipal('Federated', value));
  const others = Object.entries(principal ?? {}).some(([type, values]) => type !== 'Federated' && values.some((value) => !isFixedPrincipal(type, value)));
  return principal && !others && providers.length > 0 ? `anyone who signs in at ${listed(providers.slice(0, 3).map((name) => plain(name, 64)))}` : 'anyone';
}

function aclExposures(state: KnownState, block: PublicAccessBlock): readonly Exposure[] {
  // With BucketOwnerEnforced ACLs no longer grant anything.
  if (!state.acl || block.IgnorePublicAcls || state.ownership === 'BucketOwnerEnforced') return [];
  return aclGrants(state.acl, 'ACL');
}

/** The public grants of an ACL as exposures, whatever block there is; `label` names the ACL. */
export function aclGrants(acl: Acl, label: string): readonly Exposure[] {
  const groups = Map.groupBy(publicGrants(acl), ({ grantee }) => ('uri' in grantee && grantee.uri === ALL_USERS ? 'anyone' : 'any-account'));
  return [...groups].map(([who, grants]) => {
    const access = accessOfGrants(grants);
    return { via: 'acl', who, access, statement: null, phrase: `${who === 'anyone' ? 'anyone' : 'anyone with an AWS account'} can ${inWords(access)} (${label})` };
  });
}

function accessOfGrants(grants: readonly Grant[]): readonly Access[] {
  const all = new Set(grants.flatMap((grant) => accessOfGrant(grant.permission)));
  return ORDER.filter((access) => all.has(access));
}

const ORDER: readonly Access[] = ['read', 'list', 'write', 'delete', 'permissions', 'settings'];

/** `read and list objects`, not `read objects and list objects`. */
function inWords(access: readonly Access[]): string {
  const objects = access.filter((kind) => kind !== 'permissions' && kind !== 'settings');
  const others = access.flatMap((kind) => (kind === 'permissions' ? ['change permissions'] : kind === 'settings' ? ['use other actions'] : []));
  return listed([...(objects.length > 0 ? [`${listed(objects)} objects`] : []), ...others]);
}

function openness({ who, access }: Exposure): number {
  return access.length * 2 + (access.includes('read') ? 20 : 0) + (who === 'anyone' ? 1 : 0);
}
