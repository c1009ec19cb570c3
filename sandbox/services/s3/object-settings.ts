import type {
  GetObjectAclCommandInput,
  GetObjectAclCommandOutput,
  GetObjectTaggingCommandInput,
  GetObjectTaggingCommandOutput,
  PutObjectAclCommandInput,
  PutObjectAclCommandOutput,
  PutObjectTaggingCommandInput,
  PutObjectTaggingCommandOutput,
} from '@aws-sdk/client-s3';
import { canonicalUserId } from '../../auth/accounts.ts';
import { operation, type Operation } from '../../service.ts';
import { blockOf, effectiveAcl } from './access.ts';
import { aclKeys, bucketArn, onObject } from './actions.ts';
import { deleteMarker, noSuchKey } from './errors.ts';
import { aclOutput, newAcl } from './permissions.ts';
import { latest } from './propagation.ts';
import { bucketOf, objectOf, replaceVersion, versionOf, type Bucket, type ObjectVersion, type S3State } from './state.ts';
import { readTags } from './tags.ts';

/** ACL and tags of an object. They are strongly consistent: a write is seen at once. */
export function objectSettingOperations(state: S3State): Readonly<Record<string, Operation>> {
  return {
    GetObjectAcl: operation<GetObjectAclCommandInput, GetObjectAclCommandOutput>({
      needs: onObject(state, 's3:GetObjectAcl', 's3:GetObjectVersionAcl'),
      run: (input) => {
        const bucket = bucketOf(state, input);
        const { acl } = objectOf(bucket, input.Key ?? '', input.VersionId, 'GET');
        return aclOutput(effectiveAcl(acl, latest(bucket.ownership), blockOf(state, bucket), canonicalUserId(bucket.account)));
      },
    }),
    PutObjectAcl: operation<PutObjectAclCommandInput, PutObjectAclCommandOutput>({
      needs: onObject<PutObjectAclCommandInput>(state, 's3:PutObjectAcl', 's3:PutObjectVersionAcl', aclKeys),
      run: (input, call) => {
        const bucket = bucketOf(state, input);
        const object = objectOf(bucket, input.Key ?? '', input.VersionId, 'PUT');
        const acl = newAcl(state, bucket, input, object.owner, call, { action: 's3:PutObjectAcl', resource: `${bucketArn(bucket.name)}/${input.Key ?? ''}` });
        replaceVersion(bucket, input.Key ?? '', { ...object, acl });
        return {};
      },
    }),
    GetObjectTagging: operation<GetObjectTaggingCommandInput, GetObjectTaggingCommandOutput>({
      needs: onObject(state, 's3:GetObjectTagging', 's3:GetObjectVersionTagging'),
      run: (input) => {
        const object = tagged(bucketOf(state, input), input, 'GET');
        return { TagSet: [...object.tags], ...named(object) };
      },
    }),
    PutObjectTagging: operation<PutObjectTaggingCommandInput, PutObjectTaggingCommandOutput>({
      needs: onObject(state, 's3:PutObjectTagging', 's3:PutObjectVersionTagging'),
      run: (input) => {
        const bucket = bucketOf(state, input);
        const object = tagged(bucket, input, 'PUT');
        const tags = readTags(input.Tagging?.TagSet, 10, 'Your TagKey cannot be prefixed with aws:');
        replaceVersion(bucket, input.Key ?? '', { ...object, tags });
        return named(object);
      },
    }),
  };
}

/** A current delete marker is refused as one, where reading the object itself would say that there is none. */
function tagged(bucket: Bucket, input: { readonly Key?: string | undefined; readonly VersionId?: string | undefined }, method: string): ObjectVersion {
  const key = input.Key ?? '';
  const current = versionOf(bucket, key, input.VersionId);
  if (!current && input.VersionId === undefined) throw noSuchKey(key);
  if (current?.marker) throw deleteMarker(method);
  return objectOf(bucket, key, input.VersionId, method);
}

function named(object: ObjectVersion): { readonly VersionId?: string } {
  return object.id === 'null' ? {} : { VersionId: object.id };
}
