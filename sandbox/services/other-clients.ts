import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Credentials } from '../service.ts';

const run = promisify(execFile);

/**
 * What boto3 and the AWS CLI say of a sandbox, in a script beside the test that asks; `null`, and one line that says so, where python3 has not got them.
 *
 * @param script - prints one JSON value
 * @param what - which services it calls, for that line
 */
export async function askOtherClients<T>(script: URL, what: string, { endpoint, admin }: { readonly endpoint: string; readonly admin: Credentials }, args: readonly string[] = []): Promise<T | null> {
  const installed = await run('python3', ['-c', 'import boto3, awscli']).then(
    () => true,
    () => false,
  );
  if (!installed) {
    process.stdout.write(`not run: ${what} by boto3 and the AWS CLI, which python3 does not have here\n`);
    return null;
  }
  const { stdout } = await run('python3', [fileURLToPath(script), ...args], {
    maxBuffer: 1e7,
    env: {
      PATH: process.env['PATH'],
      HOME: '/nonexistent',
      PYTHONDONTWRITEBYTECODE: '1',
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: admin.accessKeyId,
      AWS_SECRET_ACCESS_KEY: admin.secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  });
  return JSON.parse(stdout) as T;
}
