import type { HttpRequest } from '../service.ts';

/**
 * The bucket of an S3 request and the path within it, for path-style (`/bucket/key`) and virtual-hosted
 * (`bucket.s3.us-east-1.amazonaws.com`, `bucket.localhost`) addresses. The bucket is `null` for `ListBuckets`.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
 */
export function bucketOf(request: Pick<HttpRequest, 'host' | 'path'>): { readonly bucket: string | null; readonly path: string } {
  const virtual = /^(.+?)\.(?:s3[.-](?:.*\.)?amazonaws\.com|s3\.localhost|localhost)$/.exec(request.host);
  if (virtual?.[1] && virtual[1] !== 's3') return { bucket: virtual[1], path: request.path };
  const [, bucket = '', path = ''] = /^\/([^/]*)(.*)$/s.exec(request.path) ?? [];
  return bucket ? { bucket, path: path || '/' } : { bucket: null, path: '/' };
}
