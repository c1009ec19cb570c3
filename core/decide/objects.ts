import { at, listOf, textOf } from '../signal/envelope.ts';
import type { Json } from '../bucket.ts';
import type { Signal } from '../signal.ts';
import type { Target } from '../incident.ts';

/** For an object that a signal names: bucket, key and, where GuardDuty says it, version. */
export function objectDetails(signal: Signal, target: Target): { readonly [key: string]: Json } {
  if (target.kind !== 'object') return {};
  const { detail } = signal.event;
  const scanned = at(detail, 's3ObjectDetails');
  const objects = [
    { bucket: textOf(at(scanned, 'bucketName')), key: textOf(at(scanned, 'objectKey')), versionId: textOf(at(scanned, 'versionId')) },
    ...listOf(at(detail, 'resource', 's3BucketDetails')).flatMap((bucket) =>
      listOf(at(bucket, 's3ObjectDetails')).map((object) => ({ bucket: textOf(at(bucket, 'name')), key: textOf(at(object, 'key')), versionId: textOf(at(object, 'versionId')) })),
    ),
  ];
  return objects.find(({ bucket, key }) => bucket !== null && key !== null && `${bucket}/${key}` === target.name) ?? {};
}
