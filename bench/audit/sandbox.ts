/** A sandbox with a long history, in a process of its own: `node bench/audit/sandbox.ts <incidents>` prints one JSON line and stays. */
import { startAccount } from '../../sandbox/account.ts';
import { madeView, writeViews } from '../../test/audit/made.ts';

export interface Ready {
  readonly environment: Readonly<Record<string, string>>;
  /** The first and the last that was received. */
  readonly since: string;
  readonly until: string;
  readonly seconds: number;
}

const HALF_YEAR_MS = 180 * 86_400_000;

if (import.meta.main) {
  const count = Number(process.argv[2]);
  const auditor = 'arn:aws:iam::111122223333:role/auditor';
  const account = await startAccount();
  account.createRole('auditor', { trust: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'ecs-tasks.amazonaws.com' }, Action: 'sts:AssumeRole' }] } });
  const deployment = await account.deploy({ config: { auditorRoles: [auditor] } });
  const first = Date.now() - HALF_YEAR_MS;
  const receivedAt = (index: number) => new Date(first + Math.floor((index * (HALF_YEAR_MS - 3_600_000)) / count)).toISOString();
  const start = performance.now();
  await writeViews(account, deployment.name, (function* () { for (let index = 0; index < count; index++) yield madeView(index, receivedAt(index)); })());
  const seconds = (performance.now() - start) / 1000;
  const { accessKeyId, secretAccessKey, sessionToken = '' } = account.world.credentials(auditor, 'ada', 'ecs-tasks.amazonaws.com');
  const environment = { AWS_REGION: account.world.region, STOPBATH_AUDIT_URL: deployment.urls['audit'] ?? '', AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken };
  const ready: Ready = { environment, since: receivedAt(0), until: new Date(Date.now() + 60_000).toISOString(), seconds };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  process.once('disconnect', () => process.exit(0));
}
