/**
 * What the workflows' Retry and Catch tell apart: a failure that passes, and one that names a missing permission.
 * The names are spelled the same in `ErrorEquals`.
 */
export class TransientError extends Error {
  override readonly name = 'TransientError';
}

/** AWS is at work on something else that has to end first, which may take minutes: asked again later, not in a moment. */
export class BusyError extends Error {
  override readonly name = 'BusyError';
}

/** AWS refused for want of a permission; the message is AWS's own and names action and resource. */
export class PermissionError extends Error {
  override readonly name = 'PermissionError';
}

/** AWS's codes for "you may not": S3, IAM and STS say the first, JSON services the second. */
const REFUSED: ReadonlySet<string> = new Set(['AccessDenied', 'AccessDeniedException']);
/** The network's failures, as Node and the SDK name them. */
const NETWORK: ReadonlySet<string> = new Set(['ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT', 'EPIPE', 'TimeoutError', 'NetworkingError']);

/**
 * Two writes of one resource's settings met, also two of one caller in a row.
 * @see https://github.com/hashicorp/terraform-provider-aws/issues/7628 (PutPublicAccessBlock and PutBucketPolicy), https://github.com/ansible/ansible/pull/67811
 * @see https://github.com/ansible-collections/community.aws/issues/1624 (PutBucketLifecycleConfiguration)
 */
const CONFLICTS: ReadonlySet<string> = new Set(['OperationAborted', 'ConditionalRequestConflict']);

/** The name that AWS gave an error, wherever it stands: `NoSuchBucketPolicy`; `null` where it is not AWS's. */
export function codeOf(error: unknown): string | null {
  return error instanceof Error && '$metadata' in error ? error.name : null;
}

export function isRefusal(error: unknown): boolean {
  return REFUSED.has(codeOf(error) ?? '');
}

/** Refused, by an answer without a body: HEAD has none. */
export function isForbidden(error: unknown): boolean {
  return error instanceof Error && '$metadata' in error && isRecord(error.$metadata) && error.$metadata['httpStatusCode'] === 403;
}

/** Gives an AWS error the name that workflows act on; the rest passes through as it is. */
export function classified(error: unknown, during: string): unknown {
  if (!(error instanceof Error)) return new Error(`${during}: ${String(error)}`);
  if (isRefusal(error)) return new PermissionError(`${during}: ${error.message}`, { cause: error });
  if (isTransient(error)) return new TransientError(`${during}: ${error.name}: ${error.message}`, { cause: error });
  return error;
}

function isTransient(error: Error): boolean {
  const status = '$metadata' in error && isRecord(error.$metadata) ? Number(error.$metadata['httpStatusCode'] ?? 0) : 0;
  const code = 'code' in error ? String(error.code) : error.name;
  // The SDK has the property on every error that a service's model names, and a value only where the model says so.
  return ('$retryable' in error && error.$retryable !== undefined) || status >= 500 || status === 429 || NETWORK.has(code) || CONFLICTS.has(error.name) || /Throttl|SlowDown|TooManyRequests|RequestLimit/.test(error.name);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
