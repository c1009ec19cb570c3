import { DeleteBucketTaggingCommand, GetBucketTaggingCommand, PutBucketTaggingCommand } from '@aws-sdk/client-s3';
import { s3Of } from '../../aws/clients.ts';
import { codeOf } from '../../aws/errors.ts';
import type { Tools } from '../../aws/function.ts';
import { byKey, type Json, type Tag } from '../../core/bucket.ts';
import type { Target } from '../../core/incident.ts';

/** The key of the tag that says which incident watches the bucket. */
export const TAG = 'new-playbook';

/** What the playbook changes, as it is now; `null` where there is none: "absent" is a value, and comes back as it was. */
export async function readTags({ clients }: Tools, { name: Bucket, account: ExpectedBucketOwner }: Target): Promise<Json> {
  try {
    const { TagSet = [] } = await s3Of(clients).send(new GetBucketTaggingCommand({ Bucket, ExpectedBucketOwner }));
    return inOrder(TagSet.map(({ Key = '', Value = '' }) => ({ Key, Value })));
  } catch (error) {
    if (codeOf(error) === 'NoSuchTagSet') return null;
    throw error;
  }
}

/** S3 gives tags back in an order of its own. */
export function inOrder(tags: readonly Tag[]): Json {
  return byKey(tags).map(({ Key, Value }) => ({ Key, Value }));
}

export async function writeTags({ clients }: Tools, { name: Bucket, account: ExpectedBucketOwner }: Target, tags: Json): Promise<void> {
  const of = { Bucket, ExpectedBucketOwner };
  if (tags === null) await s3Of(clients).send(new DeleteBucketTaggingCommand(of));
  else await s3Of(clients).send(new PutBucketTaggingCommand({ ...of, Tagging: { TagSet: [...tagsIn(tags)] } }));
}

export function tagsIn(tags: Json): readonly Tag[] {
  return Array.isArray(tags) ? (tags as readonly { readonly Key: string; readonly Value: string }[]) : [];
}
