import type { PublicAccessBlockConfiguration } from '@aws-sdk/client-s3';
import type { PublicAccessBlock } from '../core/bucket.ts';

/** As S3 and S3 Control return it; what is not said is off. */
export function blockOf(block: PublicAccessBlockConfiguration | undefined): PublicAccessBlock | null {
  if (!block) return null;
  return {
    BlockPublicAcls: block.BlockPublicAcls ?? false,
    IgnorePublicAcls: block.IgnorePublicAcls ?? false,
    BlockPublicPolicy: block.BlockPublicPolicy ?? false,
    RestrictPublicBuckets: block.RestrictPublicBuckets ?? false,
  };
}
