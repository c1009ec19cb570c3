import type { Acl, Grant, PublicAccessBlock } from '../bucket.ts';
import { ALL_USERS, AUTHENTICATED_USERS } from '../exposure/acl.ts';
import { at, isObject, listOf, textOf } from '../signal/envelope.ts';
import { multiRegionDetails } from '../signal/cloudtrail.ts';
import type { KnownState } from '../exposure.ts';
import type { Signal } from '../signal.ts';

/**
 * What an S3 event says by itself of the bucket that it is about: what the request set. An absent block is assumed,
 * since the event cannot tell.
 *
 * CloudTrail has S3's settings as the XML of the request turned into JSON, so that a list with one member is that
 * member, and headers stand among the parameters.
 */
export function stateInEvent({ source, type, event, targets }: Signal, bucket: string): KnownState {
  if (source !== 'cloudtrail' || !event.source.startsWith('aws.s3')) return {};
  const request = at(event.detail, 'requestParameters');
  if (/^(?:Put|Delete)AccountPublicAccessBlock$/.test(type)) return { accountPublicAccessBlock: blockInRequest(type, request) };
  if (!targets.some((target) => target.name === bucket)) return {};
  switch (type) {
    case 'DeleteBucketPolicy':
      return { policy: null };
    case 'PutBucketPolicy':
      return policyState(at(request, 'bucketPolicy'));
    case 'PutBucketAcl':
    case 'CreateBucket': {
      const acl = aclInRequest(request);
      return acl ? { acl } : {};
    }
    case 'PutBucketPublicAccessBlock':
    case 'PutPublicAccessBlock':
    case 'DeleteBucketPublicAccessBlock':
    case 'DeletePublicAccessBlock':
      return { publicAccessBlock: blockInRequest(type, request) };
    case 'PutAccessPointPolicy':
    case 'PutMultiRegionAccessPointPolicy': {
      const details = multiRegionDetails(request);
      const policy = textOfPolicy(at(request, 'PutAccessPointPolicyRequest', 'Policy') ?? at(request, 'policy') ?? at(request, 'Policy') ?? at(details, 'Policy'));
      const name = textOf(at(request, 'name')) ?? textOf(at(request, 'Name')) ?? textOf(at(details, 'Name')) ?? 'unnamed';
      return policy === null ? {} : { accessPoints: [{ name, arn: '', publicAccessBlock: null, policy }] };
    }
    default:
      return {};
  }
}

/** The block that a request sets; `null` where it removes it or says nothing. */
export function blockInRequest(type: string, request: unknown): PublicAccessBlock | null {
  if (type.startsWith('Delete')) return null;
  const found = [at(request, 'PublicAccessBlockConfiguration'), at(request, 'publicAccessBlockConfiguration'), at(request, 'CreateAccessPointRequest', 'PublicAccessBlockConfiguration')].find(isObject);
  if (!found) return null;
  // S3 takes what a request leaves out for false.
  const on = (key: string): boolean => found[key] === true || found[key] === 'true';
  return { BlockPublicAcls: on('BlockPublicAcls'), IgnorePublicAcls: on('IgnorePublicAcls'), BlockPublicPolicy: on('BlockPublicPolicy'), RestrictPublicBuckets: on('RestrictPublicBuckets') };
}

/** A text that is no JSON was no policy that S3 took: nothing is known then, rather than something wrong. */
function policyState(value: unknown): KnownState {
  const policy = textOfPolicy(value);
  return policy === null ? {} : { policy };
}

function textOfPolicy(value: unknown): string | null {
  if (typeof value === 'string') return value.trimStart().startsWith('{') ? value : null;
  if (!isObject(value)) return null;
  try {
    return JSON.stringify(value);
  } catch {
    // Nested beyond what the engine can write: no policy that S3 would take.
    return null;
  }
}

/** S3 takes no more in one ACL. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html */
const MAX_GRANTS = 100;

const PERMISSIONS = ['FULL_CONTROL', 'READ', 'WRITE', 'READ_ACP', 'WRITE_ACP'] as const;

const CANNED: Readonly<Record<string, readonly Grant[]>> = {
  'public-read': [{ permission: 'READ', grantee: { uri: ALL_USERS } }],
  'public-read-write': [
    { permission: 'READ', grantee: { uri: ALL_USERS } },
    { permission: 'WRITE', grantee: { uri: ALL_USERS } },
  ],
  'authenticated-read': [{ permission: 'READ', grantee: { uri: AUTHENTICATED_USERS } }],
};

/**
 * The ACL that a request sets: a canned one, grants in headers, or a document; `null` where it sets none.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
 */
export function aclInRequest(request: unknown): Acl | null {
  const headers = [request, at(request, 'accessControlList')];
  const canned = headers.flatMap((place) => listOf(at(place, 'x-amz-acl')));
  const cannedGrants = canned.flatMap((name) => (typeof name === 'string' && Object.hasOwn(CANNED, name) ? (CANNED[name] ?? []) : []));
  const headerGrants = headers.flatMap((place) => PERMISSIONS.flatMap((permission) => grantsInHeader(place, permission)));
  const document = at(request, 'AccessControlPolicy');
  if (canned.length === 0 && headerGrants.length === 0 && document === undefined) return null;
  return { owner: textOf(at(document, 'Owner', 'ID')), grants: [...cannedGrants, ...headerGrants, ...grantsInDocument(document)] };
}

/** `x-amz-grant-read: uri="http://…/AllUsers", id="…"` */
function grantsInHeader(place: unknown, permission: Grant['permission']): readonly Grant[] {
  const header = `x-amz-grant-${permission.toLowerCase().replace('_', '-')}`;
  return listOf(at(place, header)).flatMap((value) => (typeof value === 'string' ? value.split(',', MAX_GRANTS) : [])).flatMap((entry): readonly Grant[] => {
    const [kind, ...rest] = entry.split('=');
    const grantee = rest.join('=').trim().replaceAll('"', '');
    if (grantee === '') return [];
    return kind?.trim() === 'uri' ? [{ permission, grantee: { uri: grantee } }] : [{ permission, grantee: { id: grantee } }];
  });
}

function grantsInDocument(document: unknown): readonly Grant[] {
  return listOf(at(document, 'AccessControlList', 'Grant')).slice(0, MAX_GRANTS).flatMap((grant): readonly Grant[] => {
    const permission = PERMISSIONS.find((name) => name === at(grant, 'Permission'));
    const uri = textOf(at(grant, 'Grantee', 'URI'));
    const id = textOf(at(grant, 'Grantee', 'ID')) ?? textOf(at(grant, 'Grantee', 'EmailAddress'));
    if (!permission) return [];
    return uri ? [{ permission, grantee: { uri } }] : id ? [{ permission, grantee: { id } }] : [];
  });
}
