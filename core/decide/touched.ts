/** Predicates about resources beside buckets: keys, functions, distributions, and the suite's own parts. */
import { type Predicate, holds, no } from './answer.ts';
import { accountIn, outsiders, policyIn } from './outside.ts';
import { at, isObject, listOf, textOf } from '../signal/envelope.ts';
import { listed, plain } from '../text.ts';
import type { Facts } from './facts.ts';
import { isPublicPolicy } from '../exposure.ts';

export const resources = {
  'key-opened': (facts) => {
    const { signal, request, knowledge } = facts;
    if (!isPhotoKey(facts)) return no;
    if (signal.type === 'CreateGrant') {
      const grantee = textOf(at(request, 'granteePrincipal')) ?? '';
      return holds(accountIn(grantee).some(facts.isOutside), `a grant lets ${plain(grantee)} use it`);
    }
    // Whoever takes the key away takes every picture away; but only of a key that is known to be the pictures'.
    if (signal.type !== 'PutKeyPolicy') return holds((knowledge.photoKeys ?? []).length > 0, `${plain(signal.type, 32)} was called`);
    return openedBy(facts, at(request, 'policy'));
  },
  'resource-opened': (facts) => {
    const { request } = facts;
    const attribute = at(request, 'attributeName') === 'Policy' ? at(request, 'attributeValue') : undefined;
    const places = [at(request, 'policyText'), at(request, 'resourcePolicy'), at(request, 'accessPolicies'), at(request, 'attributes', 'Policy'), at(request, 'policy'), attribute];
    return holds(places.some((place) => isPublic(place)), 'its policy lets anyone in');
  },
  'function-opened': ({ signal, request }) => {
    if (signal.type.startsWith('AddPermission')) {
      const limited = ['sourceArn', 'sourceAccount', 'principalOrgID'].some((key) => textOf(at(request, key)) !== null);
      return holds(at(request, 'principal') === '*' && !limited && at(request, 'functionUrlAuthType') !== 'AWS_IAM', 'its policy lets anyone call it');
    }
    return holds(at(request, 'authType') === 'NONE', 'its URL asks nobody who they are');
  },
  'origin-access-removed': ({ signal, request }) => {
    if (signal.type.startsWith('Delete')) return holds(true, 'the identity that CloudFront signs with was deleted');
    const origins = listOf(at(request, 'distributionConfig', 'origins', 'items')).filter(isUnsignedBucket);
    const names = origins.slice(0, 3).map((origin) => plain(textOf(at(origin, 'domainName')) ?? '', 80));
    return holds(origins.length > 0, `requests to ${listed(names)} carry no signature`);
  },
  'touches-own': ({ knowledge: { own }, signal, request }) => {
    if (!own) return no;
    const hit = namesIn(request).find((name) => own.arns?.includes(name) === true || isOwnName(name, own.prefix));
    return holds(hit !== undefined, `${plain(signal.type, 48)} on ${plain(hit ?? '', 100)}`);
  },
} satisfies Record<string, Predicate>;

/** `stopbath-dev`, `stopbath-dev-triage`, an ARN or URL that ends in such a name; not `stopbath-device`. */
export function isOwnName(name: string, prefix: string): boolean {
  if (!name.includes(prefix)) return false;
  return name
    .slice(0, 2048)
    .split(/[:/]/)
    .some((part) => part === prefix || part.startsWith(`${prefix}-`));
}

/** The texts of a request and of one level below it: where a request names what it acts on. */
function namesIn(request: unknown): readonly string[] {
  if (!isObject(request)) return [];
  return Object.values(request)
    .slice(0, 100)
    .flatMap((value) => (isObject(value) ? Object.values(value).slice(0, 100) : listOf(value).slice(0, 100)))
    .filter((value) => typeof value === 'string');
}

function isPhotoKey({ knowledge: { photoKeys = [] }, request }: Facts): boolean {
  const key = textOf(at(request, 'keyId'));
  return photoKeys.length === 0 || key === null || photoKeys.some((own) => own === key || own.endsWith(`/${key}`) || key.endsWith(`/${own}`));
}

function openedBy(facts: Facts, value: unknown): ReturnType<Predicate> {
  const policy = policyIn(value);
  if (!policy) return no;
  // KMS has a key of its own that keeps callers inside an account.
  const statements = policy.statements.filter(({ conditions }) => !conditions.some(({ key, operator, values }) => key === 'kms:calleraccount' && operator === 'StringEquals' && !values.some(facts.isOutside)));
  if (isPublicPolicy({ ...policy, statements })) return holds(true, 'its policy lets anyone use it');
  // Services use keys for whoever may use the resource that is encrypted.
  const others = outsiders(policy, facts).filter(({ type }) => type === 'AWS');
  return holds(others.length > 0, `its policy lets in ${listed(others.slice(0, 5).map(({ text }) => text))}`);
}

function isPublic(value: unknown): boolean {
  const policy = policyIn(value);
  return policy !== null && isPublicPolicy(policy);
}

function isUnsignedBucket(origin: unknown): boolean {
  const domain = textOf(at(origin, 'domainName')) ?? '';
  const signs = textOf(at(origin, 'originAccessControlId')) ?? textOf(at(origin, 's3OriginConfig', 'originAccessIdentity'));
  return /\.s3[.-](?:[a-z0-9.-]+\.)?amazonaws\.com(?:\.cn)?$/.test(domain.slice(-256)) && signs === null;
}
