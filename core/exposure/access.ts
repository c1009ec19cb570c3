import type { Grant } from '../bucket.ts';
import type { Statement } from '../policy.ts';
import { globMatches } from '../glob.ts';

/** What a way in allows. `settings` is everything that touches neither objects nor permissions. */
export type Access = 'read' | 'list' | 'write' | 'delete' | 'permissions' | 'settings';

/** Some action of each kind is enough to show what a wildcard gives away. */
const EXAMPLES: readonly (readonly [Access, readonly string[]])[] = [
  ['read', ['s3:getobject', 's3:getobjectversion', 's3:getobjecttorrent', 's3:getobjectattributes']],
  ['list', ['s3:listbucket', 's3:listbucketversions', 's3:listbucketmultipartuploads']],
  ['write', ['s3:putobject', 's3:restoreobject', 's3:replicateobject']],
  ['delete', ['s3:deleteobject', 's3:deleteobjectversion', 's3:deletebucket', 's3:abortmultipartupload']],
  ['permissions', ['s3:putbucketpolicy', 's3:deletebucketpolicy', 's3:putbucketacl', 's3:putobjectacl', 's3:putbucketpublicaccessblock', 's3:bypassgovernanceretention']],
];

/** What a statement's actions allow, most telling first. */
export function accessOfStatement({ actions, notActions }: Statement): readonly Access[] {
  const wanted = (actions ?? []).map((action) => action.toLowerCase());
  const except = (notActions ?? []).map((action) => action.toLowerCase());
  const allows = (action: string): boolean =>
    actions ? wanted.some((pattern) => globMatches(pattern, action)) : !except.some((pattern) => globMatches(pattern, action));
  const found = EXAMPLES.filter(([, examples]) => examples.some(allows)).map(([access]) => access);
  return found.length > 0 ? found : ['settings'];
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#permissions */
export function accessOfGrant(permission: Grant['permission']): readonly Access[] {
  switch (permission) {
    case 'READ':
      return ['list'];
    case 'WRITE':
      return ['write', 'delete'];
    case 'WRITE_ACP':
      return ['permissions'];
    case 'READ_ACP':
      return ['settings'];
    case 'FULL_CONTROL':
      return ['list', 'write', 'delete', 'permissions'];
  }
}
