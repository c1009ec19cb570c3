import type { Approval } from '../../core/approval.ts';
import { StepError, type Stage } from './stage.ts';

/** Until the newest incident has a status, or nothing runs any more. @throws {StepError} where that takes longer */
export async function until(wanted: string, withinSeconds: number, stage: Stage): Promise<void> {
  const { account, suite } = stage;
  const deadline = account.clock.now() + withinSeconds * 1000;
  for (let polls = 0; ; polls++) {
    const incidents = await account.clock.work(stage.watch);
    const reached = wanted === 'settled' ? await settled(stage) : incidents.at(-1)?.incident.status === wanted;
    if (reached) return;
    if (account.clock.now() > deadline) {
      const last = (await suite.incidents()).at(-1)?.incident;
      throw new StepError(`waited ${withinSeconds} s for ${wanted}; ${last ? `${last.id} is ${last.status}: ${last.outcome}` : 'there is no incident'}`);
    }
    await account.clock.sleep(pause(polls, stage));
  }
}

/** Nothing runs, and every event that was sent has its decision. */
async function settled({ account, suite, sent, firstSentAt }: Stage): Promise<boolean> {
  return await account.clock.work(async () => {
    const since = new Date((firstSentAt() ?? account.clock.now()) - 2 * 86_400_000).toISOString().slice(0, 10);
    const [executions, decisions] = await Promise.all([suite.executions(), suite.decisions(since)]);
    const recorded = new Set(decisions.map(({ event }) => event));
    return executions.every(({ status }) => status !== 'RUNNING') && sent.every((ids) => ids.some((id) => recorded.has(id)));
  });
}

/** What waits for an approval, once the newest incident's last execution waits for one; `null` where it went on or ended without. */
export async function waiting(stage: Stage): Promise<Approval | null> {
  const { account, suite } = stage;
  const deadline = account.clock.now() + WAITING_MS;
  for (let polls = 0; account.clock.now() < deadline; polls++) {
    const [view, executions] = await account.clock.work(async () => {
      return [(await stage.watch()).at(-1), await suite.executions()] as const;
    });
    const last = view?.incident.executions.at(-1);
    const approval = view?.approvals.find(({ execution, state }) => execution === last && state === 'waiting');
    if (approval) return approval;
    const status = executions.find(({ name }) => name === last)?.status;
    if (status !== undefined && (status !== 'RUNNING' || view?.ledger.some(({ execution }) => execution === last))) return null;
    await account.clock.sleep(pause(polls, stage));
  }
  return null;
}

const WAITING_MS = 60_000;

/** How often what is on record is read while waiting, ms of sandbox time; after so many looks, less and less often. */
const POLL_MS = 100;
const LONGEST_POLL_MS = 1_800_000;
const PATIENCE = { watching: 100, skipping: 20 } as const;

/** How long to wait before the next look. */
function pause(polls: number, { skips }: Stage): number {
  const patience = skips ? PATIENCE.skipping : PATIENCE.watching;
  return polls < patience ? POLL_MS : Math.min(LONGEST_POLL_MS, POLL_MS * 1.2 ** (polls - patience));
}
