import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IncidentView } from '../../core/incident.ts';
import { lookOf } from '../../core/ticket/look.ts';
import { trackersSchema } from '../../core/ticket/trackers.ts';
import { type Clock, skippingClock } from '../../sandbox/clock.ts';
import { root, startSuite, type Suite } from '../responders/suite.ts';
import { fakeJira, type Fake, type Work } from './fakes.ts';
import type { Asked, TrackerFault } from './loopback.ts';

/** Something that goes wrong between the suite and a tracker, for the tickets of one bucket. */
export interface Trouble {
  readonly about: string;
  readonly bucket: string;
  readonly how: Pick<TrackerFault, 'when' | 'how'> | null;
  /** It passes by itself, or a person must put it right. */
  readonly passes: boolean;
  /** What the incident says meanwhile. */
  readonly says: RegExp;
}

const said = (status: number, body: object, headers = {}) => ({ when: 'before', how: { status, body, headers } }) as const;
const RETRY_AFTER_SECONDS = 1800;

export const TROUBLES: readonly Trouble[] = [
  { about: 'nothing', bucket: 'well', how: null, passes: true, says: /^$/ },
  { about: 'the tracker is down', bucket: 'down', how: { when: 'before', how: 'hang up' }, passes: true, says: /was not answered/ },
  { about: 'the tracker is slow', bucket: 'slow', how: { when: 'after', how: 'silence' }, passes: true, says: /was not answered \(after 1 s\)/ },
  { about: '429', bucket: 'busy', how: said(429, { errorMessages: ['Rate limit exceeded.'] }), passes: true, says: /was answered 429/ },
  { about: `429, Retry-After: ${RETRY_AFTER_SECONDS}`, bucket: 'later', how: said(429, { errorMessages: ['Rate limit exceeded.'] }, { 'retry-after': String(RETRY_AFTER_SECONDS) }), passes: true, says: /was answered 429/ },
  { about: '500 after having created', bucket: 'lost', how: { when: 'after', how: { status: 500, body: { errorMessages: ['Internal server error'] } } }, passes: true, says: /was answered 500/ },
  { about: 'wrong credentials', bucket: 'refused', how: said(401, { errorMessages: ['You are not authenticated.'] }), passes: false, says: /was answered 401.*not authenticated/ },
  { about: 'the project is gone', bucket: 'moved', how: said(400, { errorMessages: [], errors: { project: 'valid project is required' } }), passes: false, says: /was answered 400.*valid project is required/ },
  { about: 'a field has another name', bucket: 'renamed', how: said(400, { errorMessages: [], errors: { priority: "Field 'priority' cannot be set. It is not on the appropriate screen, or unknown." } }), passes: false, says: /was answered 400.*Field 'priority' cannot be set/ },
];

/** What became of one of them. Contained while the tracker was in trouble, and after each of three nights. */
export interface Outcome {
  readonly trouble: Trouble;
  /** When it was contained and proven; the tracker is in trouble still. */
  readonly contained: IncidentView;
  /** The trouble that passes has passed; the rest was given up. */
  readonly passed: IncidentView;
  /** A person has put it right, and sent again what was given up. */
  readonly mended: IncidentView;
  /** The tickets that there are in the end. */
  readonly works: readonly Work[];
  /** The requests that named the bucket. */
  readonly asked: readonly Asked[];
}

/** The suite with a tracker on loopback, and a public bucket for each trouble. */
export interface TroubleStage {
  readonly suite: Suite;
  readonly jira: Fake;
  /** Lets GuardDuty report these buckets, and waits until each is contained, proven, and its ticket tried once. */
  readonly contain: (troubles: readonly Trouble[]) => Promise<ReadonlyMap<Trouble, IncidentView>>;
  readonly stop: () => Promise<void>;
}

const SECRET = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:jira-AbCdEf';

export async function startTroubleStage(clock: Clock): Promise<TroubleStage> {
  const jira = await fakeJira('cloud', { now: () => clock.now() });
  const priorities = { critical: 'Highest', high: 'High', medium: 'Medium', low: 'Low' };
  const trackers = trackersSchema().parse({ jira: { kind: 'jira', edition: 'cloud', url: jira.url, project: 'SEC', priorities, secret: SECRET, timeoutSeconds: 1 } });
  // Days pass here, and nobody is to ask whether to restore.
  const suite = await startSuite({ trackers, leaseHours: 2160 }, { clock });
  const { account } = suite;
  const call = async (service: string, operation: string, input: object) => await account.world.call(service, operation, input, root(account));
  await call('secretsmanager', 'CreateSecret', { Name: 'jira', SecretString: JSON.stringify({ email: 'bot@example.com', token: jira.token }) });
  for (const trouble of TROUBLES) {
    const Bucket = nameOf(trouble.bucket);
    await call('s3', 'CreateBucket', { Bucket });
    await call('s3', 'PutObject', { Bucket, Key: 'albums/1.jpg', Body: new Uint8Array(8) });
    await call('s3', 'DeletePublicAccessBlock', { Bucket });
    await call('s3', 'PutBucketPolicy', { Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid: 'Everyone', Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` }] }) });
    fail(jira, trouble);
  }
  account.s3.settle();
  return {
    suite,
    jira,
    contain: async (troubles) => {
      const answer = await clock.work(() => fetch(`${account.endpoint}/_sandbox/events`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(troubles.map((trouble) => findingOf(trouble, clock.now()))) }));
      if (!answer.ok) throw new Error(await answer.text());
      const found = new Map<Trouble, IncidentView>();
      for (let looks = 0; found.size < troubles.length; looks++) {
        if (looks > 120) throw new Error(`contained ${found.size} of ${troubles.length}`);
        await clock.sleep(1000);
        for (const view of await Promise.all((await suite.incidents()).map(async ({ id }) => await suite.view(id)))) {
          const trouble = troubles.find(({ bucket }) => nameOf(bucket) === view.incident.target.name);
          const { status, tickets } = view.incident;
          const tried = trouble?.how ? tickets['jira']?.reason : tickets['jira']?.id;
          if (trouble && !found.has(trouble) && status === 'contained' && tried) found.set(trouble, view);
        }
      }
      return found;
    },
    stop: async () => {
      await suite.stop();
      await jira.stop();
    },
  };
}

/** All of it, in days that take moments. At last somebody closes the ticket of the bucket without trouble, and nobody says so. */
export async function playTroubles(): Promise<{ readonly outcomes: readonly Outcome[]; readonly closedByHand: IncidentView }> {
  const clock = skippingClock();
  const { suite, jira, contain, stop } = await startTroubleStage(clock);
  const atRest = async () => {
    for (let looks = 0; (await suite.running()).length > 0; looks++) {
      if (looks > 48) throw new Error('after two days there is still something at work');
      await clock.sleep(3_600_000);
    }
  };
  try {
    const contained = await contain(TROUBLES);
    jira.heal();
    for (const trouble of TROUBLES) if (!trouble.passes) fail(jira, trouble);
    await atRest();
    const passed = new Map(await Promise.all([...contained].map(async ([trouble, view]) => [trouble, await suite.view(view.incident.id)] as const)));
    jira.heal();
    const answer = await suite.respond('rosa', '/redrive-tickets', { reason: 'Jira is as it was' });
    if (answer.status !== 202) throw new Error(JSON.stringify(answer.body));
    await atRest();
    const outcomes = await Promise.all(
      [...contained].map(async ([trouble, view]): Promise<Outcome> => {
        const { id } = view.incident;
        return { trouble, contained: view, passed: passed.get(trouble) ?? view, mended: await suite.view(id), works: jira.ticketsOf(id), asked: jira.asked.filter(({ text }) => text.includes(nameOf(trouble.bucket))) };
      }),
    );
    const well = outcomes.find(({ trouble }) => trouble.how === null);
    const [work] = well?.works ?? [];
    if (!well || !work) throw new Error('there is no ticket to close by hand');
    work.open = false;
    while (lookOf(well.mended.incident, new Date(clock.now()).toISOString()) === null) await clock.sleep(3_600_000);
    // As often as the schedule says, until it is seen: the hour may end before the function begins.
    let closedByHand = well.mended;
    for (let ticks = 0; ticks < 100 && closedByHand.incident.tickets['jira']?.state === 'open'; ticks++) {
      suite.account.events.tick(`${suite.deployment.name}-lease`);
      await suite.account.events.idle();
      await clock.sleep(900_000);
      closedByHand = await suite.view(well.mended.incident.id);
    }
    await atRest();
    return { outcomes, closedByHand };
  } finally {
    await stop();
  }
}

function fail(jira: Fake, { how, bucket }: Trouble): void {
  if (how) jira.fail({ ...how, method: 'POST', path: /\/issue$/, text: new RegExp(nameOf(bucket)), times: how.when === 'after' ? 1 : Number.POSITIVE_INFINITY });
}

/** The bucket of a trouble. */
export function nameOf(bucket: string): string {
  return `photos-${bucket}-111122223333`;
}

function findingOf({ bucket }: Trouble, now: number): object {
  const id = Buffer.from(bucket.padEnd(16, '.')).toString('hex');
  const names: Readonly<Record<string, string>> = { account: '111122223333', region: 'us-east-1', bucket: nameOf(bucket), now: new Date(now).toISOString(), nowMs: String(now) };
  const text = readFileSync(join(import.meta.dirname, '../events/guardduty-bucket-anonymous.json'), 'utf8').replaceAll('5ec1a7d09b3f4e62a8c41f0e7d2b9a01', id);
  return { ...(JSON.parse(text.replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => names[name] ?? whole)) as object), id };
}
