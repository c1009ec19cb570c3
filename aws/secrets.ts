import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { secretsOf, ssmOf } from './clients.ts';
import type { Tools } from './function.ts';

/** How long a value is kept in memory, ms: a rotated one is in use soon, and a thousand tickets do not ask a thousand times. */
const KEPT_MS = 300_000;
const kept = new Map<string, { readonly value: string; readonly until: number }>();

/**
 * The value of a secret, by its ARN. It goes from here into a request's header and nowhere else: never into a log, an error,
 * a plan or the evidence.
 *
 * @param arn - of a Secrets Manager secret, or of an SSM parameter (`SecureString`)
 * @throws {SecretError} where it has no text
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 * @see https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html (Name: the name or the ARN)
 */
export async function readSecret(tools: Pick<Tools, 'clients' | 'now'>, arn: string): Promise<string> {
  const now = Date.parse(tools.now());
  const known = kept.get(arn);
  if (known && known.until > now) return known.value;
  const value = arn.includes(':secretsmanager:') ? await fromSecretsManager(tools, arn) : await fromParameter(tools, arn);
  if (value === undefined || value === '') throw new SecretError(`${arn} has no text: put the value in as a string`);
  kept.set(arn, { value, until: now + KEPT_MS });
  return value;
}

/** After a tracker has refused it: the next try asks for it anew. */
export function forgetSecret(arn: string): void {
  kept.delete(arn);
}

/** A secret that is there and cannot be used. The message never has its value. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

async function fromSecretsManager({ clients }: Pick<Tools, 'clients'>, arn: string): Promise<string | undefined> {
  return (await secretsOf(clients).send(new GetSecretValueCommand({ SecretId: arn }))).SecretString;
}

async function fromParameter({ clients }: Pick<Tools, 'clients'>, arn: string): Promise<string | undefined> {
  return (await ssmOf(clients).send(new GetParameterCommand({ Name: arn, WithDecryption: true }))).Parameter?.Value;
}
