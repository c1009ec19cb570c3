import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Tools } from '../../aws/function.ts';
import { addEntry, updateIncident } from '../../aws/incidents.ts';
import { ticketsOf } from '../../aws/tickets.ts';
import { chooseTrackers, writeTicket } from '../../functions/ticket/ticket.ts';
import { startAccount } from '../../sandbox/account.ts';
import { skippingClock, type Clock } from '../../sandbox/clock.ts';
import { madeView, writeViews } from '../audit/made.ts';
import { fakeJira } from './fakes.ts';
import { makeTable, mockTable, TABLE, toolsOf } from './table.ts';

/** What a crowd of incidents did to a tracker, and it to them. Seconds of virtual time. */
export interface Crowd {
  readonly incidents: number;
  /** Tickets that there are, and how many have a second one. */
  readonly tickets: number;
  readonly doubled: number;
  /** Tickets that do not tell that it was contained, in their text or in a comment; and those that tell it twice. */
  readonly untold: number;
  readonly toldTwice: number;
  /** Incidents whose ticket the suite does not call open. */
  readonly notOpen: number;
  /** Executions that gave up. */
  readonly lost: number;
  readonly requests: number;
  readonly refused: number;
  /** Invocations that found all reserved ones busy. */
  readonly throttled: number;
  /** When half of all had their ticket, and when the last was told all. */
  readonly half: number;
  readonly last: number;
}

const CONTAINED = 'verified: outside requests are refused';
/** As deploy/config.ts reserves. */
const AT_ONCE = 5;
/** What one try to write a ticket takes in virtual time. */
const TRY_MS = 200;
const retriers = z.object({ States: z.object({ 'For Each Tracker': z.object({ ItemProcessor: z.object({ States: z.object({ 'Write Ticket': z.object({ Retry: z.array(z.object({ ErrorEquals: z.array(z.string()), IntervalSeconds: z.number(), BackoffRate: z.number(), MaxAttempts: z.int(), MaxDelaySeconds: z.number() })) }) }) }) }) }) });

/**
 * So many incidents within so many seconds, each with two executions of `open-ticket` (it was opened; it was contained), against a tracker that
 * takes so many requests a second and answers 429 to the rest, every other time with `Retry-After`. The function's own code on the real table;
 * the executions are played after the workflow's file, on a clock that skips.
 */
export async function playCrowd({ incidents, withinSeconds, perSecond }: { readonly incidents: number; readonly withinSeconds: number; readonly perSecond: number }): Promise<Crowd> {
  const clock = skippingClock();
  const account = await startAccount({});
  let requests = 0;
  let refused = 0;
  const spent = new Map<number, number>();
  const jira = await fakeJira('cloud', {
    now: () => clock.now(),
    before: () => {
      const second = Math.floor(clock.now() / 1000);
      spent.set(second, (spent.get(second) ?? 0) + 1);
      requests++;
      if ((spent.get(second) ?? 0) <= perSecond) return null;
      return { status: 429, body: { errorMessages: ['Rate limit exceeded.'] }, ...(refused++ % 2 === 0 ? { headers: { 'retry-after': '2' } } : {}) };
    },
  });
  await makeTable(account);
  const [table, secrets] = [mockTable(account), mockClient(SecretsManagerClient)];
  try {
    secrets.on(GetSecretValueCommand).resolves({ SecretString: JSON.stringify({ email: 'bot@example.com', token: jira.token }) });
    const trackers = { jira: { kind: 'jira', edition: 'cloud', url: jira.url, project: 'SEC', secret: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:jira-AbCdEf' } };
    const tools = toolsOf(trackers, () => new Date(clock.now()).toISOString());
    const arrived = Array.from({ length: incidents }, (_, index) => madeView(index, new Date(clock.now() + (index * withinSeconds * 1000) / incidents).toISOString(), { status: 'containing', tickets: {}, ticket: null, severity: 8 }));
    await writeViews(account, TABLE, arrived.map((view) => ({ ...view, entries: view.entries.filter(({ kind }) => kind === 'signal') })));
    const gate = { busy: 0, throttled: 0 };
    const opened: number[] = [];
    const begun = clock.now();
    const ends = await Promise.all(
      arrived.map(async ({ incident: { id, receivedAt } }) => {
        const execution = async (name: string) => await play(id, `${id}-${name}`, { tools, clock, gate });
        await clock.sleep(Date.parse(receivedAt) - begun);
        const first = execution('opened').then((end) => (opened.push(clock.now()), end));
        await clock.sleep(5000);
        await clock.work(async () => {
          await addEntry(tools, 'outcome', { incident: id, at: tools.now(), kind: 'outcome', text: CONTAINED, by: 'record', detail: { status: 'contained' } });
          await updateIncident(tools, id, { status: 'contained', outcome: 'verified' });
        });
        return await Promise.all([first, execution('contained')]);
      }),
    );
    const last = clock.now();
    const works = arrived.map(({ incident }) => jira.ticketsOf(incident.id));
    const states = await Promise.all(arrived.map(async ({ incident }) => (await ticketsOf(tools, incident.id)).map(({ state }) => state).join()));
    const telling = works.map((tickets) => tickets.flatMap(({ body, comments }) => [body, ...comments]).filter((text) => text.includes(CONTAINED)).length);
    const seconds = (at: number) => Math.round((at - begun) / 1000);
    return {
      incidents,
      tickets: works.flat().length,
      doubled: works.filter(({ length }) => length > 1).length,
      untold: telling.filter((count) => count === 0).length,
      toldTwice: telling.filter((count) => count > 1).length,
      notOpen: states.filter((state) => state !== 'open').length,
      lost: ends.flat().filter((end) => end !== 'done').length,
      requests,
      refused,
      throttled: gate.throttled,
      half: seconds(opened.toSorted((a, b) => a - b)[Math.floor(incidents / 2)] ?? last),
      last: seconds(last),
    };
  } finally {
    table.restore();
    secrets.restore();
    await Promise.all([jira.stop(), account.stop()]);
  }
}

interface Playing {
  readonly tools: Tools;
  readonly clock: Clock;
  readonly gate: { busy: number; throttled: number };
}

/** An execution of `open-ticket`, after its file: tries, waits and throttled invocations. */
async function play(incident: string, execution: string, { tools, clock, gate }: Playing): Promise<'done' | 'give-up'> {
  const { Retry } = retriers.parse(JSON.parse(readFileSync(join(import.meta.dirname, '../../workflows/open-ticket/workflow.asl.json'), 'utf8'))).States['For Each Tracker'].ItemProcessor.States['Write Ticket'];
  const retry = Retry.find(({ ErrorEquals }) => ErrorEquals.includes('Lambda.TooManyRequestsException'));
  const invoke = async <T>(run: () => Promise<T>): Promise<T | null> => {
    for (let attempt = 0; ; attempt++) {
      if (gate.busy < AT_ONCE) {
        gate.busy++;
        const answer = await clock.work(run);
        await clock.sleep(TRY_MS);
        gate.busy--;
        return answer;
      }
      gate.throttled++;
      if (!retry || attempt >= retry.MaxAttempts) return null;
      await clock.sleep(Math.random() * 1000 * Math.min(retry.MaxDelaySeconds, retry.IntervalSeconds * retry.BackoffRate ** attempt));
    }
  };
  const since = tools.now();
  if (!(await invoke(async () => await chooseTrackers({ incident }, tools)))) return 'give-up';
  for (;;) {
    const written = await invoke(async () => await writeTicket({ incident, execution, tracker: 'jira', since }, tools));
    if (written?.next !== 'wait') return written?.next ?? 'give-up';
    await clock.sleep(written.seconds * 1000);
  }
}
