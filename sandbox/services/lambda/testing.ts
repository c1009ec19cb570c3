import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Account, startAccount } from '../../account.ts';
import type { SandboxOptions } from '../../sandbox.ts';
import type { LambdaFunction } from './functions.ts';

/** An account for a test, with functions made of a few lines of text. */
export interface TestAccount extends Account {
  /** Deploys a function under a role of its own that may do what `statements` say. */
  readonly makeFunction: (name: string, code: string, options?: Partial<LambdaFunction> & { readonly statements?: readonly object[] }) => string;
}

export async function startTestAccount(options: SandboxOptions & { readonly unreserved?: number } = {}): Promise<TestAccount> {
  const folder = mkdtempSync(join(tmpdir(), 'stopbath-functions-'));
  const account = await startAccount({ ...options, root: folder });
  return {
    ...account,
    makeFunction: (name, code, { statements, ...given } = {}) => {
      const module = join(folder, `${name}.mjs`);
      writeFileSync(module, code);
      const role = account.createRole(`role-of-${name}`, {
        trust: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] },
        ...(statements ? { policy: { Version: '2012-10-17', Statement: statements } } : {}),
      });
      return account.lambda.deploy({ name, description: '', module, role, timeoutSeconds: 10, memorySize: 128, environment: {}, ...given }).arn;
    },
    stop: async () => {
      await account.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
