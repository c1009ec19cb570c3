import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { loadPlaybooks } from '../../aws/playbooks.ts';
import type { PublicAccessBlock } from '../../core/bucket.ts';
import type { NamedBucket } from '../../core/decide/facts.ts';
import type { KnownState } from '../../core/exposure.ts';
import type { Playbook } from '../../core/playbook.ts';
import { type Suppression, SuppressionSchema, readSuppression } from '../../core/suppression.ts';
import { type Config, ConfigError, readConfig } from '../../deploy/config.ts';
import { CliError, EXIT } from '../exit.ts';

/** The playbooks of this checkout. */
export async function shippedPlaybooks(): Promise<readonly Playbook[]> {
  return await loadPlaybooks(`${import.meta.dirname}/../..`);
}

const flag = z.boolean().default(false);
const block: z.ZodType<PublicAccessBlock | null> = z
  .strictObject({ BlockPublicAcls: flag, IgnorePublicAcls: flag, BlockPublicPolicy: flag, RestrictPublicBuckets: flag })
  .nullable();
// A policy may stand there as an object: that is how people write one into a file.
const policy = z.union([z.string(), z.record(z.string(), z.json()).transform((document) => JSON.stringify(document))]).nullable();
const grant = z.strictObject({
  permission: z.enum(['FULL_CONTROL', 'READ', 'WRITE', 'READ_ACP', 'WRITE_ACP']),
  grantee: z.union([z.strictObject({ uri: z.string() }), z.strictObject({ id: z.string() })]),
});

/** What is known of a bucket, as the incident record's snapshots have it; settings that decide nothing may be there too. */
const StateSchema = z.object({
  bucket: z.string().min(1),
  account: z.string().optional(),
  publicAccessBlock: block.optional(),
  accountPublicAccessBlock: block.optional(),
  policy: policy.optional(),
  acl: z.object({ owner: z.string().nullable().default(null), grants: z.array(grant) }).nullable().optional(),
  ownership: z.enum(['BucketOwnerEnforced', 'BucketOwnerPreferred', 'ObjectWriter']).nullable().optional(),
  accessPoints: z
    .array(z.object({ name: z.string(), arn: z.string().default(''), publicAccessBlock: block.default(null), policy: policy.default(null), networkOrigin: z.enum(['Internet', 'VPC']).optional() }))
    .optional(),
});

export interface States {
  readonly stateOf: (bucket: string) => KnownState | undefined;
  readonly bucketsOf: (account: string) => readonly NamedBucket[];
  readonly bucketOfAccessPoint: (arn: string) => string | undefined;
}

/**
 * `--state`: one bucket or a list of them.
 *
 * @throws {CliError} naming the field that is wrong
 */
export async function readStates(file: string): Promise<States> {
  const document = await readJson(file);
  const states = parse(file, z.array(StateSchema), Array.isArray(document) ? document : [document]);
  const byName = new Map(states.map((state) => [state.bucket, state]));
  return {
    // What is not in the file is not known, which is not the same as absent.
    stateOf: (bucket) => {
      const state = byName.get(bucket);
      return state && definedOf(state);
    },
    bucketsOf: (account) => states.filter((state) => (state.account ?? account) === account).map((state) => ({ name: state.bucket })),
    bucketOfAccessPoint: (arn) => states.find((state) => state.accessPoints?.some((point) => point.arn === arn || arn.endsWith(`:accesspoint/${point.name}`)))?.bucket,
  };
}

function definedOf(state: z.infer<typeof StateSchema>): KnownState {
  const { publicAccessBlock, accountPublicAccessBlock, policy: text, acl, ownership, accessPoints } = state;
  return {
    ...(publicAccessBlock !== undefined && { publicAccessBlock }),
    ...(accountPublicAccessBlock !== undefined && { accountPublicAccessBlock }),
    ...(text !== undefined && { policy: text }),
    ...(acl !== undefined && { acl }),
    ...(ownership !== undefined && { ownership }),
    ...(accessPoints !== undefined && { accessPoints: accessPoints.map(({ networkOrigin, ...point }) => ({ ...point, ...(networkOrigin && { networkOrigin }) })) }),
  };
}

/** `--config`: what is deployed. @throws {CliError} naming the field that is wrong */
export async function readConfigFile(file: string, stage?: string): Promise<Config> {
  const document = await readJson(file);
  try {
    return readConfig(document, stage);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new CliError(EXIT.usage, `${file}: ${cause.message}`, { cause });
  }
}

/** As `stopbath suppressions --json` prints them; who set one, and when, decides nothing. */
const SuppressionsSchema = z.object({ suppressions: z.array(z.looseObject(SuppressionSchema.shape).transform(({ id, pattern, owner, reason, expires }) => ({ id, pattern, owner, reason, expires }))) });

/** `--suppressions`. @throws {CliError} naming the field that is wrong */
export async function readSuppressionsFile(file: string): Promise<readonly Suppression[]> {
  const { suppressions } = parse(file, SuppressionsSchema, await readJson(file));
  try {
    return suppressions.map(readSuppression);
  } catch (cause) {
    throw new CliError(EXIT.usage, `${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new CliError(EXIT.usage, `${file} cannot be read as JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function parse<T>(file: string, schema: z.ZodType<T>, document: unknown): T {
  const read = schema.safeParse(document);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new CliError(EXIT.usage, `${file}: ${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'not valid'}`);
}
