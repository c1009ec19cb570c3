import type { Acl, Grant } from '../bucket.ts';

export const ALL_USERS = 'http://acs.amazonaws.com/groups/global/AllUsers';
export const AUTHENTICATED_USERS = 'http://acs.amazonaws.com/groups/global/AuthenticatedUsers';

/**
 * The grants that make an ACL public: any permission for everybody, or for everybody with any AWS account.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#public-acls
 */
export function publicGrants(acl: Acl): readonly Grant[] {
  return acl.grants.filter(({ grantee }) => 'uri' in grantee && (grantee.uri === ALL_USERS || grantee.uri === AUTHENTICATED_USERS));
}

/** Whether S3 calls the ACL of a bucket or an object public. */
export function isPublicAcl(acl: Acl): boolean {
  return publicGrants(acl).length > 0;
}
