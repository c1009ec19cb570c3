import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import type { Config } from '../../deploy/config.ts';
import { DeployError } from '../../deploy/names.ts';
import { parseYaml } from '../../deploy/yaml.ts';

/** `${self:custom.name}`, `${sls:stage}`, `${file(deploy/stack.cjs):roles}`; CloudFormation's `${Table.Arn}` is none. */
const VARIABLE = /\$\{(?:(self|sls|opt):([\w.-]+)|file\(([^)]+)\)(?::([\w.-]+))?)(?:,\s*'([^']*)')?\}/g;

/**
 * `serverless.yml` with its variables resolved: the part of osls's variables that the file uses.
 *
 * @param root - the folder of `serverless.yml`
 * @param config - overrides of `stopbath.config.json`
 * @throws {DeployError} for a variable that stands for nothing
 * @see https://github.com/oss-serverless/serverless/tree/main/docs/guides/variables
 */
export function readServerless(root: string, stage: string, config: Partial<Config>): unknown {
  const require = createRequire(join(root, 'serverless.yml'));
  const raw = parseYaml(readFileSync(join(root, 'serverless.yml'), 'utf8'));
  const files = new Map<string, unknown>();

  const readFile = (path: string): unknown => {
    const full = join(root, path);
    if (!existsSync(full)) throw new DeployError(`serverless.yml: there is no file ${path}`);
    switch (extname(full)) {
      case '.cjs':
        return configured(require(full), stage, config);
      case '.json':
        return JSON.parse(readFileSync(full, 'utf8'));
      default:
        return parseYaml(readFileSync(full, 'utf8'));
    }
  };
  const fileOf = (path: string): unknown => {
    if (!files.has(path)) files.set(path, readFile(path));
    return files.get(path);
  };
  const valueOf = (match: RegExpExecArray | RegExpMatchArray): unknown => {
    const [text, source, name = '', path, address, fallback] = match;
    const value = path === undefined ? sourceValue(source, name, raw, stage) : at(fileOf(path), address);
    const found = value ?? fallback;
    if (found === undefined || found === null) throw new DeployError(`serverless.yml: ${text} stands for nothing`);
    return resolve(found);
  };
  const resolve = (value: unknown): unknown => {
    if (typeof value === 'string') {
      const matches = [...value.matchAll(VARIABLE)];
      const [first] = matches;
      if (first && first[0] === value) return valueOf(first);
      return matches.reduce((text, match) => text.replace(match[0], () => String(valueOf(match))), value);
    }
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, resolve(entry)]));
  };
  return resolve(raw);
}

function sourceValue(source: string | undefined, name: string, raw: unknown, stage: string): unknown {
  if (source === 'self') return at(raw, name);
  return name === 'stage' ? stage : undefined;
}

function at(value: unknown, address: string | undefined): unknown {
  return (address ?? '')
    .split('.')
    .filter((key) => key !== '')
    .reduce<unknown>((inner, key) => (typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key) ? Reflect.get(inner, key) : undefined), value);
}

/** A module is asked as osls asks it: a function that is told the stage. What can be had with another configuration is. */
function configured(module: unknown, stage: string, config: Partial<Config>): unknown {
  const made: unknown = typeof module === 'function' && 'of' in module && typeof module.of === 'function' ? module.of(stage) : module;
  const change: unknown = typeof made === 'object' && made !== null && 'with' in made ? made.with : undefined;
  return typeof change === 'function' ? change.call(made, config) : made;
}
