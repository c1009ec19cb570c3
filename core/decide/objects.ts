import { at, listOf, textOf } from '../signal/envelope.ts';
import type { Json } from '../bucket.ts';
import type { Signal } from '../signal.ts';
import type { Target } from '../incident.ts';

/** For an object that a signal names: bucket, key and, where GuardDuty says it, version. */
export function objectDetails(signal: Signal, target: Target): { readonly [key: string]: Json } {
  if (target.kind !== 'object') return {};
  for (const { bucket, key, versionId } of objectsIn(signal.event.detail)) {
    if (bucket !== null && key !== null && `${bucket}/${key}` === target.name) return { bucket, key, versionId };
  }
  return {};
}

interface Named {
  readonly bucket: string | null;
  readonly key: string | null;
  readonly versionId: string | null;
}

function* objectsIn(detail: unknown): Generator<Named> {
  const scanned = at(detail, 's3ObjectDetails');
  yield { bucket: textOf(at(scanned, 'bucketName')), key: textOf(at(scanned, 'objectKey')), versionId: textOf(at(scanned, 'versionId')) };
  for (const bucket of listOf(at(detail, 'resource', 's3BucketDetails'))) {
    for (const object of listOf(at(bucket, 's3ObjectDetails'))) {
      yield { bucket: textOf(at(bucket, 'name')), key: textOf(at(object, 'key')), versionId: textOf(at(object, 'versionId')) };
    }
  }
}
