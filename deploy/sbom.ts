/**
 * The bill of materials of what is shipped, CycloneDX 1.6, from package-lock.json: every package that is not for development alone.
 *
 *     npm run -s sbom > stopbath.cdx.json
 *
 * (`npm sbom --omit dev` was tried first: npm 11.19 leaves out packages that are needed, @aws-sdk/client-cloudwatch for one.)
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const Lock = z.object({
  name: z.string(),
  version: z.string(),
  packages: z.record(z.string(), z.looseObject({ version: z.string().optional(), license: z.string().optional(), integrity: z.string().optional(), dev: z.boolean().optional(), devOptional: z.boolean().optional() })),
});

export interface Shipped {
  /** `@aws-sdk/client-s3` */
  readonly name: string;
  readonly version: string;
  /** SPDX; empty where the package says none. */
  readonly license: string;
  /** `sha512-…`, base64. */
  readonly integrity: string;
}

/** Every package that is shipped, one a name and version. */
export function shippedOf(lock: unknown): readonly Shipped[] {
  const { packages } = Lock.parse(lock);
  const found = Object.entries(packages).flatMap(([path, { version = '', license = '', integrity = '', dev, devOptional }]): readonly Shipped[] => (path === '' || dev === true || devOptional === true ? [] : [{ name: path.split('node_modules/').at(-1) ?? '', version, license, integrity }]));
  return [...new Map(found.map((one) => [`${one.name}@${one.version}`, one])).values()].toSorted((one, other) => one.name.localeCompare(other.name));
}

/** @see https://cyclonedx.org/docs/1.6/json/ */
export function billOf(lock: unknown): object {
  const { name, version } = Lock.parse(lock);
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', 'bom-ref': `${name}@${version}`, name, version } },
    components: shippedOf(lock).map((one) => {
      const [group, own] = one.name.startsWith('@') ? one.name.split('/') : [undefined, one.name];
      const purl = `pkg:npm/${group === undefined ? '' : `${encodeURIComponent(group)}/`}${own ?? ''}@${one.version}`;
      const [algorithm, digest = ''] = one.integrity.split('-');
      return {
        type: 'library',
        'bom-ref': purl,
        ...(group === undefined ? {} : { group }),
        name: own,
        version: one.version,
        purl,
        licenses: one.license === '' ? [] : [{ license: { id: one.license } }],
        hashes: algorithm === 'sha512' ? [{ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') }] : [],
      };
    }),
  };
}

if (import.meta.main) console.log(JSON.stringify(billOf(JSON.parse(readFileSync(join(import.meta.dirname, '../package-lock.json'), 'utf8'))), null, 2));
