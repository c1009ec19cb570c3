import { z } from 'zod';
import { trackersVariable, trackerStatements } from './trackers.ts';
import type { Config } from './config.ts';
import { sealKeyIds } from './recording.ts';
import { arnOf, DeployError, functionLogicalId, NAME, pascalOf, type PolicyStatement, ref, type Resource, roleLogicalId, sub, type Template } from './names.ts';

/** `functions/<name>/`: what the folder says of its deployment. */
export interface FunctionFolder {
  readonly name: string;
  /** `function.yml`, parsed. */
  readonly properties: FunctionProperties;
  /** `role.yml`, parsed; none where the role is another one's. */
  readonly statements: readonly PolicyStatement[];
}

const PropertiesSchema = z.strictObject({
  description: z.string().min(1),
  timeout: z.int().min(1).max(900),
  memorySize: z.int().min(128).max(10_240),
  environment: z.record(z.string(), z.json()).optional(),
  /** Only with IAM: there is no function for everybody. */
  url: z.strictObject({ authorizer: z.literal('aws_iam') }).optional(),
  reservedConcurrency: z.int().min(0).optional(),
  /** The function whose role it runs under, where it is the same code once more: then there is no `role.yml`. */
  role: z.string().optional(),
  /** Functions, by name, that asynchronous failures go to. */
  destinations: z.strictObject({ onFailure: z.string() }).optional(),
  maximumRetryAttempts: z.int().min(0).max(2).optional(),
  maximumEventAge: z.int().min(60).max(21_600).optional(),
});

export type FunctionProperties = Readonly<z.infer<typeof PropertiesSchema>>;

const StatementsSchema = z.array(
  z.strictObject({
    Sid: z.string().optional(),
    Effect: z.enum(['Allow', 'Deny']),
    Action: z.union([z.string(), z.array(z.string())]),
    Resource: z.json(),
    Condition: z.record(z.string(), z.json()).optional(),
  }),
);

/** @throws {DeployError} naming the file and the field */
export function readFunctionFolder(name: string, properties: unknown, statements: unknown): FunctionFolder {
  const read = <T>(file: string, schema: z.ZodType<T>, value: unknown): T => {
    const parsed = schema.safeParse(value);
    if (!parsed.success) throw new DeployError(`functions/${name}/${file}: ${z.prettifyError(parsed.error)}`);
    return parsed.data;
  };
  return {
    name,
    properties: read('function.yml', PropertiesSchema, properties),
    statements: read('role.yml', StatementsSchema, statements ?? []),
  };
}

/** A function as osls takes it. */
export function functionEntry({ name, properties: { role = name, ...properties } }: FunctionFolder, config: Config): object {
  return {
    name: `${NAME}-${name}`,
    handler: `dist/${name}/handler.handler`,
    role: arnOf(roleLogicalId(role)),
    package: { patterns: [`dist/${name}/handler.mjs`] },
    ...(config.eventsAtOnce === null ? unreserved(properties) : properties),
    ...ownProperties(name, properties, config),
  };
}

/** An account that may run no more than 10 functions at once may reserve none. `reconcile` then may meet itself, which costs repeated questions and nothing else. */
function unreserved(properties: FunctionProperties): FunctionProperties {
  const { reservedConcurrency: _, ...rest } = properties;
  return rest;
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html (an account keeps some of its concurrency unreserved) */
function ownProperties(name: string, { environment }: FunctionProperties, { trackers, ticketsAtOnce, eventsAtOnce, urgentEventsAtOnce }: Config): object {
  const atOnce = (count: number | null) => (count === null ? {} : { reservedConcurrency: count });
  if (name === 'triage') return atOnce(eventsAtOnce);
  if (name === 'triage-urgent') return atOnce(eventsAtOnce === null ? null : urgentEventsAtOnce);
  return name === 'ticket' ? { environment: { ...environment, STOPBATH_TRACKERS: trackersVariable(trackers) }, ...atOnce(ticketsAtOnce) } : {};
}

/**
 * Resources that the configuration names and a `role.yml` cannot: `Resource: { Config: signerRoles }`. A statement about
 * none of them is left out.
 */
function configured({ shares, accounts }: Config): Readonly<Record<string, readonly unknown[]>> {
  const signers = [...new Set(shares.signers.map(({ role }) => role))];
  const withSigner = accounts.filter((account) => signers.some((role) => accountOf(role) === account));
  const keys = Object.values(shares.cdn.distributions).flatMap(({ probeKey }) => (probeKey === null ? [] : [probeKey.parameter]));
  return {
    signerRoles: signers,
    ownSignerRoles: signers.filter((role) => !accounts.includes(accountOf(role))),
    readRoles: rolesIn(accounts, 'read'),
    containRoles: rolesIn(accounts, 'contain'),
    containPrincipalsRoles: rolesIn(accounts, 'contain-principals'),
    // Of the members that have a signer.
    readSignersRoles: rolesIn(withSigner, 'read'),
    containSignersRoles: rolesIn(withSigner, 'contain-signers'),
    probeRoles: rolesIn(accounts, 'probe'),
    probeKeys: [...new Set(keys)].map((name) => sub(`arn:\${AWS::Partition}:ssm:\${AWS::Region}:\${AWS::AccountId}:parameter${name}`)),
    keptSessions: shares.signers.length === 0 ? [] : [sub(`arn:\${AWS::Partition}:ssm:\${AWS::Region}:\${AWS::AccountId}:parameter/${NAME}/probe/*`)],
  };
}

function accountOf(role: string): string {
  return role.split(':')[4] ?? '';
}

function rolesIn(accounts: readonly string[], purpose: string): readonly unknown[] {
  return accounts.map((account) => sub(`arn:\${AWS::Partition}:iam::${account}:role/${NAME}-${purpose}`));
}

/** @throws {DeployError} for a name that the configuration has not */
function resolved(statements: readonly PolicyStatement[], config: Config): readonly PolicyStatement[] {
  return statements.flatMap((statement) => {
    const named: unknown = typeof statement.Resource === 'object' && statement.Resource !== null ? Reflect.get(statement.Resource, 'Config') : undefined;
    if (named === undefined) return [statement];
    const resources = typeof named === 'string' ? configured(config)[named] : undefined;
    if (!resources) throw new DeployError(`a role.yml names Resource: { Config: ${JSON.stringify(named)} }: there is ${Object.keys(configured(config)).join(', ')}`);
    return resources.length === 0 ? [] : [{ ...statement, Resource: resources }];
  });
}

/** Roles of the functions, the role that probes, and who may call the functions with a URL. */
export function rolesTemplate(folders: readonly FunctionFolder[], config: Config): Template {
  const under = ({ name }: FunctionFolder) => [name, ...folders.filter(({ properties }) => properties.role === name).map((other) => other.name)];
  return {
    Resources: {
      ...Object.fromEntries(withRole(folders).map((folder) => [roleLogicalId(folder.name), functionRole({ ...folder, statements: resolved(folder.statements, config) }, folder.name === 'ticket' ? trackerStatements(config.trackers) : [], under(folder))])),
      ProbeRole: probeRole(folders.filter(probes).map(({ name }) => name), config),
      ...Object.assign({}, ...folders.filter((folder) => folder.properties.url).map((folder) => urlPermissions(folder.name, config))),
    },
  };
}

function withRole(folders: readonly FunctionFolder[]): readonly FunctionFolder[] {
  return folders.filter(({ properties }) => properties.role === undefined);
}

/** @param under - the functions that run under it */
function functionRole({ name, statements, properties }: FunctionFolder, configured: readonly PolicyStatement[], under: readonly string[]): Resource {
  const onFailure = properties.destinations?.onFailure;
  const forward: readonly PolicyStatement[] = onFailure
    ? [{ Sid: 'SendFailures', Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: functionArn(onFailure) }]
    : [];
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      RoleName: `${NAME}-${name}`,
      Description: `What the function ${name} may do: functions/${name}/role.yml`,
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        // Lambda documents no source condition for execution roles; iam:PassRole is what guards them.
        Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
      },
      Policies: [{ PolicyName: 'own', PolicyDocument: { Version: '2012-10-17', Statement: [...statements, ...configured, ...forward, logs(under), TRACES] } }],
    },
  };
}

/** By name: a key lets its function's role in, a function names the keys, and a role that named the function would close the circle. */
const functionArn = (name: string) => sub(`arn:\${AWS::Partition}:lambda:\${AWS::Region}:\${AWS::AccountId}:function:${NAME}-${name}`);

function logs(names: readonly string[]): PolicyStatement {
  const groups = names.map((name) => sub(`arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:/aws/lambda/${NAME}-${name}:*`));
  return {
    Sid: 'Logs',
    Effect: 'Allow',
    Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    Resource: groups.length === 1 ? groups[0] : groups,
  };
}

/** Traces have no resource-level permissions. @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html */
const TRACES: PolicyStatement = { Sid: 'Traces', Effect: 'Allow', Action: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], Resource: '*' };

/** A principal of the account that no quarantine exempts: what it can still read, anybody inside could. */
const probeRole = (probers: readonly string[], config: Config): Resource => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    RoleName: `${NAME}-probe`,
    Description: 'Looks at what was contained as any principal of the account would',
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          // The account, narrowed to some roles by name: naming the role itself would make the two roles need each other.
          Principal: { AWS: sub('arn:${AWS::Partition}:iam::${AWS::AccountId}:root') },
          Action: 'sts:AssumeRole',
          Condition: { ArnEquals: { 'aws:PrincipalArn': probers.map((name) => sub(`arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role/${NAME}-${name}`)) } },
        },
      ],
    },
    Policies: [
      {
        PolicyName: 'read',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Action: ['s3:GetObject', 's3:ListBucket'], Resource: sub('arn:${AWS::Partition}:s3:::*') },
            // To show that their older sessions are dead; what they can read, it can read already.
            ...resolved([{ Effect: 'Allow', Action: ['sts:AssumeRole'], Resource: { Config: 'signerRoles' } }], config),
          ],
        },
      },
    ],
  },
});

/** Whether a function looks as the probe: its own `role.yml` says that it may be it. */
function probes({ statements }: FunctionFolder): boolean {
  return statements.some(({ Action, Resource }) => [Action].flat().includes('sts:AssumeRole') && JSON.stringify(Resource).includes('"ProbeRole"'));
}

/**
 * Both permissions that a URL asks for, and only through the URL: nobody can invoke the function with a caller of
 * their own invention.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
 */
function urlPermissions(name: string, config: Config): Readonly<Record<string, Resource>> {
  const FunctionName = arnOf(functionLogicalId(name));
  const permission = (properties: object): Resource => ({ Type: 'AWS::Lambda::Permission', Properties: { FunctionName, ...properties } });
  return Object.assign(
    {},
    ...callersOf(name, config).map((Principal, index) => ({
      [`${pascalOf(name)}Caller${index + 1}Url`]: permission({ Principal, Action: 'lambda:InvokeFunctionUrl', FunctionUrlAuthType: 'AWS_IAM' }),
      [`${pascalOf(name)}Caller${index + 1}`]: permission({ Principal, Action: 'lambda:InvokeFunction', InvokedViaFunctionUrl: true }),
    })),
  );
}

function callersOf(name: string, { responderRoles, auditorRoles }: Config): readonly string[] {
  if (name === 'respond') return responderRoles;
  if (name === 'audit') return [...new Set([...responderRoles, ...auditorRoles])];
  throw new DeployError(`functions/${name}/function.yml: has a url, and nobody is said to call it: add it to callersOf in deploy/functions.ts`);
}

/** What all functions are deployed with. */
export function environmentOf(folders: readonly FunctionFolder[], config: Config): Readonly<Record<string, unknown>> {
  return {
    STOPBATH_NAME: NAME,
    STOPBATH_ACCOUNT: ref('AWS::AccountId'),
    STOPBATH_TABLE: ref('Table'),
    STOPBATH_EVIDENCE_BUCKET: ref('EvidenceBucket'),
    STOPBATH_EVIDENCE_RETENTION_DAYS: String(config.evidenceRetentionDays),
    STOPBATH_SEAL_KEYS: { 'Fn::Join': [',', sealKeyIds(config).map(arnOf)] },
    STOPBATH_SEAL_EVERY_MINUTES: String(config.sealEveryMinutes),
    // What the deployment says of itself; who it really was, CloudTrail knows.
    STOPBATH_DEPLOYED_BY: process.env['STOPBATH_DEPLOYED_BY'] ?? '',
    STOPBATH_TICKET_QUEUE: ref('UndeliveredTickets'),
    STOPBATH_MODE_CAP: config.modeCap,
    STOPBATH_MODE_CAPS: JSON.stringify(config.modeCaps),
    STOPBATH_EVENT_QUEUE: ref('UndeliveredEvents'),
    STOPBATH_ACCOUNTS: config.accounts.join(','),
    STOPBATH_EXTERNAL_ID: config.externalId ?? '',
    STOPBATH_PHOTO_KEYS: config.photoKeys.join(','),
    STOPBATH_REGIONS: [...new Set(['us-east-1', ...config.regions])].join(','),
    STOPBATH_PROTECTED_BUCKETS: config.protectedBuckets.join(','),
    STOPBATH_PROTECTED_TAGS: config.protectedTags.join(','),
    STOPBATH_RESPONDER_ROLES: config.responderRoles.join(','),
    STOPBATH_SESSION_NAMES_PINNED: String(config.sessionNamesPinned),
    STOPBATH_ARCHIVES_FINDINGS: String(Object.values(config.trackers).some(({ kind }) => kind === 'guardduty')),
    STOPBATH_APPROVAL_EXPIRY: String(Math.round(config.approvalHours * 3600)),
    STOPBATH_LEASE_HOURS: String(config.leaseHours),
    STOPBATH_EXEMPT_ROLES: exemptRoles(folders, config),
    STOPBATH_OWN_ROLES: withRole(folders).map(({ name }) => name).join(','),
    // By name: the probe's role is never a dependency of every function.
    STOPBATH_PROBE_ROLE_ARN: sub(`arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role/${NAME}-probe`),
    STOPBATH_ORGANIZATION_ID: config.organizationId ?? '',
    STOPBATH_TRUSTED_ACCOUNTS: config.trustedAccounts.join(','),
    STOPBATH_TRUSTED_SOURCES: JSON.stringify(config.trustedSources),
    STOPBATH_SHARES: JSON.stringify(config.shares),
    STOPBATH_BUDGET_ACCOUNT: String(config.budgets.account),
    STOPBATH_BUDGET_ALL: String(config.budgets.all),
    STOPBATH_BUDGET_LINKS: String(config.budgets.links),
    STOPBATH_BUDGET_LINKS_ALL: String(config.budgets.linksAll),
    STOPBATH_BUDGET_RESERVED: String(config.budgets.reserved),
    STOPBATH_VERIFY_LOOKS: String(config.verifyLooks),
    STOPBATH_VERIFY_MAX_LOOKS: String(config.verifyMaxLooks),
  };
}

/** Who keeps access at level `full`: those of the suite's own roles that read or change the settings of buckets, the responders, and the configured ones. */
function exemptRoles(folders: readonly FunctionFolder[], config: Config): object {
  const touchesBuckets = ({ statements }: FunctionFolder) =>
    statements.some(({ Action }) => [Action].flat().some((action) => action === 's3:GetBucketPolicy' || action === 's3:PutBucketPolicy'));
  const own = folders.filter(touchesBuckets).map((folder) => `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role/${NAME}-${folder.name}`);
  return sub([...own, ...config.responderRoles, ...config.exemptRoles].join(','));
}
