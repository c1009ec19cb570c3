import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildFunctions, type Bundle } from '../deploy/build.ts';
import { configJsonSchema } from '../deploy/config.ts';
import { foldersOf } from '../deploy/stack.ts';
import { PATTERN_LIMIT } from '../deploy/rules.ts';
import { readServerless } from '../sandbox/deploy/variables.ts';

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

describe('the package', () => {
  let folder: string;
  let bundles: readonly Bundle[];
  let resources: Readonly<Record<string, { readonly Type: string; readonly Properties: Record<string, unknown> }>>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'stopbath-package-'));
    bundles = await buildFunctions(ROOT);
    // No account and no credentials: packaging asks AWS for nothing.
    const env = { PATH: process.env['PATH'], HOME: folder, AWS_EC2_METADATA_DISABLED: 'true' };
    execFileSync(process.execPath, [join(ROOT, 'node_modules/osls/bin/serverless.js'), 'package', '--package', folder], { cwd: ROOT, env, stdio: 'pipe' });
    const template = read(join(folder, 'cloudformation-template-update-stack.json'));
    resources = Reflect.get(Object(template), 'Resources');
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

  it('is what the sandbox reads from the same file', () => {
    const parts: unknown = Reflect.get(Object(readServerless(ROOT, 'prod', {})), 'resources');
    const ours: Record<string, unknown> = Object.assign({}, ...(Array.isArray(parts) ? parts : []).map((part) => Reflect.get(part, 'Resources')));
    expect(Object.keys(ours).length).toBeGreaterThan(20);
    for (const [id, resource] of Object.entries(ours)) expect({ [id]: resources[id] }).toEqual({ [id]: resource });
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

function statementsOf(policies: unknown): readonly object[] {
  return (Array.isArray(policies) ? policies : []).flatMap((policy) => Reflect.get(Reflect.get(policy, 'PolicyDocument'), 'Statement'));
}
