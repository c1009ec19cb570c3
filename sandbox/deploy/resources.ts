import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { DeployError, type Resource } from '../../deploy/names.ts';
import type { World } from '../service.ts';
import { keyIdOf } from '../services/kms.ts';
import { type Attributes, evaluate, type Scope } from '../../deploy/evaluate.ts';

/** How the sandbox makes one type of resource of a template. */
interface ResourceType {
  /** Lower goes first. */
  readonly order: number;
  /** What it will answer to references, before it exists: all names are chosen by the template. */
  readonly attributes: (properties: unknown, scope: Scope, id: string) => Attributes;
  readonly create: (properties: unknown, call: Call, id: string) => Promise<void>;
}

type Call = (service: string, operation: string, input: object) => Promise<unknown>;

/** Part of a deployment, and nothing that a function, a workflow or a scenario would call. */
const SKIPPED = new Set(['AWS::CloudWatch::Alarm']);

/**
 * Finds out what each resource will be called, so that references can be evaluated before anything exists.
 *
 * @throws {DeployError} for a type that the sandbox neither makes nor knowingly leaves out
 */
export function attributesOf(resources: Readonly<Record<string, Resource>>, scope: Scope): ReadonlyMap<string, Attributes> {
  const typed = Object.entries(resources).flatMap(([id, { Type, Properties }]) => {
    if (SKIPPED.has(Type)) return [];
    const type = TYPES[Type];
    if (!type) throw new DeployError(`${id} is a ${Type}, which the sandbox does not make: add it to sandbox/deploy/resources.ts, or to its list of what is left out`);
    return [{ id, type, Properties }];
  });
  const found = new Map(scope.resources);
  // A name may be made of another's that is made before.
  for (const { id, type, Properties } of typed.toSorted((one, other) => one.type.order - other.type.order)) found.set(id, type.attributes(Properties, { ...scope, resources: found }, id));
  return found;
}

/** Makes the resources through the sandbox's own API; those of one kind at once. */
export async function createResources(resources: Readonly<Record<string, Resource>>, scope: Scope, world: World, orders: (order: number) => boolean): Promise<void> {
  const root = `arn:aws:iam::${scope.account}:root`;
  const caller = { kind: 'root', account: scope.account, principalArn: root, arn: root, userId: scope.account } as const;
  const call: Call = (service, operation, input) => world.call(service, operation, input, caller, scope.region);
  const steps = Map.groupBy(
    Object.entries(resources).filter(([, { Type }]) => TYPES[Type] && orders(TYPES[Type].order)),
    ([, { Type }]) => TYPES[Type]?.order ?? 0,
  );
  for (const [, step] of [...steps].toSorted(([one], [other]) => one - other)) {
    await Promise.all(step.map(([id, resource]) => create(id, resource, scope, call)));
  }
}

async function create(id: string, { Type, Properties }: Resource, scope: Scope, call: Call): Promise<void> {
  try {
    await TYPES[Type]?.create(evaluate(Properties, scope), call, id);
  } catch (cause) {
    throw new DeployError(`${id} (${Type}) could not be made: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Functions are made between what they need and what needs them. */
export const FUNCTIONS_ORDER = 30;

const TYPES: Readonly<Record<string, ResourceType>> = {
  'AWS::IAM::Role': type({
    order: 10,
    schema: z.looseObject({
      RoleName: z.unknown(),
      Description: z.string().optional(),
      AssumeRolePolicyDocument: z.unknown(),
      Policies: z.array(z.looseObject({ PolicyName: z.string(), PolicyDocument: z.unknown() })).default([]),
    }),
    attributes: ({ RoleName }, scope) => {
      const name = String(evaluate(RoleName, scope));
      return { ref: name, attributes: { Arn: `arn:aws:iam::${scope.account}:role/${name}` } };
    },
    create: async ({ RoleName, Description, AssumeRolePolicyDocument, Policies }, call) => {
      await call('iam', 'CreateRole', { RoleName, Description, AssumeRolePolicyDocument: JSON.stringify(AssumeRolePolicyDocument) });
      for (const { PolicyName, PolicyDocument } of Policies) {
        await call('iam', 'PutRolePolicy', { RoleName, PolicyName, PolicyDocument: JSON.stringify(PolicyDocument) });
      }
    },
  }),
  'AWS::SQS::Queue': type({
    order: 10,
    schema: z.looseObject({ QueueName: z.unknown(), MessageRetentionPeriod: z.coerce.string().optional(), SqsManagedSseEnabled: z.coerce.string().optional() }),
    attributes: ({ QueueName }, scope) => {
      const [name, { account, region }] = [String(evaluate(QueueName, scope)), scope];
      return { ref: `https://sqs.${region}.amazonaws.com/${account}/${name}`, attributes: { Arn: `arn:aws:sqs:${region}:${account}:${name}`, QueueName: name } };
    },
    // What EventBridge and Lambda would put into one is in the sandbox's dead letters.
    create: async ({ QueueName, MessageRetentionPeriod, SqsManagedSseEnabled }, call) => void (await call('sqs', 'CreateQueue', { QueueName, Attributes: defined({ MessageRetentionPeriod, SqsManagedSseEnabled }) })),
  }),
  'AWS::SQS::QueuePolicy': type({
    order: 20,
    schema: z.looseObject({ Queues: z.unknown(), PolicyDocument: z.unknown() }),
    attributes: (_, __, id) => ({ ref: id, attributes: {} }),
    create: async ({ Queues, PolicyDocument }, call) => {
      for (const QueueUrl of z.array(z.string()).parse(Queues)) await call('sqs', 'SetQueueAttributes', { QueueUrl, Attributes: { Policy: JSON.stringify(PolicyDocument) } });
    },
  }),
  'AWS::Logs::LogGroup': type({
    order: 10,
    schema: z.looseObject({ LogGroupName: z.string() }),
    attributes: ({ LogGroupName }, { account, region }) => ({ ref: LogGroupName, attributes: { Arn: `arn:aws:logs:${region}:${account}:log-group:${LogGroupName}:*` } }),
    // Histories and the sandbox's own log say the same.
    create: () => Promise.resolve(),
  }),
  'AWS::DynamoDB::Table': type({
    order: 10,
    schema: z.looseObject({ TableName: z.string(), AttributeDefinitions: z.json(), KeySchema: z.json(), BillingMode: z.string(), GlobalSecondaryIndexes: z.json().optional(), DeletionProtectionEnabled: z.boolean().optional(), PointInTimeRecoverySpecification: z.json().optional() }),
    attributes: ({ TableName }, { account, region }) => ({ ref: TableName, attributes: { Arn: `arn:aws:dynamodb:${region}:${account}:table/${TableName}` } }),
    create: async ({ TableName, AttributeDefinitions, KeySchema, BillingMode, GlobalSecondaryIndexes, DeletionProtectionEnabled, PointInTimeRecoverySpecification }, call) => {
      await call('dynamodb', 'CreateTable', { TableName, AttributeDefinitions, KeySchema, BillingMode, GlobalSecondaryIndexes, DeletionProtectionEnabled });
      if (PointInTimeRecoverySpecification !== undefined) await call('dynamodb', 'UpdateContinuousBackups', { TableName, PointInTimeRecoverySpecification });
    },
  }),
  'AWS::S3::Bucket': type({
    order: 10,
    schema: z.looseObject({ BucketName: z.unknown(), ObjectLockEnabled: z.boolean().default(false), ObjectLockConfiguration: z.unknown() }),
    attributes: ({ BucketName }, scope) => {
      const name = String(evaluate(BucketName, scope));
      return { ref: name, attributes: { Arn: `arn:aws:s3:::${name}` } };
    },
    // Versioning comes with Object Lock; the block and the ownership of a new bucket are the template's.
    create: async ({ BucketName, ObjectLockEnabled, ObjectLockConfiguration }, call) => {
      await call('s3', 'CreateBucket', { Bucket: BucketName, ObjectLockEnabledForBucket: ObjectLockEnabled });
      if (ObjectLockConfiguration) await call('s3', 'PutObjectLockConfiguration', { Bucket: BucketName, ObjectLockConfiguration });
    },
  }),
  'AWS::S3::BucketPolicy': type({
    order: 20,
    schema: z.looseObject({ Bucket: z.unknown(), PolicyDocument: z.unknown() }),
    attributes: (_, __, id) => ({ ref: id, attributes: {} }),
    create: async ({ Bucket, PolicyDocument }, call) => {
      await call('s3', 'PutBucketPolicy', { Bucket, Policy: JSON.stringify(PolicyDocument) });
    },
  }),
  'AWS::KMS::Key': type({
    order: 20,
    schema: z.looseObject({ KeySpec: z.string(), KeyUsage: z.string(), KeyPolicy: z.unknown(), Description: z.string().optional() }),
    attributes: (_, { account, region }, id) => {
      const KeyId = keyIdOf(account, id);
      return { ref: KeyId, attributes: { Arn: `arn:aws:kms:${region}:${account}:key/${KeyId}`, KeyId } };
    },
    create: async ({ KeySpec, KeyUsage, KeyPolicy, Description }, call, id) => {
      const Tags = [{ TagKey: 'aws:cloudformation:logical-id', TagValue: id }];
      await call('kms', 'CreateKey', { KeySpec, KeyUsage, Description, Policy: JSON.stringify(KeyPolicy), Tags });
    },
  }),
  'AWS::StepFunctions::StateMachine': type({
    order: 40,
    schema: z.looseObject({
      StateMachineName: z.string(),
      RoleArn: z.unknown(),
      DefinitionString: z.string(),
      DefinitionSubstitutions: z.record(z.string(), z.unknown()).default({}),
    }),
    attributes: ({ StateMachineName }, { account, region }) => {
      const arn = `arn:aws:states:${region}:${account}:stateMachine:${StateMachineName}`;
      return { ref: arn, attributes: { Arn: arn, Name: StateMachineName } };
    },
    create: async ({ StateMachineName, RoleArn, DefinitionString, DefinitionSubstitutions }, call) => {
      const definition = DefinitionString.replaceAll(/\$\{(\w+)\}/g, (text, name: string) =>
        Object.hasOwn(DefinitionSubstitutions, name) ? JSON.stringify(String(DefinitionSubstitutions[name])).slice(1, -1) : text,
      );
      await call('states', 'CreateStateMachine', { name: StateMachineName, roleArn: RoleArn, definition, type: 'STANDARD' });
    },
  }),
  'AWS::Events::Rule': type({
    order: 50,
    schema: z.looseObject({ Name: z.unknown(), EventBusName: z.unknown().optional(), Description: z.string().optional(), State: z.string().optional(), EventPattern: z.json().optional(), ScheduleExpression: z.string().optional(), Targets: z.unknown() }),
    attributes: ({ Name, EventBusName }, scope) => {
      const [name, bus] = [String(evaluate(Name, scope)), EventBusName === undefined ? '' : `${String(evaluate(EventBusName, scope))}/`];
      return { ref: name, attributes: { Arn: `arn:aws:events:${scope.region}:${scope.account}:rule/${bus}${name}` } };
    },
    create: async ({ Name, EventBusName, Description, State, EventPattern, ScheduleExpression, Targets }, call) => {
      await call('events', 'PutRule', { Name, EventBusName, Description, State, EventPattern: EventPattern && JSON.stringify(EventPattern), ScheduleExpression });
      await call('events', 'PutTargets', { Rule: Name, EventBusName, Targets });
    },
  }),
  'AWS::Events::EventBus': type({
    order: 45,
    schema: z.looseObject({ Name: z.string(), Description: z.string().optional() }),
    attributes: ({ Name }, { account, region }) => ({ ref: Name, attributes: { Name, Arn: `arn:aws:events:${region}:${account}:event-bus/${Name}` } }),
    create: async ({ Name, Description }, call) => {
      await call('events', 'CreateEventBus', { Name, Description });
    },
  }),
  'AWS::Events::EventBusPolicy': type({
    order: 50,
    schema: z.looseObject({ EventBusName: z.unknown(), StatementId: z.string(), Statement: z.looseObject({}) }),
    attributes: (_, __, id) => ({ ref: id, attributes: {} }),
    create: async ({ EventBusName, StatementId, Statement }, call) => {
      await call('events', 'PutPermission', { EventBusName, Policy: JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid: StatementId, ...Statement }] }) });
    },
  }),
  'AWS::Events::Archive': type({
    order: 50,
    schema: z.looseObject({ ArchiveName: z.string(), SourceArn: z.unknown(), EventPattern: z.json(), RetentionDays: z.number() }),
    attributes: ({ ArchiveName }, { account, region }) => ({ ref: ArchiveName, attributes: { Arn: `arn:aws:events:${region}:${account}:archive/${ArchiveName}` } }),
    create: async ({ ArchiveName, SourceArn, EventPattern, RetentionDays }, call) => {
      await call('events', 'CreateArchive', { ArchiveName, EventSourceArn: SourceArn, EventPattern: JSON.stringify(EventPattern), RetentionDays });
    },
  }),
  'AWS::Lambda::Permission': type({
    order: 50,
    schema: z.looseObject({ Action: z.string() }),
    attributes: (_, __, id) => ({ ref: id, attributes: {} }),
    create: async (properties, call) => {
      // CloudFormation makes the statement's id up.
      await call('lambda', 'AddPermission', { ...properties, StatementId: randomUUID() });
    },
  }),
};

function defined(attributes: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(attributes).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])));
}

function type<T>(typed: {
  readonly order: number;
  readonly schema: z.ZodType<T>;
  readonly attributes: (properties: T, scope: Scope, id: string) => Attributes;
  readonly create: (properties: T, call: Call, id: string) => Promise<void>;
}): ResourceType {
  return {
    order: typed.order,
    attributes: (properties, scope, id) => typed.attributes(typed.schema.parse(properties), scope, id),
    create: (properties, call, id) => typed.create(typed.schema.parse(properties), call, id),
  };
}

