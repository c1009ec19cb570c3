import type { Credentials } from '../service.ts';
import { fetchSigned } from './signed.ts';

/** A bucket's settings as S3 sends them, by the name of the subresource: status and body, byte for byte but for lists that S3 gives in any order. */
export type RawSettings = Readonly<Record<string, string>>;

/** The settings of BucketState (core/bucket.ts), by S3's names for them. */
const SUBRESOURCES = [
  'publicAccessBlock', 'policy', 'acl', 'ownershipControls', 'lifecycle', 'replication', 'website', 'cors', 'tagging', 'versioning', 'object-lock', 'notification',
] as const;

/**
 * Reads all settings of a bucket over HTTP. By no code of the product's, so that what the product reads wrong
 * still shows as a difference.
 */
export async function readRawSettings(from: { readonly endpoint: string; readonly region: string; readonly credentials: Credentials; readonly now: number }, bucket: string): Promise<RawSettings> {
  const entries = SUBRESOURCES.map(async (name) => {
    const url = new URL(`${from.endpoint}/${bucket}?${name}=`);
    const answer = await fetchSigned({ ...from, service: 's3', method: 'GET', url });
    const body = await answer.text();
    // An error's body carries a request id; its code is what says "absent".
    return [name, answer.ok ? `200 ${inOneOrder(name, body)}` : `${answer.status} ${/<Code>(.*?)<\/Code>/.exec(body)?.[1] ?? ''}`] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Lists that S3 gives in any order, in one: of a policy's text, and of the tags as XML. */
export function inOneOrder(name: string, body: string): string {
  if (name === 'tagging') return (body.match(/<Tag>.*?<\/Tag>/gs) ?? []).toSorted(ascending).join('');
  if (name !== 'policy') return body;
  return JSON.stringify(
    JSON.parse(body, (key, value: unknown) => {
      if (Array.isArray(value)) return key === 'Statement' ? value : value.length === 1 ? value[0] : value.toSorted(ascending);
      return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => ascending(a, b))) : value;
    }),
  );
}

function ascending(a: unknown, b: unknown): number {
  return String(a) < String(b) ? -1 : 1;
}

/** The names of the settings that differ. */
export function differences(before: RawSettings, after: RawSettings): readonly string[] {
  return SUBRESOURCES.filter((name) => before[name] !== after[name]);
}
