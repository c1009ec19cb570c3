import { AwsError, type Call, type HttpRequest, type HttpResponse } from '../../service.ts';
import { assertAllowed, assertMayLearn } from './access.ts';
import { objectNeed } from './actions.ts';
import { decoded, noSuchBucket } from './errors.ts';
import { objectOf, type Bucket, type ObjectVersion, type S3State } from './state.ts';

const HOST = /^(.+)\.s3-website[.-][a-z0-9-]+\.amazonaws\.com$/;

export function isWebsiteRequest(request: HttpRequest): boolean {
  return HOST.test(request.host);
}

/**
 * A bucket's website endpoint: index and error documents, HTML for errors. Whoever asks, asks as nobody: "Amazon S3
 * website endpoints ... support only publicly readable content".
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/CustomErrorDocSupport.html
 */
export function serveWebsite(state: S3State, request: HttpRequest, signed: Call): HttpResponse {
  const call: Call = { ...signed, caller: { kind: 'anonymous' }, authType: 'none' };
  const name = HOST.exec(request.host)?.[1] ?? '';
  const bucket = state.buckets.get(name);
  try {
    if (request.method !== 'GET' && request.method !== 'HEAD') throw new AwsError('MethodNotAllowed', 'The specified method is not allowed against this resource.', 405);
    if (!bucket) throw noSuchBucket(name);
    if (!bucket.website) throw new AwsError('NoSuchWebsiteConfiguration', 'The specified bucket does not have a website configuration', 404, { BucketName: name });
    const redirect = bucket.website.RedirectAllRequestsTo;
    if (redirect?.HostName) return { status: 301, headers: { location: `${redirect.Protocol ?? 'http'}://${redirect.HostName}${request.path}` }, body: '' };
    const path = decoded(request.path.slice(1));
    const index = bucket.website.IndexDocument?.Suffix ?? 'index.html';
    return ok(200, read(state, call, bucket, path === '' || path.endsWith('/') ? `${path}${index}` : path));
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return (bucket && errorDocument(state, call, bucket, error)) ?? page(error, call);
  }
}

function read(state: S3State, call: Call, bucket: Bucket, key: string): ObjectVersion {
  assertAllowed(state, call, objectNeed(state, { Bucket: bucket.name, Key: key }, 's3:GetObject'));
  try {
    return objectOf(bucket, key, undefined, 'GET');
  } catch (error) {
    assertMayLearn(state, call, bucket);
    throw error;
  }
}

/** The bucket's own page for errors, where it has one and the public may read it. */
function errorDocument(state: S3State, call: Call, bucket: Bucket, cause: AwsError): HttpResponse | null {
  const key = bucket.website?.ErrorDocument?.Key;
  if (key === undefined) return null;
  try {
    return ok(cause.status, read(state, call, bucket, key));
  } catch (error) {
    if (error instanceof AwsError) return null;
    throw error;
  }
}

function ok(status: number, object: ObjectVersion): HttpResponse {
  const location = object.headers.WebsiteRedirectLocation;
  if (location !== undefined) return { status: 301, headers: { location }, body: '' };
  return { status, headers: { 'content-type': object.headers.ContentType, etag: object.etag, 'last-modified': object.modified.toUTCString() }, body: object.body };
}

function page(error: AwsError, call: Call): HttpResponse {
  const title = `${error.status} ${{ 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed' }[error.status] ?? 'Error'}`;
  const facts = { Code: error.code, Message: error.message, ...error.fields, RequestId: call.requestId };
  const items = Object.entries(facts).map(([name, value]) => `<li>${escaped(name)}: ${escaped(String(value))}</li>`);
  return {
    status: error.status,
    headers: { 'content-type': 'text/html; charset=utf-8', 'x-amz-request-id': call.requestId },
    body: `<html>\n<head><title>${title}</title></head>\n<body>\n<h1>${title}</h1>\n<ul>\n${items.join('\n')}\n</ul>\n<hr/>\n</body>\n</html>\n`,
  };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
