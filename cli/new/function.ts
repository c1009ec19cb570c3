import { pascalOf } from '../../deploy/names.ts';
import type { Tree } from '../check/tree.ts';
import { listed } from './registration.ts';

export interface NewFunction {
  readonly name: string;
  readonly description: string;
  /** Seconds. */
  readonly timeout: number;
  /** MB. */
  readonly memory: number;
}

/** Every file of a function that can be called, with a role that allows nothing yet but to log; path to text. */
export function functionFiles(tree: Tree, { name, description, timeout, memory }: NewFunction): ReadonlyMap<string, string> {
  const pascal = pascalOf(name);
  const camel = `${pascal.charAt(0).toLowerCase()}${pascal.slice(1)}`;
  const body = (tree.read('cli/template/function.ts') ?? '').replaceAll('NewFunction', pascal).replaceAll('newFunction', camel);
  return new Map([
    [`functions/${name}/function.yml`, `description: ${JSON.stringify(description)}\ntimeout: ${timeout}\nmemorySize: ${memory}\n`],
    [`functions/${name}/role.yml`, '# What the code calls, and nothing else: stopbath check compares the two.\n[]\n'],
    [
      `functions/${name}/handler.ts`,
      `import { z } from 'zod';\nimport { defineFunction } from '../../aws/function.ts';\nimport { ${camel} } from './${name}.ts';\n\nconst input = z.strictObject({ incident: z.string().min(1) });\n\n/** ${description}. */\nexport const handler = defineFunction({ name: '${name}', input, run: ${camel} });\n`,
    ],
    [`functions/${name}/${name}.ts`, body],
    ['serverless.yml', listed(tree.read('serverless.yml') ?? '', { functions: [name], playbooks: [] })],
  ]);
}
