import { DescribeContinuousBackupsCommand, DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { DescribeKeyCommand, GetKeyPolicyCommand, GetPublicKeyCommand } from '@aws-sdk/client-kms';
import { GetBucketPolicyCommand, GetBucketVersioningCommand, GetObjectLockConfigurationCommand, GetPublicAccessBlockCommand } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { kmsOf, s3Of, sqsOf } from '../../aws/clients.ts';
import { checkShareTables, ShareTablesError } from '../../aws/share/tables.ts';
import { readPolicy } from '../../core/policy.ts';
import { parseYaml } from '../../deploy/yaml.ts';
import { DEPLOY, look, Trouble, type Diagnosis } from './diagnosis.ts';
import { ROOT, type Site } from './site.ts';

/**
 * Where the suite keeps what it knows, the keys that vouch for it, and what could not be delivered.
 *
 * @param sealKeys - ARNs, oldest first; `null` where the function that has them cannot be read
 */
export async function diagnoseStorage(site: Site, sealKeys: readonly string[] | null): Promise<readonly Diagnosis[]> {
  const template = parseTemplate();
  return await Promise.all([...diagnoseTables(site, template), ...diagnoseEvidence(site, template), ...diagnoseKeys(site, sealKeys), ...diagnoseQueues(site), ...diagnoseShares(site)]);
}

const Template = z.object({ Resources: z.record(z.string(), z.looseObject({ Properties: z.looseObject({}) })) });
const tableProperties = z.looseObject({ GlobalSecondaryIndexes: z.array(z.looseObject({ IndexName: z.string(), KeySchema: z.array(z.object({ AttributeName: z.string(), KeyType: z.string() })) })) });
const policyProperties = z.looseObject({ PolicyDocument: z.object({ Statement: z.array(z.looseObject({ Sid: z.string() })) }) });

function parseTemplate(): z.infer<typeof Template>['Resources'] {
  return Template.parse(parseYaml(readFileSync(join(ROOT, 'deploy/storage.yml'), 'utf8'))).Resources;
}

type Resources = ReturnType<typeof parseTemplate>;

function diagnoseTables({ clients, name }: Site, template: Resources): readonly Promise<Diagnosis>[] {
  return [
    look('table', async () => {
      const { Table } = await clients.dynamo.send(new DescribeTableCommand({ TableName: name }));
      if (Table?.TableStatus !== 'ACTIVE') throw new Trouble(`is ${Table?.TableStatus ?? 'not there'}`, DEPLOY);
      for (const { IndexName, KeySchema } of tableProperties.parse(template['Table']?.Properties).GlobalSecondaryIndexes) {
        const there = Table.GlobalSecondaryIndexes?.find((index) => index.IndexName === IndexName);
        if (!there) throw new Trouble(`has no index ${IndexName}`, 'deploy again; CloudFormation makes one index an update, so that it may take several');
        if (there.IndexStatus !== 'ACTIVE') throw new Trouble(`index ${IndexName} is ${there.IndexStatus ?? 'not there'}: what it lists is not all`, 'wait until it is ACTIVE');
        const keys = (schema: readonly { readonly AttributeName?: string | undefined }[]) => schema.map(({ AttributeName }) => AttributeName).join(' and ');
        if (keys(there.KeySchema ?? []) !== keys(KeySchema)) throw new Trouble(`index ${IndexName} is keyed by ${keys(there.KeySchema ?? [])}, not by ${keys(KeySchema)}`, DEPLOY);
      }
      if (Table.DeletionProtectionEnabled !== true) throw new Trouble('can be deleted', `aws dynamodb update-table --table-name ${name} --deletion-protection-enabled`);
      return 'active, with its indexes, and protected from deletion';
    }),
    look('table backups', async () => {
      const { ContinuousBackupsDescription } = await clients.dynamo.send(new DescribeContinuousBackupsCommand({ TableName: name }));
      if (ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus !== 'ENABLED') throw new Trouble('no point-in-time recovery: what is overwritten by mistake is gone', `aws dynamodb update-continuous-backups --table-name ${name} --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true`);
      return 'point-in-time recovery is on';
    }),
  ];
}

function diagnoseEvidence({ clients, name, account, config }: Site, template: Resources): readonly Promise<Diagnosis>[] {
  const Bucket = `${name}-evidence-${account}`;
  return [
    look('evidence lock', async () => {
      const [{ Status }, { ObjectLockConfiguration }] = await Promise.all([s3Of(clients).send(new GetBucketVersioningCommand({ Bucket })), s3Of(clients).send(new GetObjectLockConfigurationCommand({ Bucket }))]);
      if (Status !== 'Enabled') throw new Trouble('the bucket keeps no versions', DEPLOY);
      const { Mode, Days } = ObjectLockConfiguration?.Rule?.DefaultRetention ?? {};
      if (Mode !== 'COMPLIANCE') throw new Trouble(`evidence can be deleted: the lock is ${Mode ?? 'off'}`, DEPLOY);
      if (Days !== config.evidenceRetentionDays) throw new Trouble(`evidence is kept for ${Days ?? 0} days, and the file says ${config.evidenceRetentionDays}`, DEPLOY);
      return `nobody can delete it for ${Days} days`;
    }),
    look('evidence access', async () => {
      const [{ Policy }, { PublicAccessBlockConfiguration: block }] = await Promise.all([s3Of(clients).send(new GetBucketPolicyCommand({ Bucket })), s3Of(clients).send(new GetPublicAccessBlockCommand({ Bucket }))]);
      if (!block?.BlockPublicAcls || !block.BlockPublicPolicy || !block.IgnorePublicAcls || !block.RestrictPublicBuckets) throw new Trouble('public access is not blocked', DEPLOY);
      const denies = new Set(readPolicy(JSON.parse(Policy ?? '{}')).statements.flatMap(({ sid, effect }) => (effect === 'Deny' && sid !== null ? [sid] : [])));
      const missing = policyProperties.parse(template['EvidenceBucketPolicy']?.Properties).PolicyDocument.Statement.map(({ Sid }) => Sid).filter((sid) => !denies.has(sid));
      if (missing.length > 0) throw new Trouble(`its policy lacks ${missing.join(', ')}: evidence can be written over, or sealed by somebody else`, DEPLOY);
      return 'private, written once, sealed by the sealer alone';
    }),
  ];
}

const grants = z.object({ Statement: z.array(z.looseObject({ Effect: z.string(), Action: z.union([z.string(), z.array(z.string())]).transform((action) => [action].flat()), Principal: z.unknown() })) });

function diagnoseKeys({ clients, name, account, config }: Site, sealKeys: readonly string[] | null): readonly Promise<Diagnosis>[] {
  if (sealKeys === null) return [Promise.resolve({ what: 'seal keys', state: 'unknown', found: `only the function ${name}-seal says which they are, and it cannot be read`, todo: '' })];
  const sealer = `arn:aws:iam::${account}:role/${name}-seal`;
  return [
    look('seal keys', () => {
      if (sealKeys.length !== config.sealKeys) throw new Trouble(`there are ${sealKeys.length}, and the file says ${config.sealKeys}`, DEPLOY);
      return Promise.resolve(`${sealKeys.length}, the last one signs`);
    }),
    ...sealKeys.map((KeyId, index) =>
      look(`seal key ${index + 1}`, async () => {
        const { KeyMetadata } = await kmsOf(clients).send(new DescribeKeyCommand({ KeyId }));
        const present = index === sealKeys.length - 1;
        if (KeyMetadata?.KeyState === 'PendingDeletion') throw new Trouble(`is going to be deleted at ${KeyMetadata.DeletionDate?.toISOString() ?? 'some time'}: its seals could not be verified online any more`, `aws kms cancel-key-deletion --key-id ${KeyId}; aws kms enable-key --key-id ${KeyId}`);
        if (present && KeyMetadata?.KeyState !== 'Enabled') throw new Trouble(`is ${KeyMetadata?.KeyState ?? 'not there'}: nothing is sealed`, `aws kms enable-key --key-id ${KeyId}`);
        if (KeyMetadata?.KeyUsage !== 'SIGN_VERIFY' || KeyMetadata.KeySpec !== 'ECC_NIST_P256') throw new Trouble(`is for ${KeyMetadata?.KeyUsage ?? 'nothing'} (${KeyMetadata?.KeySpec ?? 'no spec'}), not for signing on P-256`, DEPLOY);
        await kmsOf(clients).send(new GetPublicKeyCommand({ KeyId }));
        const { Policy = '{"Statement":[]}' } = await kmsOf(clients).send(new GetKeyPolicyCommand({ KeyId }));
        const signers = grants.parse(JSON.parse(Policy)).Statement.flatMap(({ Effect, Action, Principal }) => (Effect === 'Allow' && Action.some((action) => /^(\*|kms:\*|kms:sign)$/i.test(action)) ? principalsOf(Principal) : []));
        const strangers = signers.filter((arn) => arn !== sealer);
        if (strangers.length > 0) throw new Trouble(`${strangers.join(', ')} may sign with it: a seal of theirs would look like the suite's`, `${DEPLOY}; CloudTrail's PutKeyPolicy says who changed it`);
        if (!signers.includes(sealer)) throw new Trouble('the sealer may not sign with it: nothing is sealed', DEPLOY);
        return `${KeyMetadata.KeyState === 'Enabled' ? 'enabled' : 'retired'}, signs for ${name}-seal alone`;
      }),
    ),
  ];
}

function principalsOf(principal: unknown): readonly string[] {
  if (typeof principal === 'string') return [principal];
  return typeof principal === 'object' && principal !== null ? Object.values(principal).flat().map(String) : [];
}

function diagnoseQueues({ clients, name }: Site): readonly Promise<Diagnosis>[] {
  const depth = async (QueueName: string) => {
    const { QueueUrl } = await sqsOf(clients).send(new GetQueueUrlCommand({ QueueName }));
    const { Attributes = {} } = await sqsOf(clients).send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
    return { Attributes, waiting: Number(Attributes['ApproximateNumberOfMessages'] ?? 0) + Number(Attributes['ApproximateNumberOfMessagesNotVisible'] ?? 0) };
  };
  const [events, tickets] = [`${name}-undelivered-events`, `${name}-undelivered-tickets`];
  return [
    look('undelivered events', async () => {
      const { Attributes, waiting } = await depth(events);
      if (!(Attributes['Policy'] ?? '').includes('events.amazonaws.com')) throw new Trouble('EventBridge may not put anything into the queue: an event that cannot be delivered is lost', DEPLOY);
      if (waiting > 0) throw new Trouble(`${waiting} ${waiting === 1 ? 'event was' : 'events were'} never seen by triage`, `aws sqs receive-message --queue-url <of ${events}>; give each body to triage: aws lambda invoke --function-name ${name}-triage --invocation-type Event --payload file://body.json out.json; then delete the message`);
      return 'none';
    }),
    look('undelivered tickets', async () => {
      const { waiting } = await depth(tickets);
      if (waiting > 0) throw new Trouble(`${waiting} ${waiting === 1 ? 'ticket was' : 'tickets were'} given up`, 'mend the tracker (stopbath show says why), then: stopbath ticket --redrive --reason "…"');
      return 'none';
    }),
  ];
}

const SCOPES = ['album', 'owner', 'bucket', 'issuer'] as const;

function diagnoseShares({ clients, config }: Site): readonly Promise<Diagnosis>[] {
  return [
    look('share tables', async () => {
      const tools = { clients, settings: { STOPBATH_SHARES: config.shares } };
      const scopes = [{ kind: 'album', albumId: 'x' }, { kind: 'owner', ownerId: 'x' }, { kind: 'bucket', bucket: 'x' }, { kind: 'issuer', principal: 'x', since: '1970-01-01T00:00:00.000Z' }] as const;
      try {
        const check = await checkShareTables(tools);
        for (const scope of scopes) check(scope);
      } catch (error) {
        if (error instanceof ShareTablesError) throw new Trouble(error.message, 'docs/share-links.md says what the tables must be');
        throw error;
      }
      return `${config.shares.links.table} with an index by ${SCOPES.join(', ')}${config.shares.epochs === null ? '; no epochs: the sweep alone revokes' : ` and ${config.shares.epochs.table}`}`;
    }),
  ];
}
