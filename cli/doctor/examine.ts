import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DescribeContinuousBackupsCommand, DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeRuleCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { GetRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { GetFunctionConfigurationCommand, GetPolicyCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetBucketVersioningCommand, GetObjectLockConfigurationCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn';
import { DescribeOpsItemsCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { foldersOf } from '../../deploy/stack.ts';
import { readConfig, type Config } from '../../deploy/config.ts';
import { unpinnedStatements } from '../../core/trust.ts';
import { reasonOf } from '../api.ts';
import type { Finding } from '../doctor.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Looks at everything at once; a look that fails is a finding too. */
export async function examine(name: string): Promise<readonly Finding[]> {
  const region = process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'] ?? 'us-east-1';
  const clients = { region, maxAttempts: 2 };
  const [dynamo, events, iam, lambda, s3, sfn, ssm, sts] = [new DynamoDBClient(clients), new EventBridgeClient(clients), new IAMClient(clients), new LambdaClient(clients), new S3Client({ ...clients, forcePathStyle: true }), new SFNClient(clients), new SSMClient(clients), new STSClient(clients)];
  const config = look('configuration', () => readConfig(JSON.parse(readFileSync(join(ROOT, 'stopbath.config.json'), 'utf8'))), 'mend stopbath.config.json');
  const caller = await look('who asks', async () => await sts.send(new GetCallerIdentityCommand({})), 'sign in, or export what "stopbath sandbox" prints');
  const [read, account] = [(await config).value, caller.value?.Account ?? ''];
  const findings = await Promise.all([
    config.then(({ finding }) => (read ? good(finding.what, `mode cap ${read.modeCap}; ${read.responderRoles.length} responder roles in the file`) : finding)),
    Promise.resolve(caller.value ? good('who asks', caller.value.Arn ?? '') : caller.finding),
    ...foldersOf(join(ROOT, 'functions')).map((folder) => functionFinding(folder)),
    ...['respond', 'audit'].map((folder) => callersFinding(folder)),
    ...foldersOf(join(ROOT, 'workflows')).map((folder) => check(`workflow ${folder}`, async () => ((await sfn.send(new DescribeStateMachineCommand({ stateMachineArn: `arn:aws:states:${region}:${account}:stateMachine:${name}-${folder}` }))).status === 'DELETING' ? 'is being deleted' : null), 'deploy: npm run package && npx osls deploy')),
    check('rule for events', async () => ((await events.send(new DescribeRuleCommand({ Name: `${name}-triage-1` }))).State === 'ENABLED' ? null : 'is disabled: no event arrives'), `enable the rule ${name}-triage-1`),
    check('rule for leases', async () => ((await events.send(new DescribeRuleCommand({ Name: `${name}-lease` }))).State === 'ENABLED' ? null : 'is disabled: nobody is reminded'), `enable the rule ${name}-lease`),
    check('table', async () => tableProblem(await dynamo.send(new DescribeTableCommand({ TableName: name }))), 'deploy again: the template protects the table from deletion'),
    check('table backups', async () => ((await dynamo.send(new DescribeContinuousBackupsCommand({ TableName: name }))).ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus === 'ENABLED' ? null : 'no point-in-time recovery'), 'switch point-in-time recovery on'),
    check('evidence versions', async () => ((await s3.send(new GetBucketVersioningCommand({ Bucket: `${name}-evidence-${account}` }))).Status === 'Enabled' ? null : 'the bucket has no versioning'), 'deploy again'),
    check('evidence lock', async () => ((await s3.send(new GetObjectLockConfigurationCommand({ Bucket: `${name}-evidence-${account}` }))).ObjectLockConfiguration?.Rule?.DefaultRetention?.Mode === 'COMPLIANCE' ? null : 'evidence can be deleted'), 'deploy again: Object Lock in compliance mode'),
    check('tracker', async () => ((await ssm.send(new DescribeOpsItemsCommand({ MaxResults: 1 }))).$metadata.httpStatusCode === 200 ? null : 'does not answer'), 'switch OpsCenter on in Systems Manager'),
  ]);
  const roles = await rolesFindings();
  for (const client of [dynamo, events, iam, lambda, s3, sfn, ssm, sts]) client.destroy();
  return [...findings, ...roles];

  function functionFinding(folder: string): Promise<Finding> {
    return check(`function ${folder}`, async () => {
      const { State, Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: `${name}-${folder}` }));
      if (State !== undefined && State !== 'Active' && State !== 'Inactive') return `is ${State}`;
      return Environment?.Error ? `its variables cannot be read: ${Environment.Error.Message}` : null;
    }, 'deploy: npm run package && npx osls deploy');
  }

  /** Nobody may invoke directly, with a caller of their own invention. */
  function callersFinding(folder: string): Promise<Finding> {
    return check(`who may call ${folder}`, async () => {
      const { Policy } = await lambda.send(new GetPolicyCommand({ FunctionName: `${name}-${folder}` }));
      const { Statement } = JSON.parse(Policy ?? '{"Statement":[]}') as { readonly Statement: readonly { readonly Sid: string; readonly Action: string; readonly Condition?: Readonly<Record<string, object>> }[] };
      const direct = Statement.filter(({ Action, Condition }) => Action === 'lambda:InvokeFunction' && !JSON.stringify(Condition ?? {}).toLowerCase().includes('"lambda:invokedviafunctionurl":"true"'));
      if (Statement.length === 0) return 'nobody';
      return direct.length === 0 ? null : `statement ${direct.map(({ Sid }) => Sid).join(', ')} lets it be invoked without its URL`;
    }, 'take the statement out of the function’s policy and deploy again; who may call is responderRoles and auditorRoles in stopbath.config.json');
  }

  /** As deployed, not as in the file: the file may be newer. */
  async function rolesFindings(): Promise<readonly Finding[]> {
    const { value, finding } = await look('responder roles', async () => (await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: `${name}-respond` }))).Environment?.Variables ?? {}, '');
    if (!value) return [finding];
    const deployed: Pick<Config, 'responderRoles' | 'sessionNamesPinned'> = { responderRoles: (value['STOPBATH_RESPONDER_ROLES'] ?? '').split(',').filter(Boolean), sessionNamesPinned: value['STOPBATH_SESSION_NAMES_PINNED'] === 'true' };
    if (deployed.responderRoles.length === 0) return [bad('responder roles', 'there are none: nobody can approve, start or restore', 'name them in stopbath.config.json, responderRoles, and deploy')];
    return await Promise.all(
      deployed.responderRoles.map((arn) => {
        const role = arn.split('/').at(-1) ?? '';
        return check(`responder role ${role}`, async () => {
          const { Role } = await iam.send(new GetRoleCommand({ RoleName: role }));
          const unpinned = unpinnedStatements(JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '{}')));
          if (deployed.sessionNamesPinned && unpinned.length > 0) return `sessionNamesPinned is true, and statement ${unpinned.join(', ')} of its trust policy lets a session take any name: one person can approve their own request`;
          return null;
        }, 'require sts:RoleSessionName to equal ${aws:username} in the trust policy, or set sessionNamesPinned to false');
      }),
    );
  }
}

function tableProblem({ Table }: { readonly Table?: { readonly TableStatus?: string; readonly DeletionProtectionEnabled?: boolean } }): string | null {
  if (Table?.TableStatus !== 'ACTIVE') return `is ${Table?.TableStatus ?? 'not there'}`;
  return Table.DeletionProtectionEnabled === false ? 'can be deleted' : null;
}

async function check(what: string, problem: () => Promise<string | null>, todo: string): Promise<Finding> {
  const { value, finding } = await look(what, problem, todo);
  if (value === undefined) return finding;
  return value === null ? good(what, 'as it should be') : bad(what, value, todo);
}

/** Not being allowed to look, and a sandbox that does not have the operation, are no faults of the installation. */
async function look<T>(what: string, read: () => T | Promise<T>, todo: string): Promise<{ readonly value?: T; readonly finding: Finding }> {
  try {
    return { value: await read(), finding: good(what, 'as it should be') };
  } catch (error) {
    const denied = error instanceof Error && /AccessDenied|NotImplemented|UnknownOperation|Unauthorized|CredentialsProvider/.test(error.name);
    return { finding: denied ? { what, state: 'unknown', found: reasonOf(error), todo: '' } : bad(what, reasonOf(error), todo) };
  }
}

function good(what: string, found: string): Finding {
  return { what, state: 'good', found, todo: '' };
}

function bad(what: string, found: string, todo: string): Finding {
  return { what, state: 'bad', found, todo };
}
