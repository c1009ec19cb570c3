import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type Config, ConfigError, readConfig } from './config.ts';
import { alarmsTemplate } from './alarms.ts';
import { environmentOf, functionEntry, type FunctionFolder, readFunctionFolder, rolesTemplate } from './functions.ts';
import { arnOf, NAME, sub, type Intrinsic, type Template } from './names.ts';
import { playbookTemplate } from './playbooks.ts';
import { recordingTemplate } from './recording.ts';
import { type RuleTrigger, rulesTemplate } from './rules.ts';
import { parseYaml } from './yaml.ts';

/** What `serverless.yml` takes in with `${file(deploy/stack.cjs):…}`. Parts are made when they are asked for. */
export interface Stack {
  readonly config: Config;
  /** Variables of all functions. */
  readonly environment: Readonly<Record<string, unknown>>;
  /** By folder name. */
  readonly functions: Readonly<Record<string, object>>;
  /** By folder name. */
  readonly playbooks: Readonly<Record<string, Template>>;
  /** What drives archive and seal, and the keys that sign. */
  readonly recording: Template;
  /** The roles that keep snapshots: those of the functions whose `role.yml` says so. */
  readonly snapshotKeepers: readonly Intrinsic[];
  /** The rules whose undelivered events the queue takes: those that name it. */
  readonly deliveringRules: readonly Intrinsic[];
  /** A name that nothing has where the share service checks no epochs. */
  readonly shareEpochsTable: string;
  readonly roles: Template;
  readonly rules: Template;
  /** Who is called when something is not as it should be. */
  readonly alarms: Template;
  /** The same folders with another configuration. */
  readonly with: (config: Partial<Config>, stage?: string) => Stack;
}

/**
 * The deployment that the folders under a root describe.
 *
 * @throws {DeployError | ConfigError} where they do not describe one
 */
export function stackOf(root: string, overrides: Partial<Config> = {}, stage?: string): Stack {
  const config = readConfig({ ...readJson(join(root, 'stopbath.config.json'), z.looseObject({})), ...overrides }, stage);
  const unknown = Object.keys(config.modeCaps).filter((name) => !foldersOf(join(root, 'workflows')).includes(name));
  if (unknown.length > 0) throw new ConfigError(`stopbath.config.json: modeCaps names ${unknown.join(', ')}: there is ${foldersOf(join(root, 'workflows')).join(', ')}`);
  const folders = foldersOf(join(root, 'functions')).map((name) => readFolder(root, name));
  const playbooks = foldersOf(join(root, 'workflows'));
  const recording = recordingTemplate(config);
  const rules = rulesTemplate(playbooks.flatMap((name) => triggersOf(root, name)), config);
  const surroundings = { config, functions: folders.map((folder) => folder.name), playbooks };
  return {
    config,
    environment: environmentOf(folders, config),
    functions: Object.fromEntries(folders.map((folder) => [folder.name, functionEntry(folder, config)])),
    playbooks: Object.fromEntries(
      playbooks.map((name) => [name, playbookTemplate(name, readJson(join(root, 'workflows', name, 'workflow.asl.json'), z.json()), surroundings)]),
    ),
    recording,
    snapshotKeepers: folders.filter(({ statements }) => JSON.stringify(statements).includes('/records/snapshot/*')).map(({ name }) => sub(`arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role/${NAME}-${name}`)),
    shareEpochsTable: config.shares.epochs?.table ?? 'there-is-none',
    roles: rolesTemplate(folders, config),
    rules,
    deliveringRules: Object.entries({ ...recording.Resources, ...rules.Resources }).filter(([, { Type, Properties }]) => Type === 'AWS::Events::Rule' && JSON.stringify(Properties).includes('UndeliveredEvents')).map(([id]) => arnOf(id)),
    alarms: alarmsTemplate(config, playbooks),
    with: (config, at = stage) => stackOf(root, { ...overrides, ...config }, at),
  };
}

function readFolder(root: string, name: string): FunctionFolder {
  const read = (file: string) => parseYaml(readFileSync(join(root, 'functions', name, file), 'utf8'));
  const properties = read('function.yml');
  // Whoever runs under another one's role has none of its own.
  const isOther = typeof properties === 'object' && properties !== null && 'role' in properties;
  return readFunctionFolder(name, properties, isOther ? [] : read('role.yml'));
}

/** Only what a rule needs; the whole of a playbook.json is checked where it is used. */
const Triggers = z.looseObject({ triggers: z.array(z.looseObject({ name: z.string(), pattern: z.record(z.string(), z.json()) })) });

function triggersOf(root: string, playbook: string): readonly RuleTrigger[] {
  const { triggers } = readJson(join(root, 'workflows', playbook, 'playbook.json'), Triggers);
  return triggers.map(({ name, pattern }) => ({ playbook, name, pattern }));
}

/** The folder is the registration. */
export function foldersOf(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();
}

function readJson<T>(path: string, schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
}
