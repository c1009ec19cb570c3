import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Config } from '../deploy/config.ts';
import { type Attributes, evaluate, type Scope } from '../deploy/evaluate.ts';
import { DeployError, functionLogicalId, type Resource } from '../deploy/names.ts';
import { parseYaml } from '../deploy/yaml.ts';
import { attributesOf, createResources, FUNCTIONS_ORDER } from './deploy/resources.ts';
import { readServerless } from './deploy/variables.ts';
import type { World } from './service.ts';
import type { LambdaService } from './services/lambda.ts';

export interface DeployOptions {
  /** `dev` unless told. */
  readonly stage?: string;
  /** The folder of `serverless.yml`; this repository unless told. */
  readonly root?: string;
  /** What differs from `stopbath.config.json`. */
  readonly config?: Partial<Config>;
  /** What functions run from: their sources, or the bundles that `npm run build` made of them; sources unless told. */
  readonly code?: 'sources' | 'bundles';
}

/** What was deployed, by the names that the folders have. */
export interface Deployment {
  /** `stopbath-dev`: what every name begins with. */
  readonly name: string;
  /** ARNs. */
  readonly functions: Readonly<Record<string, string>>;
  /** Of the functions that have one. */
  readonly urls: Readonly<Record<string, string>>;
}

/** The repository. */
export const ROOT = join(import.meta.dirname, '..');

const ServerlessSchema = z.looseObject({
  service: z.string(),
  provider: z.looseObject({ environment: z.record(z.string(), z.unknown()).default({}) }),
  functions: z.record(
    z.string(),
    z.looseObject({
      name: z.string(),
      description: z.string().default(''),
      role: z.unknown(),
      timeout: z.number(),
      memorySize: z.number(),
      environment: z.record(z.string(), z.unknown()).default({}),
      reservedConcurrency: z.number().optional(),
      url: z.looseObject({ authorizer: z.literal('aws_iam') }).optional(),
      destinations: z.looseObject({ onFailure: z.string().optional() }).optional(),
      maximumRetryAttempts: z.number().optional(),
      maximumEventAge: z.number().optional(),
    }),
  ),
  resources: z.array(z.looseObject({ Resources: z.record(z.string(), z.looseObject({ Type: z.string(), Properties: z.looseObject({}).default({}) })) })),
});

type Serverless = z.infer<typeof ServerlessSchema>;

/**
 * Deploys `serverless.yml` into a sandbox: the same file, the same folders, the same roles as on AWS.
 *
 * @throws {DeployError} where the file needs something that the sandbox does not have
 */
export async function deployInto(world: World, lambda: LambdaService, options: DeployOptions = {}): Promise<Deployment> {
  const { stage = 'dev', root = ROOT, config = {}, code = 'sources' } = options;
  const serverless = ServerlessSchema.parse(readServerless(root, stage, config));
  const resources: Readonly<Record<string, Resource>> = Object.assign({}, ...serverless.resources.map((part) => part.Resources));
  const scope = scopeOf(serverless, resources, world);

  await createResources(resources, scope, world, (order) => order < FUNCTIONS_ORDER);
  for (const [name, fn] of Object.entries(serverless.functions)) {
    lambda.deploy({
      name: fn.name,
      description: fn.description,
      module: code === 'bundles' ? join(root, 'dist', name, 'handler.mjs') : join(root, 'functions', name, 'handler.ts'),
      role: String(evaluate(fn.role, scope)),
      timeoutSeconds: fn.timeout,
      memorySize: fn.memorySize,
      reservedConcurrency: fn.reservedConcurrency ?? null,
      environment: texts(evaluate({ ...serverless.provider.environment, ...fn.environment }, scope)),
    });
  }
  await Promise.all(Object.values(serverless.functions).map((fn) => configure(fn, scope, world)));
  await createResources(resources, scope, world, (order) => order > FUNCTIONS_ORDER);

  const arnOf = (name: string) => scope.resources.get(functionLogicalId(name))?.attributes['Arn'] ?? '';
  const withUrl = Object.entries(serverless.functions).filter(([, fn]) => fn.url);
  return {
    name: `${serverless.service}-${stage}`,
    functions: Object.fromEntries(Object.keys(serverless.functions).map((name) => [name, arnOf(name)])),
    urls: Object.fromEntries(withUrl.map(([name, fn]) => [name, `${world.endpoint}/lambda-url/${fn.name}/`])),
  };
}

const MemberTemplate = z.looseObject({
  Parameters: z.record(z.string(), z.looseObject({ Type: z.string(), Default: z.string().optional() })),
  Conditions: z.record(z.string(), z.unknown()),
  Resources: z.record(z.string(), z.looseObject({ Type: z.string(), Condition: z.string(), Properties: z.looseObject({}) })),
});

/**
 * Deploys `deploy/member-account.yml` into an account.
 *
 * @param region - the home region unless told
 */
export async function deployMember(world: World, account: string, parameters: Readonly<Record<string, string>>, root = ROOT, region = world.region): Promise<void> {
  const template = MemberTemplate.parse(parseYaml(readFileSync(join(root, 'deploy/member-account.yml'), 'utf8')));
  const given = Object.entries(template.Parameters).map(([name, { Type, Default }]) => {
    const ref = parameters[name] ?? Default;
    if (ref === undefined) throw new DeployError(`deploy/member-account.yml: the parameter ${name} has no value`);
    return [name, { ref, attributes: {}, ...(Type === 'CommaDelimitedList' ? { list: ref.split(',') } : {}) }] as const;
  });
  const empty: Scope = { account, region, resources: new Map(given), conditions: template.Conditions };
  const resources: Readonly<Record<string, Resource>> = Object.fromEntries(Object.entries(template.Resources).filter(([, { Condition }]) => evaluate({ 'Fn::Condition': Condition }, empty) === true));
  const scope: Scope = { ...empty, resources: attributesOf(resources, empty) };
  await createResources(resources, scope, world, () => true);
}

function scopeOf(serverless: Serverless, resources: Readonly<Record<string, Resource>>, world: World): Scope {
  const { account, region } = world;
  const empty: Scope = { account, region, resources: new Map() };
  const functions = Object.entries(serverless.functions).map(([id, { name }]) => {
    const Arn = `arn:aws:lambda:${region}:${account}:function:${name}`;
    return [functionLogicalId(id), { ref: name, attributes: { Arn } }] as const;
  });
  return { account, region, resources: new Map<string, Attributes>([...functions, ...attributesOf(resources, empty)]) };
}

/** What osls makes of a function's own properties. */
async function configure(fn: Serverless['functions'][string], scope: Scope, world: World): Promise<void> {
  const arn = `arn:aws:iam::${scope.account}:root`;
  const root = { kind: 'root', account: scope.account, principalArn: arn, arn, userId: scope.account } as const;
  if (fn.url) await world.call('lambda', 'CreateFunctionUrlConfig', { FunctionName: fn.name, AuthType: 'AWS_IAM' }, root);
  const onFailure = fn.destinations?.onFailure;
  if (onFailure === undefined && fn.maximumRetryAttempts === undefined && fn.maximumEventAge === undefined) return;
  const destination = onFailure === undefined ? undefined : scope.resources.get(functionLogicalId(onFailure))?.attributes['Arn'];
  const config = {
    FunctionName: fn.name,
    MaximumRetryAttempts: fn.maximumRetryAttempts,
    MaximumEventAgeInSeconds: fn.maximumEventAge,
    DestinationConfig: { OnFailure: { Destination: destination } },
  };
  await world.call('lambda', 'PutFunctionEventInvokeConfig', config, root);
}

function texts(environment: unknown): Readonly<Record<string, string>> {
  return z.record(z.string(), z.coerce.string()).parse(environment);
}
