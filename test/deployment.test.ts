import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildFunctions, type Bundle } from '../deploy/build.ts';
import { configJsonSchema } from '../deploy/config.ts';
import { foldersOf } from '../deploy/stack.ts';
import { PATTERN_LIMIT } from '../deploy/rules.ts';
import { shippedOf } from '../deploy/sbom.ts';
import { readServerless } from '../sandbox/deploy/variables.ts';
import { playScenario } from '../sandbox/scenario/play.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

describe('serverless.yml', () => {
  const text = readFileSync(join(ROOT, 'serverless.yml'), 'utf8');

  it('lists every function folder, and each as itself', () => {
    const listed = [...text.matchAll(/^ {2}([a-z-]+): \$\{file\(deploy\/stack\.cjs\):functions\.([a-z-]+)\}$/gm)];
    expect(listed.map((match) => match[1])).toEqual(foldersOf(join(ROOT, 'functions')));
    expect(listed.map((match) => match[2])).toEqual(listed.map((match) => match[1]));
  });

  it('lists every playbook folder', () => {
    const listed = [...text.matchAll(/^ {2}- \$\{file\(deploy\/stack\.cjs\):playbooks\.([a-z-]+)\}$/gm)];
    expect(listed.map((match) => match[1])).toEqual(foldersOf(join(ROOT, 'workflows')));
  });
});

it('the configuration\'s schema for editors is up to date (node deploy/config.ts)', () => {
  expect(read(join(ROOT, 'deploy/config.schema.json'))).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
});

let bundles: readonly Bundle[] = [];

describe('the package', () => {
  let folder: string;
  let resources: Readonly<Record<string, { readonly Type: string; readonly Properties: Record<string, unknown> }>>;
  let outputs: Readonly<Record<string, { readonly Value: unknown }>>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'stopbath-package-'));
    bundles = await buildFunctions(ROOT);
    // No account and no credentials: packaging asks AWS for nothing.
    const env = { PATH: process.env['PATH'], HOME: folder, AWS_EC2_METADATA_DISABLED: 'true' };
    execFileSync(process.execPath, [join(ROOT, 'node_modules/osls/bin/serverless.js'), 'package', '--package', folder], { cwd: ROOT, env, stdio: 'pipe' });
    const template = read(join(folder, 'cloudformation-template-update-stack.json'));
    resources = Reflect.get(Object(template), 'Resources');
    outputs = Reflect.get(Object(template), 'Outputs');
    // Bundling and packaging every function takes its time where much else runs.
  }, 240_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('holds every function, each in its own archive', () => {
    const functions = Object.values(resources).filter(({ Type }) => Type === 'AWS::Lambda::Function');
    expect(functions.map(({ Properties }) => Properties['FunctionName'])).toEqual(foldersOf(join(ROOT, 'functions')).map((name) => `stopbath-prod-${name}`));
    for (const name of foldersOf(join(ROOT, 'functions'))) expect(readFileSync(join(folder, `${name}.zip`)).subarray(0, 2).toString()).toBe('PK');
  });

  it('holds bundles that load without anything beside them', () => {
    const handlers = bundles.map(({ name }) => join(ROOT, 'dist', name, 'handler.mjs'));
    const load = `for (const path of ${JSON.stringify(handlers)}) if (typeof (await import(path)).handler !== 'function') throw new Error(path)`;
    execFileSync(process.execPath, ['--input-type=module', '-e', load], { cwd: tmpdir(), env: {}, stdio: 'pipe' });
  });

  it.each([
    // Between them they ask for every client that a function has on the way of an incident.
    'workflows/contain-principal/scenarios/member-account.json',
    'workflows/quarantine-bucket/scenarios/public-bucket.json',
    'workflows/revoke-share-links/scenarios/leaked-album-urls.json',
  ])('holds bundles that play what their sources play: %s', async (path) => {
    const used = new Set<string>();
    const { expectations } = await playScenario(join(ROOT, path), { clock: 'skipping', code: 'bundles', onEnd: ({ lambda }) => lambda.invocations.forEach(({ function: name }) => used.add(name)) });
    expect(expectations.filter(({ held }) => !held)).toEqual([]);
    expect(used.size).toBeGreaterThan(5);
  }, 120_000);

  it('puts out the URLs that the commands need, as docs/operations.md names them', () => {
    const install = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
    const named = [...new Set([...install.matchAll(/\b[A-Z]\w+LambdaFunctionUrl\b/g)].map(([name]) => name))];
    const [out, withUrl] = [Object.keys(outputs).filter((name) => name.endsWith('LambdaFunctionUrl')), Object.entries(resources).filter(([, { Type }]) => Type === 'AWS::Lambda::Url')];
    expect(named.toSorted()).toEqual(out.toSorted());
    expect(out.map((name) => outputs[name]?.Value)).toEqual(withUrl.map(([id]) => ({ 'Fn::GetAtt': [id, 'FunctionUrl'] })));
    for (const name of out) expect(install).toContain(`STOPBATH_${name.replace('LambdaFunctionUrl', '').toUpperCase()}_URL=`);
  });

  it('is what the sandbox reads from the same file', () => {
    const parts: unknown = Reflect.get(Object(readServerless(ROOT, 'prod', {})), 'resources');
    const ours: Record<string, unknown> = Object.assign({}, ...(Array.isArray(parts) ? parts : []).map((part) => Reflect.get(part, 'Resources')));
    expect(Object.keys(ours).length).toBeGreaterThan(20);
    // The plugin has put versions into what names functions; the test of versions looks at that.
    const unpinned = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replaceAll(/\{"Ref":"(\w+)LambdaVersion\w+"\}/g, '{"Fn::GetAtt":["$1LambdaFunction","Arn"]}').replaceAll(/\{"Fn::Sub":"\$\{(\w+LambdaFunction)\.Arn\}:\*"\}/g, '{"Fn::GetAtt":["$1","Arn"]}'));
    for (const [id, resource] of Object.entries(ours)) expect({ [id]: unpinned(resources[id]) }).toEqual({ [id]: resource });
  });

  it('leaves no placeholder of a workflow unresolved', () => {
    const machines = Object.values(resources).filter(({ Type }) => Type === 'AWS::StepFunctions::StateMachine');
    expect(machines).toHaveLength(foldersOf(join(ROOT, 'workflows')).length);
    for (const { Properties } of machines) {
      const used = [...String(Properties['DefinitionString']).matchAll(/\$\{(\w+)\}/g)].map((match) => match[1] ?? '');
      expect(Object.keys(Object(Properties['DefinitionSubstitutions'])).toSorted()).toEqual([...new Set(used)].toSorted());
    }
  });

  it('keeps patterns and policies under the limits of AWS', () => {
    for (const { Type, Properties } of Object.values(resources)) {
      if (Type === 'AWS::Events::Rule' && Properties['EventPattern'] !== undefined) expect(JSON.stringify(Properties['EventPattern']).length).toBeLessThanOrEqual(PATTERN_LIMIT);
      // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: inline policies of a role, without white space.
      if (Type === 'AWS::IAM::Role') expect(JSON.stringify(Properties['Policies']).length).toBeLessThanOrEqual(10_240);
    }
  });

  it('retries what a rule delivers for a day, into a queue, and an alarm looks at every queue', () => {
    const all = Object.values(resources);
    const targets = all.filter(({ Type }) => Type === 'AWS::Events::Rule').flatMap(({ Properties }) => (Array.isArray(Properties['Targets']) ? Properties['Targets'] : []));
    expect(targets.length).toBeGreaterThan(5);
    // Exactly the rules may send there, by their ARNs.
    const rules = Object.entries(resources).filter(([, { Type }]) => Type === 'AWS::Events::Rule').map(([id]) => ({ 'Fn::GetAtt': [id, 'Arn'] }));
    const statements = Object(resources['UndeliveredEventsPolicy']?.Properties['PolicyDocument']).Statement as readonly { readonly Sid: string; readonly Condition: Readonly<Record<string, Readonly<Record<string, unknown>>>> }[];
    const condition = statements.find(({ Sid }) => Sid === 'FromRules')?.Condition ?? {};
    expect(Object.keys(condition)).toEqual(['ArnEquals']);
    const senders = [condition['ArnEquals']?.['aws:SourceArn']].flat();
    expect(senders.map((arn) => JSON.stringify(arn)).toSorted()).toEqual(rules.map((arn) => JSON.stringify(arn)).toSorted());
    for (const target of targets) expect(target).toMatchObject({ RetryPolicy: { MaximumEventAgeInSeconds: 86_400 }, DeadLetterConfig: { Arn: { 'Fn::GetAtt': ['UndeliveredEvents', 'Arn'] } } });
    const watched = JSON.stringify(all.filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm'));
    for (const [id, { Type }] of Object.entries(resources)) if (Type === 'AWS::SQS::Queue') expect(watched).toContain(`["${id}","QueueName"]`);
    for (const name of foldersOf(join(ROOT, 'workflows'))) expect(watched).toContain(`stateMachine:stopbath-prod-${name}"`);
  });

  it('lets running executions finish on the versions of functions that they started with', () => {
    const versions = Object.entries(resources).filter(([, { Type }]) => Type === 'AWS::Lambda::Version');
    expect(versions).toHaveLength(foldersOf(join(ROOT, 'functions')).length);
    for (const [, version] of versions) expect(version).toMatchObject({ DeletionPolicy: 'Retain' });
    const [ids, machines] = [new Set(versions.map(([id]) => id)), Object.values(resources).filter(({ Type }) => Type === 'AWS::StepFunctions::StateMachine')];
    const named = machines.flatMap(({ Properties }) => Object.entries(Object(Properties['DefinitionSubstitutions'])).filter(([name]) => /(?<!Workflow)Arn$/.test(name)));
    expect(named.length).toBeGreaterThan(8);
    for (const [name, value] of named) expect([name, ids.has(String(Reflect.get(Object(value), 'Ref')))]).toEqual([name, true]);
    const [role] = statementsOf(resources['QuarantineBucketWorkflowRole']?.Properties['Policies']);
    expect(role).toMatchObject({ Action: 'lambda:InvokeFunction', Resource: { 'Fn::Sub': expect.stringMatching(/^\$\{\w+\.Arn\}:\*$/) } });
  });

  it('encrypts what it stores, and keeps logs as long as it says', () => {
    for (const { Type, Properties } of Object.values(resources)) {
      if (Type === 'AWS::SQS::Queue') expect(Properties).toMatchObject({ SqsManagedSseEnabled: true });
      if (Type === 'AWS::DynamoDB::Table') expect(Properties).toMatchObject({ SSESpecification: { SSEEnabled: true }, DeletionProtectionEnabled: true });
      if (Type === 'AWS::Logs::LogGroup') expect(Properties).toMatchObject({ RetentionInDays: 365 });
      if (Type === 'AWS::Lambda::Function') expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'], TracingConfig: { Mode: 'Active' } });
    }
    expect(resources['EvidenceBucket']?.Properties).toMatchObject({ BucketEncryption: expect.anything() });
  });

  it.runIf(has('cfn-lint'))('has nothing that cfn-lint finds, nor has the template of a member account', () => {
    const { stdout, status } = spawnSync('cfn-lint', [join(folder, 'cloudformation-template-update-stack.json'), join(ROOT, 'deploy/member-account.yml')], { encoding: 'utf8' });
    expect([stdout, status]).toEqual(['', 0]);
  });

  it.runIf(has('moto_server'))('is created by moto, as far as moto makes its types', async () => {
    const port = await freePort();
    const moto = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
    try {
      const ask = async (form: Readonly<Record<string, string>>) => await (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers: { authorization: 'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261124/us-east-1/cloudformation/aws4_request, SignedHeaders=host, Signature=0' }, body: new URLSearchParams({ Version: '2010-05-15', StackName: 'stopbath-prod', ...form }) })).text();
      await vi.waitUntil(async () => await fetch(`http://127.0.0.1:${port}/moto-api/`).then(() => true, () => false), { timeout: 60_000, interval: 200 });
      expect(await ask({ Action: 'CreateStack', TemplateBody: JSON.stringify(forMoto(resources)), 'Capabilities.member.1': 'CAPABILITY_NAMED_IAM' })).toContain('<StackId>');
      const listed = await ask({ Action: 'DescribeStackResources' });
      for (const [id, { Type }] of Object.entries(resources)) if (!MOTO_LACKS.has(Type)) expect(listed).toContain(`<LogicalResourceId>${id}</LogicalResourceId>`);
    } finally {
      moto.kill();
    }
  }, 120_000);

  it('gives nobody a permission on everything that AWS could narrow', () => {
    // Lists, and what is about an account: they read names and blocks, and change nothing.
    const UNNARROWED = /^(logs|xray|ssm:CreateOpsItem|ssm:DescribeOpsItems|cloudfront:ListDistributions|cloudtrail:LookupEvents|guardduty:ListDetectors|cloudwatch:GetMetricData|lambda:ListFunctions|iam:GetServiceLastAccessedDetails|s3:(GetAccountPublicAccessBlock|ListAccessPoints|GetAccessPoint|ListAllMyBuckets)$)/;
    for (const [id, { Type, Properties }] of Object.entries(resources)) {
      if (Type !== 'AWS::IAM::Role') continue;
      for (const statement of statementsOf(Properties['Policies'])) {
        const actions = [Reflect.get(statement, 'Action')].flat().map(String);
        if (Reflect.get(statement, 'Resource') === '*') expect({ [id]: actions.filter((action) => !UNNARROWED.test(action)) }).toEqual({ [id]: [] });
        expect({ [id]: actions.filter((action) => action.includes('*')) }).toEqual({ [id]: [] });
      }
    }
  });
});

/** Moto 5 has no CloudFormation for these, looks for the code in S3, and takes an archive's pattern for text. */
const MOTO_LACKS = new Set(['AWS::CloudWatch::Alarm', 'AWS::Lambda::EventInvokeConfig', 'AWS::Lambda::Url', 'AWS::S3::BucketPolicy', 'AWS::SQS::QueuePolicy']);

function forMoto(resources: Readonly<Record<string, { readonly Type: string; readonly Properties: Record<string, unknown> }>>): object {
  const changed = Object.entries(resources).map(([id, resource]) => {
    if (resource.Type === 'AWS::Lambda::Function') return [id, { ...resource, Properties: { ...resource.Properties, Code: { ZipFile: 'export {}' } } }];
    return [id, resource.Type === 'AWS::Events::Archive' ? { ...resource, Properties: { ...resource.Properties, EventPattern: JSON.stringify(resource.Properties['EventPattern']) } } : resource];
  });
  return { AWSTemplateFormatVersion: '2010-09-09', Resources: Object.fromEntries(changed) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function has(program: string): boolean {
  const found = spawnSync(program, ['--help'], { stdio: 'ignore' }).status === 0;
  if (!found) process.stdout.write(`${program} is not installed: what it says of the template was not looked at\n`);
  return found;
}

describe('what is shipped', () => {
  const lock = read(join(ROOT, 'package-lock.json'));

  it('has permissive licences alone', () => {
    const PERMISSIVE = new Set(['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'MIT-0']);
    expect(shippedOf(lock).length).toBeGreaterThan(50);
    expect(shippedOf(lock).filter(({ license }) => !PERMISSIVE.has(license))).toEqual([]);
  });

  it('is on the bill of materials, with every package that a bundle is made of', () => {
    const made = JSON.parse(execFileSync('npm', ['run', '-s', 'sbom'], { cwd: ROOT, encoding: 'utf8' })) as { readonly bomFormat: string; readonly components: readonly { readonly group?: string; readonly name: string }[] };
    expect(made.bomFormat).toBe('CycloneDX');
    const listed = new Set(made.components.map(({ group, name }) => (group === undefined ? name : `${group}/${name}`)));
    const bundled = new Set(bundles.flatMap(({ packages }) => packages));
    expect(bundled.size).toBeGreaterThan(20);
    expect([...bundled].filter((name) => !listed.has(name))).toEqual([]);
  });
});

function statementsOf(policies: unknown): readonly object[] {
  return (Array.isArray(policies) ? policies : []).flatMap((policy) => Reflect.get(Reflect.get(policy, 'PolicyDocument'), 'Statement'));
}
