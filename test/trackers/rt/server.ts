import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A Request Tracker that runs on loopback, with a queue `Security` and two accounts that may work in it. */
export interface RequestTracker {
  readonly url: string;
  readonly version: string;
  /** Authentication tokens: the suite's own account, and somebody else's. */
  readonly tokens: { readonly stopbath: string; readonly mallory: string };
  readonly stop: () => Promise<void>;
}

const SETUP = '/usr/sbin/rt-setup-database-5';
const SERVER = '/usr/share/request-tracker5/libexec/rt-server';
export const INSTALL = 'apt-get install request-tracker5 rt5-db-sqlite rt5-standalone';

/** @returns whether Debian's packages are here */
export function isInstalled(): boolean {
  return [SETUP, SERVER, '/usr/share/perl5/Starlet.pm', '/usr/share/doc/rt5-db-sqlite'].every((path) => existsSync(path));
}

/**
 * Sets up Debian's Request Tracker 5 with SQLite in a temporary folder, beside whatever is configured on the machine, and starts its standalone
 * server. Takes some 30 seconds.
 *
 * @see https://docs.bestpractical.com/rt/5.0.3/rt-server.html
 */
export async function startRequestTracker(): Promise<RequestTracker> {
  const folder = await mkdtemp(join(tmpdir(), 'stopbath-rt-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  await Promise.all([...['mason', 'sessions', 'none'].map(async (name) => await mkdir(join(folder, name))), writeFile(join(folder, 'RT_SiteConfig.pm'), configOf(folder, port)), writeFile(join(folder, 'people.pl'), PEOPLE), writeFile(join(folder, 'password'), 'only-for-this-test')]);
  const env = { ...process.env, RT_SITE_CONFIG: join(folder, 'RT_SiteConfig.pm'), RT_SITE_CONFIG_DIR: join(folder, 'none') };
  const setUp = async (...more: string[]) => (await promisify(execFile)(SETUP, ['--skip-create', ...more], { env, timeout: 120_000 })).stdout;
  await setUp('--action', 'init', '--root-password-file', join(folder, 'password'));
  const said = await setUp('--action', 'insert', '--datafile', join(folder, 'people.pl'));
  const tokenOf = (name: string): string => {
    const token = new RegExp(`^TOKEN ${name} (\\S+)$`, 'm').exec(said)?.[1];
    if (token === undefined) throw new Error(`rt-setup-database-5 made no token for ${name}: ${said}`);
    return token;
  };
  const tokens = { stopbath: tokenOf('stopbath'), mallory: tokenOf('mallory') };

  const server = spawn(SERVER, ['--server', 'Starlet', '--host', '127.0.0.1', '--port', String(port), '--max-workers', '2'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  server.stderr.on('data', (text: Buffer) => void (log += text.toString()));
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const stop = async () => {
    server.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  // RT compiles itself at the first request.
  for (let tries = 0; tries < 600; tries++) {
    if (server.exitCode !== null) throw new Error(`Request Tracker ended at once: ${log}`);
    const answer = await fetch(`${url}/REST/2.0/rt`, { headers: { authorization: `token ${tokens.stopbath}` } }).catch(() => null);
    if (answer?.ok) return { url, version: String(Reflect.get(Object(await answer.json()), 'Version')), tokens, stop };
    await answer?.text();
    await pause(100);
  }
  await stop();
  throw new Error(`Request Tracker does not answer after a minute: ${log}`);
}

function configOf(folder: string, port: number): string {
  return `
Set($rtname, 'stopbath');
Set($Organization, 'stopbath.invalid');
Set($WebDomain, '127.0.0.1');
Set($WebPort, ${port});
Set($DatabaseType, 'SQLite');
Set($DatabaseName, '${folder}/rt.db');
Set($WebSessionClass, 'Apache::Session::File');
Set($MailCommand, 'testfile');
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'warning');
$RT::VarPath = '${folder}';
$RT::MasonDataDir = '${folder}/mason';
$RT::MasonSessionDir = '${folder}/sessions';
1;
`;
}

/** What docs/tickets.md says the account needs, and no more; somebody else may delete besides. */
const PEOPLE = String.raw`
@Queues = ({ Name => 'Security' });
@Users = map +{ Name => $_, EmailAddress => "$_\@stopbath.invalid", Privileged => 1 }, qw(stopbath mallory);
@ACL = map { my $who = $_; map +{ UserId => $who, Queue => 'Security', Right => $_ }, qw(SeeQueue CreateTicket ShowTicket ShowTicketComments CommentOnTicket ModifyTicket) } qw(stopbath mallory);
push @ACL, { UserId => 'mallory', Queue => 'Security', Right => 'DeleteTicket' };
@Final = (sub {
  for my $name (qw(stopbath mallory)) {
    my $user = RT::User->new(RT->SystemUser);
    $user->Load($name);
    my ($ok, $why, $token) = RT::AuthToken->new(RT->SystemUser)->Create(Owner => $user->Id, Description => 'a test');
    die $why unless $ok;
    print "TOKEN $name $token\n";
  }
});
1;
`;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
