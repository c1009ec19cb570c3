import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Deployment } from '../sandbox/deploy.ts';
import type { Photos } from '../sandbox/photos/seed.ts';
import type { Shares } from '../sandbox/photos/shares.ts';
import type { Credentials } from '../sandbox/service.ts';
import { s3ControlEndpoint } from '../sandbox/localhost.ts';
import { CliError, EXIT } from './exit.ts';
import { say, tell } from './terminal.ts';

interface Options {
  readonly port: number;
  readonly seed: 'photos' | 'none';
  readonly propagation: number;
}

/** Who gets credentials: two responders, an auditor, an outsider, and who plays the attack. */
const PERSONS = ['rosa', 'ravi', 'ada', 'mallory', 'deploy-bot'] as const;

/** `stopbath sandbox`: an account in a box, in the foreground, with the suite deployed in it. */
export function register(program: Command): void {
  program
    .command('sandbox')
    .description('serve an AWS account in a box on this machine')
    .option('--port <n>', 'the loopback port; 0 takes a free one', wholeNumber, 4566)
    .addOption(new Option('--seed <what>', 'what is in it').choices(['photos', 'none']).default('photos'))
    .option('--propagation <ms>', "how long S3's settings take to reach every request", wholeNumber, 1000)
    .addHelpText('after', '\nExample:\n  $ stopbath sandbox --port 4566 --seed photos > sandbox.env &\n  $ . ./sandbox.env\n  $ stopbath incidents\n\nPrints export lines on stdout and what is in it on stderr; runs until Ctrl-C.')
    .action(serve);
}

async function serve({ port, seed, propagation }: Options): Promise<void> {
  const [{ startAccount }, { seedPhotos }, { seedShares }] = await Promise.all([import('../sandbox/account.ts'), import('../sandbox/photos/seed.ts'), import('../sandbox/photos/shares.ts')]);
  const account = await startAccount({ port, propagationMs: propagation }).catch((cause: unknown) => {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE') throw new CliError(EXIT.usage, `port ${port} is in use: choose another with --port, or 0 for a free one`, { cause });
    throw cause;
  });
  const photos = seed === 'photos' ? await seedPhotos(account, () => account.s3.settle()) : null;
  const shares = photos && (await seedShares(account, photos));
  const people = photos ? { sessionNamesPinned: true, responderRoles: [photos.roles.responder], auditorRoles: [photos.roles.auditor], ...(shares ? { shares: shares.config } : {}) } : {};
  const deployment = await account.deploy({ config: { modeCap: 'contain', verifyIntervalSeconds: 1, sealEveryMinutes: 1, ...people } });
  account.events.startSchedules();
  say(...(await exportsOf({ endpoint: account.endpoint, region: account.world.region, admin: account.admin, deployment, photos, shares })));
  tell(`Sandbox at ${account.endpoint}, account ${account.accounts.home}; Ctrl-C stops it.`);
  if (photos) tell(`Buckets: ${photos.family}, ${photos.thumbnails} (public on purpose), ${photos.uploads}. People: ${PERSONS.join(', ')}.`);
  if (shares) tell(`Share links: ${Object.keys(shares.links).map((name) => `$PHOTOS_LINK_${name.toUpperCase()}`).join(', ')}; CloudFront: ${shares.distribution}.`);
  tell(`S3 Control is at ${s3ControlEndpoint(account.endpoint)}: where names below localhost do not resolve, call it with HTTP_PROXY=$AWS_ENDPOINT_URL.`);
  tell('Next, in another shell with the lines above: aws s3 ls; stopbath send test/events/guardduty-bucket-anonymous.json; stopbath incidents');
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  await shares?.close();
  await account.stop();
  process.exit(EXIT.ok);
}

async function exportsOf(from: {
  readonly endpoint: string;
  readonly region: string;
  readonly admin: Credentials;
  readonly deployment: Deployment;
  readonly photos: Photos | null;
  readonly shares: Shares | null;
}): Promise<readonly string[]> {
  const { endpoint, region, admin, deployment, photos, shares } = from;
  const persons = photos ? await Promise.all(PERSONS.map(async (person) => credentialLines(`${person.toUpperCase().replaceAll('-', '_')}_`, await photos.credentialsOf(person)))) : [];
  return [
    `export AWS_ENDPOINT_URL=${endpoint}`,
    `export AWS_ENDPOINT_URL_S3_CONTROL=${s3ControlEndpoint(endpoint)}`,
    `export AWS_REGION=${region}`,
    `export AWS_DEFAULT_REGION=${region}`,
    ...credentialLines('', admin),
    `export STOPBATH_NAME=${deployment.name}`,
    `export STOPBATH_AUDIT_URL=${deployment.urls['audit'] ?? ''}`,
    `export STOPBATH_RESPOND_URL=${deployment.urls['respond'] ?? ''}`,
    // Links as their holders have them; URLs of letters, digits and `:/.-_`.
    ...Object.entries(shares?.links ?? {}).map(([name, { url }]) => `export PHOTOS_LINK_${name.toUpperCase()}=${url}`),
    ...persons.flat(),
  ];
}

/** Keys and tokens are letters, digits and `+/=`: they need no quotes in a shell. */
function credentialLines(prefix: string, { accessKeyId, secretAccessKey, sessionToken }: Credentials): readonly string[] {
  return [
    `export ${prefix}AWS_ACCESS_KEY_ID=${accessKeyId}`,
    `export ${prefix}AWS_SECRET_ACCESS_KEY=${secretAccessKey}`,
    ...(sessionToken === undefined ? [] : [`export ${prefix}AWS_SESSION_TOKEN=${sessionToken}`]),
  ];
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d{1,5}$/.test(text) || value > 65_535) throw new InvalidArgumentError('must be a whole number from 0 to 65535');
  return value;
}
