import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { iamOf, kmsOf, lambdaOf, s3Of, sfnOf, sqsOf } from '../../aws/clients.ts';
import { stackOf } from '../../deploy/stack.ts';
import type { Config } from '../../deploy/config.ts';
import { diagnoseEvents } from './events.ts';
import { look, type Diagnosis } from './diagnosis.ts';
import { diagnoseFunctions } from './functions.ts';
import { diagnosePermissions } from './permissions.ts';
import { ROOT, siteOf } from './site.ts';
import { diagnoseStorage } from './storage.ts';
import { diagnoseTrackers } from './trackers.ts';

/**
 * Holds an installation against the files of this folder: everything is looked at, with the credentials of whoever asks, and nothing is
 * changed. A look that fails is a diagnosis too.
 *
 * @param name - what every name begins with: `stopbath-prod`
 * @param config - what differs from stopbath.config.json
 */
export async function examine(name: string, config: Partial<Config> = {}): Promise<readonly Diagnosis[]> {
  const region = process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'] ?? 'us-east-1';
  const stack = readStack(config, name.replace(/^stopbath-/, ''));
  if ('diagnosis' in stack) return [stack.diagnosis];
  const { account, diagnosis } = await whoAsks(region);
  if (account === null) return [diagnosis];
  const sealKeys = await sealKeysOf(name, region);
  const site = siteOf({ name, region, account, stack: stack.stack }, sealKeys ?? []);
  const parts = await Promise.all([diagnoseFunctions(site), diagnosePermissions(site), diagnoseEvents(site), diagnoseStorage(site, sealKeys), diagnoseTrackers(site)]);
  const { clients } = site;
  for (const client of [clients.events, clients.dynamo, lambdaOf(clients), iamOf(clients), s3Of(clients), sfnOf(clients), kmsOf(clients), sqsOf(clients)]) client.destroy();
  return [diagnosis, ...parts.flat()];
}

/** With what the configuration says of the stage. */
function readStack(config: Partial<Config>, stage: string): { readonly stack: ReturnType<typeof stackOf> } | { readonly diagnosis: Diagnosis } {
  try {
    return { stack: stackOf(ROOT, config, stage) };
  } catch (error) {
    return { diagnosis: { what: 'configuration', state: 'bad', found: error instanceof Error ? error.message : String(error), todo: 'mend stopbath.config.json: deploy/config.schema.json says what may stand in it' } };
  }
}

async function whoAsks(region: string): Promise<{ readonly account: string | null; readonly diagnosis: Diagnosis }> {
  const sts = new STSClient({ region, maxAttempts: 2 });
  let account: string | null = null;
  const diagnosis = await look('who asks', async () => {
    const { Account, Arn } = await sts.send(new GetCallerIdentityCommand({}));
    account = Account ?? null;
    return Arn ?? 'nobody';
  });
  sts.destroy();
  return { account, diagnosis: account === null ? { ...diagnosis, state: 'bad', todo: 'sign in, set AWS_PROFILE, or export what "stopbath sandbox" prints' } : diagnosis };
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
