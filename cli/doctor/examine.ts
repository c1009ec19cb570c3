import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { iamOf, kmsOf, lambdaOf, s3Of, sfnOf, sqsOf } from '../../aws/clients.ts';
import { stackOf } from '../../deploy/stack.ts';
import type { Config } from '../../deploy/config.ts';
import { eventsFindings } from './events.ts';
import { look, type Finding } from './finding.ts';
import { functionsFindings } from './functions.ts';
import { permissionsFindings } from './permissions.ts';
import { ROOT, siteOf } from './site.ts';
import { storageFindings } from './storage.ts';
import { trackersFindings } from './trackers.ts';

/**
 * Holds an installation against the files of this folder: everything is looked at, with the credentials of whoever asks, and nothing is
 * changed. A look that fails is a finding too.
 *
 * @param name - what every name begins with: `stopbath-prod`
 * @param config - what differs from stopbath.config.json
 */
export async function examine(name: string, config: Partial<Config> = {}): Promise<readonly Finding[]> {
  const region = process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'] ?? 'us-east-1';
  const stack = readStack(config);
  if ('finding' in stack) return [stack.finding];
  const { account, finding } = await whoAsks(region);
  if (account === null) return [finding];
  const sealKeys = await sealKeysOf(name, region);
  const site = siteOf({ name, region, account, stack: stack.stack }, sealKeys ?? []);
  const parts = await Promise.all([functionsFindings(site), permissionsFindings(site), eventsFindings(site), storageFindings(site, sealKeys), trackersFindings(site)]);
  const { clients } = site;
  for (const client of [clients.events, clients.dynamo, lambdaOf(clients), iamOf(clients), s3Of(clients), sfnOf(clients), kmsOf(clients), sqsOf(clients)]) client.destroy();
  return [finding, ...parts.flat()];
}

function readStack(config: Partial<Config>): { readonly stack: ReturnType<typeof stackOf> } | { readonly finding: Finding } {
  try {
    return { stack: stackOf(ROOT, config) };
  } catch (error) {
    return { finding: { what: 'configuration', state: 'bad', found: error instanceof Error ? error.message : String(error), todo: 'mend stopbath.config.json: deploy/config.schema.json says what may stand in it' } };
  }
}

async function whoAsks(region: string): Promise<{ readonly account: string | null; readonly finding: Finding }> {
  const sts = new STSClient({ region, maxAttempts: 2 });
  let account: string | null = null;
  const finding = await look('who asks', async () => {
    const { Account, Arn } = await sts.send(new GetCallerIdentityCommand({}));
    account = Account ?? null;
    return Arn ?? 'nobody';
  });
  sts.destroy();
  return { account, finding: account === null ? { ...finding, state: 'bad', todo: 'sign in, set AWS_PROFILE, or export what "stopbath sandbox" prints' } : finding };
}

/** The keys' names are AWS's own: the function that seals says which they are. */
async function sealKeysOf(name: string, region: string): Promise<readonly string[] | null> {
  const lambda = new LambdaClient({ region, maxAttempts: 2 });
  try {
    const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: `${name}-seal` }));
    return (Environment?.Variables?.['STOPBATH_SEAL_KEYS'] ?? '').split(',').filter(Boolean);
  } catch {
    // What is wrong with the function is found again, and said, where functions are looked at.
    return null;
  } finally {
    lambda.destroy();
  }
}
