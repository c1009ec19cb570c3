import type { AccessControlPolicy, Grant as SdkGrant } from '@aws-sdk/client-s3';
import type { Acl, Grant } from '../../../core/bucket.ts';
import { ALL_USERS, AUTHENTICATED_USERS } from '../../../core/exposure/acl.ts';
import { AwsError } from '../../service.ts';
import { invalidArgument, invalidRequest } from './errors.ts';

const LOG_DELIVERY = 'http://acs.amazonaws.com/groups/s3/LogDelivery';
const GROUPS: ReadonlySet<string> = new Set([ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY]);

/** The ways in which a request names an ACL: canned, by grant headers, or as a document. */
export interface AclInput {
  readonly ACL?: string | undefined;
  readonly GrantFullControl?: string | undefined;
  readonly GrantRead?: string | undefined;
  readonly GrantReadACP?: string | undefined;
  readonly GrantWrite?: string | undefined;
  readonly GrantWriteACP?: string | undefined;
  readonly AccessControlPolicy?: AccessControlPolicy | undefined;
}

const HEADERS = [
  ['GrantFullControl', 'FULL_CONTROL'],
  ['GrantRead', 'READ'],
  ['GrantReadACP', 'READ_ACP'],
  ['GrantWrite', 'WRITE'],
  ['GrantWriteACP', 'WRITE_ACP'],
] as const;

/**
 * The ACL that a request asks for; `null` where it says nothing about one.
 *
 * @param owner - canonical user id of what the ACL is on
 * @param bucketOwner - canonical user id of the bucket's owner
 * @throws {AwsError} InvalidRequest for two ways at once, InvalidArgument for a grantee or a canned ACL that is none
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
 */
export function requestedAcl(input: AclInput, owner: string, bucketOwner: string): Acl | null {
  const headers = HEADERS.flatMap(([header, permission]) => granteesOf(input[header]).map((grantee): Grant => ({ permission, grantee })));
  const ways = [input.ACL !== undefined, headers.length > 0, input.AccessControlPolicy !== undefined].filter(Boolean).length;
  if (ways > 1) throw invalidRequest('Specifying both Canned ACLs and Header Grants is not allowed');
  if (input.ACL !== undefined) return { owner, grants: canned(input.ACL, owner, bucketOwner) };
  if (headers.length > 0) return { owner, grants: headers };
  if (input.AccessControlPolicy === undefined) return null;
  return { owner, grants: (input.AccessControlPolicy.Grants ?? []).map(fromSdk) };
}

export function privateAcl(owner: string): Acl {
  return { owner, grants: [{ permission: 'FULL_CONTROL', grantee: { id: owner } }] };
}

/** Says nothing beyond "the bucket's owner controls it": the one ACL that a bucket without ACLs accepts on upload. */
export function isBucketOwnerFullControl(input: AclInput, bucketOwner: string): boolean {
  if (input.ACL !== undefined) return input.ACL === 'bucket-owner-full-control';
  const acl = requestedAcl(input, bucketOwner, bucketOwner);
  return acl !== null && acl.grants.every(({ permission, grantee }) => permission === 'FULL_CONTROL' && 'id' in grantee && grantee.id === bucketOwner);
}

export function toSdk({ permission, grantee }: Grant): SdkGrant {
  return { Permission: permission, Grantee: 'uri' in grantee ? { Type: 'Group', URI: grantee.uri } : { Type: 'CanonicalUser', ID: grantee.id } };
}

function fromSdk({ Permission: permission, Grantee: grantee }: SdkGrant): Grant {
  if (!permission || !grantee) throw new AwsError('MalformedACLError', 'The XML you provided was not well-formed or did not validate against our published schema', 400);
  return { permission, grantee: grantee.URI === undefined ? canonical(grantee.ID ?? '') : group(grantee.URI) };
}

function canned(name: string, owner: string, bucketOwner: string): readonly Grant[] {
  const [full] = privateAcl(owner).grants;
  const own = full ? [full] : [];
  const to = (uri: string, permission: Grant['permission']): Grant => ({ permission, grantee: { uri } });
  const toBucketOwner = (permission: Grant['permission']): readonly Grant[] => (bucketOwner === owner ? [] : [{ permission, grantee: { id: bucketOwner } }]);
  switch (name) {
    case 'private':
      return own;
    case 'public-read':
      return [...own, to(ALL_USERS, 'READ')];
    case 'public-read-write':
      return [...own, to(ALL_USERS, 'READ'), to(ALL_USERS, 'WRITE')];
    case 'authenticated-read':
      return [...own, to(AUTHENTICATED_USERS, 'READ')];
    case 'bucket-owner-read':
      return [...own, ...toBucketOwner('READ')];
    case 'bucket-owner-full-control':
      return [...own, ...toBucketOwner('FULL_CONTROL')];
    case 'log-delivery-write':
      return [...own, to(LOG_DELIVERY, 'WRITE'), to(LOG_DELIVERY, 'READ_ACP')];
    default:
      throw invalidArgument('x-amz-acl', name, '');
  }
}

/** `id="…", uri="…"` of a grant header. */
function granteesOf(header: string | undefined): readonly Grant['grantee'][] {
  if (header === undefined) return [];
  return header.split(',').map((part) => {
    const [, type, value = ''] = /^\s*(id|uri)\s*=\s*"?([^"]*)"?\s*$/i.exec(part) ?? [];
    if (type === undefined) throw invalidArgument('x-amz-grant', part.trim(), 'Argument format not recognized');
    return type.toLowerCase() === 'uri' ? group(value) : canonical(value);
  });
}

function group(uri: string): Grant['grantee'] {
  if (!GROUPS.has(uri)) throw invalidArgument('Group/URI', uri, 'Invalid group uri');
  return { uri };
}

function canonical(id: string): Grant['grantee'] {
  if (!/^[0-9a-f]{64}$/.test(id)) throw invalidArgument('CanonicalUser/ID', id, 'Invalid id');
  return { id };
}
