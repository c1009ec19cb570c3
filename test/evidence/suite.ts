import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetPublicKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Table } from '../../aws/records.ts';
import type { EvidenceRecord } from '../../core/evidence.ts';
import { fingerprintOf, readSeal, type Seal } from '../../core/seal.ts';
import { verifyEvidence, type Verdict } from '../../core/verify.ts';
import type { Config } from '../../deploy/config.ts';
import { startAccount, type Account } from '../../sandbox/account.ts';
import { skippingClock, type Clock } from '../../sandbox/clock.ts';
import type { Deployment } from '../../sandbox/deploy.ts';
import { seedPhotos, type Photos } from '../../sandbox/photos/seed.ts';
import { bucketFiles } from '../../sandbox/scenario/evidence.ts';
import { keyIdOf } from '../../sandbox/services/kms.ts';

const ROOT = join(import.meta.dirname, '../..');

/** A deployed suite in an account of its own, and what an auditor with the bucket's files can see of it. */
export interface Suite {
  readonly account: Account;
  readonly photos: Photos;
  readonly deployment: Deployment;
  readonly table: Table;
  readonly bucket: string;
  readonly s3: S3Client;
  /** Plays a file of test/events, or an event, as it is; with `drill`, as a person with the permission to plays one. */
  readonly send: (event: string | object, how?: { readonly drill: true }) => Promise<void>;
  /** Until nothing is under way. */
  readonly rest: () => Promise<void>;
  /** The time of a schedule comes, and what it starts ends. */
  readonly tick: (name: 'sweep' | 'seal') => Promise<void>;
  /** Sandbox time goes by. */
  readonly pass: (ms: number) => Promise<void>;
  readonly now: () => string;
  readonly fingerprint: (number?: number) => Promise<string>;
  readonly keys: (prefix: string) => Promise<readonly string[]>;
  readonly text: (key: string, versionId?: string) => Promise<string>;
  readonly record: (key: string) => Promise<EvidenceRecord & { readonly body: Readonly<Record<string, unknown>> }>;
  readonly seals: () => Promise<readonly Seal[]>;
  readonly verify: (until?: string) => Promise<Verdict>;
  readonly stop: () => Promise<void>;
}

export async function startSuite(config: Partial<Config> = {}, ticking: Clock = skippingClock()): Promise<Suite> {
  const account = await startAccount({ clock: ticking });
  const photos = await seedPhotos(account, () => account.s3.settle());
  const deployment = await account.deploy({ config: { modeCap: 'contain', verifyIntervalSeconds: 1, responderRoles: [photos.roles.responder], auditorRoles: [photos.roles.auditor], ...config } });
  const client = { endpoint: account.endpoint, region: account.world.region, credentials: account.admin };
  const s3 = new S3Client({ ...client, forcePathStyle: true });
  const kms = new KMSClient(client);
  const dynamo = new DynamoDBClient(client);
  const bucket = `${deployment.name}-evidence-${account.accounts.home}`;
  const { clock } = account;
  const now = () => new Date(clock.now()).toISOString();

  const rest = async () => {
    do {
      await account.idle(3_600_000);
      await Promise.all([account.events.idle(), account.lambda.idle()]);
    } while (account.lambda.logs.length !== (await new Promise<number>((resolve) => setTimeout(() => resolve(account.lambda.logs.length), 5))));
  };
  const files = bucketFiles(s3, bucket);
  const { keys, text } = files;
  const fingerprint: Suite['fingerprint'] = async (number = 1) => {
    const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: keyIdOf(account.accounts.home, `SealKey${number}`) }));
    return fingerprintOf(PublicKey ?? new Uint8Array());
  };
  return {
    account, photos, deployment, bucket, s3, rest, now, keys, text, fingerprint,
    table: { settings: { STOPBATH_TABLE: deployment.name }, clients: { dynamo: DynamoDBDocumentClient.from(dynamo) } },
    send: async (event, how) => {
      const names: Readonly<Record<string, string>> = { bucket: photos.family, account: account.accounts.home, region: account.world.region, now: now() };
      const body: unknown = typeof event === 'string' ? JSON.parse(readFileSync(join(ROOT, 'test/events', event), 'utf8').replaceAll(/\$\{(\w+)\}/g, (_, name: string) => names[name] ?? '')) : event;
      if (how?.drill) {
        const caller = account.directory.findKey(account.admin.accessKeyId)?.caller;
        if (caller) await account.world.call('lambda', 'Invoke', { FunctionName: deployment.functions['triage'], InvocationType: 'Event', Payload: JSON.stringify({ drill: true, event: body }) }, caller);
      } else {
        const answer = await fetch(`${account.endpoint}/_sandbox/events`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
        if (!answer.ok) throw new Error(await answer.text());
      }
      await rest();
    },
    tick: async (name) => {
      account.events.tick(`${deployment.name}-${name}`);
      await rest();
    },
    pass: async (ms) => await clock.sleep(ms),
    record: async (key) => JSON.parse(await text(key)),
    seals: async () => await Promise.all((await keys('seals/')).map(async (key) => readSeal(await text(key)).seal)),
    verify: async (until = now()) => await verifyEvidence(files, { trusted: [await fingerprint()], until }),
    stop: async () => {
      [s3, kms, dynamo].forEach((one) => one.destroy());
      await account.stop();
    },
  };
}
