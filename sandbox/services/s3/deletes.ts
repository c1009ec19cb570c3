import type { DeleteObjectCommandInput, DeleteObjectCommandOutput, DeleteObjectsCommandInput, DeleteObjectsCommandOutput } from '@aws-sdk/client-s3';
import { canonicalUserId } from '../../auth/accounts.ts';
import { AwsError, operation, type Call, type Operation } from '../../service.ts';
import { isAllowed } from './access.ts';
import { objectNeed, onObject } from './actions.ts';
import { assertDeletable } from './lock.ts';
import { addVersion, newVersionId } from './objects.ts';
import { assertVersionId, bucketOf, removeVersion, versionOf, type Bucket, type S3State } from './state.ts';

interface DeleteInput {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly BypassGovernanceRetention?: boolean | undefined;
}

interface Deleted {
  readonly DeleteMarker?: boolean;
  readonly VersionId?: string;
}

/** Objects deleted: by a marker where there are versions, for good where a version is named. */
export function deleteOperations(state: S3State): Readonly<Record<string, Operation>> {
  return {
    DeleteObject: operation<DeleteObjectCommandInput, DeleteObjectCommandOutput>({
      needs: onObject(state, 's3:DeleteObject', 's3:DeleteObjectVersion'),
      run: (input, call) => {
        const bucket = bucketOf(state, input);
        if (input.VersionId !== undefined) assertVersionId(bucket, input.VersionId);
        return remove(state, bucket, input, call);
      },
    }),
    // Each key is allowed or refused by itself and the answer is 200 all the same.
    DeleteObjects: operation<DeleteObjectsCommandInput, DeleteObjectsCommandOutput>({
      run: (input, call) => {
        const bucket = bucketOf(state, input);
        const results = (input.Delete?.Objects ?? []).map((object) => attempt(state, bucket, { ...object, Bucket: bucket.name, BypassGovernanceRetention: input.BypassGovernanceRetention }, call));
        const deleted = results.flatMap((result) => ('deleted' in result ? [result.deleted] : []));
        const errors = results.flatMap((result) => ('error' in result ? [result.error] : []));
        return { ...(input.Delete?.Quiet ? {} : { Deleted: deleted }), ...(errors.length > 0 ? { Errors: errors } : {}) };
      },
    }),
  };
}

type Entry<Key extends 'Deleted' | 'Errors'> = NonNullable<DeleteObjectsCommandOutput[Key]>[number];

function attempt(state: S3State, bucket: Bucket, input: DeleteInput, call: Call): { readonly deleted: Entry<'Deleted'> } | { readonly error: Entry<'Errors'> } {
  const { Key, VersionId } = input;
  const named = { ...(Key === undefined ? {} : { Key }), ...(VersionId === undefined ? {} : { VersionId }) };
  try {
    if (!isAllowed(state, call, objectNeed(state, input, VersionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion'))) {
      return { error: { ...named, Code: 'AccessDenied', Message: 'Access Denied' } };
    }
    if (VersionId !== undefined && !versionOf(bucket, Key ?? '', VersionId) && bucket.objects.has(Key ?? '')) {
      return { error: { ...named, Code: 'NoSuchVersion', Message: 'The specified version does not exist.' } };
    }
    const { DeleteMarker, VersionId: id } = remove(state, bucket, input, call);
    return { deleted: { ...named, ...(DeleteMarker && id !== undefined ? { DeleteMarker, DeleteMarkerVersionId: id } : {}) } };
  } catch (error) {
    if (error instanceof AwsError) return { error: { ...named, Code: error.code, Message: error.message } };
    throw error;
  }
}

/** Deleting what is not there succeeds; so does deleting it again. */
function remove(state: S3State, bucket: Bucket, input: DeleteInput, call: Call): Deleted {
  const key = input.Key ?? '';
  if (input.VersionId !== undefined) {
    const version = versionOf(bucket, key, input.VersionId);
    if (version && !version.marker) assertDeletable(state, call, input, version);
    removeVersion(bucket, key, input.VersionId);
    return { VersionId: input.VersionId, ...(version?.marker ? { DeleteMarker: true } : {}) };
  }
  if (bucket.versioning === null) {
    removeVersion(bucket, key, 'null');
    return {};
  }
  const id = bucket.versioning === 'Enabled' ? newVersionId() : 'null';
  addVersion(bucket, key, { marker: true, id, modified: new Date(call.time), owner: canonicalUserId(bucket.account) });
  return { DeleteMarker: true, VersionId: id };
}
