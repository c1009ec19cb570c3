import { readAhead } from '../../aws/ahead.ts';
import { s3Of } from '../../aws/clients.ts';
import { acknowledge, intendAll, named, plannedFor, type ApplyInput } from '../../aws/apply.ts';
import { readBucket, writePolicy, writeSetting, type BucketAddress } from '../../aws/bucket.ts';
import { BusyError, isRefusal, PermissionError } from '../../aws/errors.ts';
import type { Tools } from '../../aws/function.ts';
import { updateIncident } from '../../aws/incidents.ts';
import { beginApply, forgo, hasBegunAlone } from '../../aws/ledger.ts';
import { memberTools } from '../../aws/member.ts';
import { assertMayApply, mayMiss, type Planned } from '../../aws/standing.ts';
import { remaining } from '../../core/apply.ts';
import type { Incident, LedgerEntry } from '../../core/incident.ts';
import { reopenings, settingOf } from '../../core/quarantine/restore.ts';

/** Everything before the first act: what is there is read, judged, and the undo of what is to be done is on record. */
async function readyFor(input: ApplyInput, begun: Promise<boolean>, tools: Tools): Promise<Planned & { readonly intents: readonly LedgerEntry[] }> {
  const reading = plannedFor(tools, input);
  const [planned, state, isFirst] = await Promise.all([reading, readAhead(input.target, reading.then(({ incident }) => incident), async ({ name, account, region }) => await readBucket(memberTools(tools, account, 'contain', input.incident).clients, { bucket: name, account, region }, { mayMiss: mayMiss(tools) })), begun]);
  const { direction, changes, target } = planned.plan;
  await assertMayApply(tools, planned, { reopens: direction === 'restore' ? reopenings(state, changes) : [] }, state.tagging);
  const hidden = changes.find(({ setting }) => state.unread?.some((one) => one === setting));
  if (hidden) throw new PermissionError(`quarantine-bucket-apply: ${hidden.setting} of ${target.name} cannot be read any more, so that nobody knows what would be written over`);
  const open = remaining(changes, (setting) => settingOf(state, setting));
  const others = planned.written.filter(({ seq, reserved, result }) => reserved === true && result === 'intended' && !open.some((change) => change.seq === seq));
  // What the first try finds done somebody else has done: it is no act of this run, and no restore takes it back. Whoever has begun meanwhile may have done it.
  const theirs = isFirst && others.length > 0 && (await hasBegunAlone(tools, input)) ? others : [];
  await Promise.all(theirs.map((entry) => forgo(tools, entry)));
  const written = planned.written.filter((entry) => !theirs.includes(entry));
  return { ...planned, written, intents: await intendAll(tools, { ...planned, written }, open) };
}

/**
 * Writes the undo intent of every change, makes the changes one after the other, and writes what was acknowledged.
 * The workflow's input is not trusted: plan, mode, guard and approvals are read here.
 */
export async function applyQuarantine(input: ApplyInput, tools: Tools): Promise<{ readonly changes: number; readonly acknowledgedAt: string }> {
  const begin = input.direction === 'contain' ? beginApply(tools, input) : null;
  const { incident, plan, written, intents } = await readyFor(input, begin?.isFirst ?? Promise.resolve(false), tools).catch(async (error: unknown) => {
    await begin?.withdraw();
    throw error;
  });
  const address = addressOf(incident);
  const there = memberTools(tools, address.account, 'contain', incident.id);
  const acts = [...written];
  for (const intent of intents) {
    const s3 = s3Of(there.clients);
    const write = intent.setting === 'policy' ? writePolicy(s3, address, intent) : writeSetting(s3, address, intent.setting, intent.after);
    await named(intent, write.catch((error: unknown) => { throw settling(error, intent, acts, tools) ?? error; }));
    acts.unshift({ ...intent, doneAt: tools.now() });
    await acknowledge(tools, intent);
  }
  const acknowledgedAt = tools.now();
  if (plan.direction === 'contain') await updateIncident(tools, incident.id, { containedAt: incident.containedAt ?? acknowledgedAt });
  return { changes: intents.length, acknowledgedAt };
}

function addressOf({ target: { name, account, region } }: Incident): BucketAddress {
  return { bucket: name, account, region };
}

/**
 * For some seconds after `BlockPublicPolicy` was lifted S3 refuses public policies all the same, and says no more than that access is denied. AWS
 * support's advice is to wait.
 * @see https://github.com/env0/templates/pull/258
 */
const LIFT_SETTLES_MS = 30_000;

/** What of a refusal passes by itself; `null` where it does not. */
function settling(error: unknown, { setting, seq }: LedgerEntry, acts: readonly LedgerEntry[], { now }: Tools): BusyError | null {
  if (setting !== 'policy' || !isRefusal(error)) return null;
  const lift = acts.find((act) => act.setting === 'publicAccessBlock' && act.seq < seq);
  if (!lift || Date.parse(now()) - Date.parse(lift.doneAt ?? lift.intendedAt) >= LIFT_SETTLES_MS) return null;
  return new BusyError(`S3 refuses the policy, as it does for some seconds after the block was lifted for it: ${error instanceof Error ? error.message : ''}`, { cause: error });
}
