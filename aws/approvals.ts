import { SendTaskFailureCommand, SendTaskSuccessCommand } from '@aws-sdk/client-sfn';
import { sfnOf } from './clients.ts';
import { vote, type Approval, type Ballot, type People, type Refusal } from '../core/approval.ts';
import { codeOf } from './errors.ts';
import type { Tools } from './function.ts';
import { partitionOf } from './partitions.ts';
import { get, put, putIf, putNew, query, type Item, type Table } from './records.ts';

type Key = Pick<Approval, 'incident' | 'execution' | 'digest' | 'gates'>;

/** @returns false where the same was asked for before (a retry): that request stays, with its votes */
export async function saveApproval(table: Table, approval: Approval): Promise<boolean> {
  return await putNew(table, { ...keyOf(approval), version: 1, json: JSON.stringify(approval) });
}

export async function readApproval(table: Table, key: Key): Promise<Approval | null> {
  const { pk, sk } = keyOf(key);
  const item = await get(table, pk, sk);
  return item ? approvalOf(item) : null;
}

/** By time. */
export async function approvalsOf(table: Table, incident: string): Promise<readonly Approval[]> {
  return (await query(table, partitionOf('APPROVAL', incident), PREFIX)).map(approvalOf).toSorted((a, b) => a.requestedAt.localeCompare(b.requestedAt));
}

/** Tries against others who vote at the same moment. */
const TRIES = 5;

/**
 * Casts a vote: one conditional write, so that of two votes at once one is judged after the other.
 *
 * @param latest - the incident's latest execution
 */
export async function cast(table: Table, key: Key, ballot: Ballot, people: People, latest: string): Promise<{ readonly approval: Approval } | { readonly refused: Refusal; readonly approval: Approval }> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const { item, approval } = await mustRead(table, key);
    const result = vote(approval, ballot, people, latest);
    if ('refused' in result) return { ...result, approval };
    if (await replace(table, item, result.approval)) return result;
  }
  throw new Error(`the approval of ${key.execution} is being changed by too many at once: try again`);
}

/**
 * Says that nobody decided in time. An approval that was given and never reached its execution ends too: nothing was done,
 * and it must not be of use later.
 */
export async function expire(table: Table, approval: Approval, at: string): Promise<Approval> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const { item, approval: present } = await mustRead(table, approval);
    if (present.state === 'rejected' || present.state === 'expired') return present;
    const expired: Approval = { ...present, state: 'expired', endedAt: at };
    if (await replace(table, item, expired)) return expired;
  }
  throw new Error(`the approval of ${approval.execution} is being changed by too many at once`);
}

/**
 * Keeps the token by which the execution goes on: a secret, in a partition of its own that no view of an incident reads.
 * It grants nothing by itself: `apply` reads the approval.
 */
export async function saveToken(table: Table, key: Key, token: string): Promise<void> {
  await put(table, { pk: partitionOf('TOKEN', key.incident), sk: keyOf(key).sk, token });
}

/**
 * Tells the execution how it was decided. Telling it again, or telling one that has ended, changes nothing.
 *
 * @returns false where the execution does not wait any more
 * @see https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html (TaskTimedOut, TaskDoesNotExist)
 */
export async function tell(tools: Pick<Tools, 'settings' | 'clients'>, approval: Approval): Promise<boolean> {
  const item = await get(tools, partitionOf('TOKEN', approval.incident), keyOf(approval).sk);
  if (!item) return false;
  const taskToken = String(item['token']);
  try {
    if (approval.state === 'approved') await sfnOf(tools.clients).send(new SendTaskSuccessCommand({ taskToken, output: JSON.stringify({ approved: approval.digest }) }));
    else await sfnOf(tools.clients).send(new SendTaskFailureCommand({ taskToken, error: REJECTED, cause: rejection(approval) }));
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'TaskTimedOut' || code === 'TaskDoesNotExist') return false;
    throw error;
  }
}

/** What the workflows catch where somebody said no. */
export const REJECTED = 'ApprovalRejectedError';
const PREFIX = 'APPROVAL#';

function rejection({ votes }: Approval): string {
  const no = votes.find(({ word }) => word === 'reject');
  return `rejected by ${no?.by ?? 'nobody'}: ${no?.reason ?? 'no reason given'}`;
}

function keyOf({ incident, execution, digest, gates }: Key): { readonly pk: string; readonly sk: string } {
  return { pk: partitionOf('APPROVAL', incident), sk: `${PREFIX}${execution}#${digest.slice(0, 16)}#${gates.toSorted().join('+')}` };
}

async function mustRead(table: Table, key: Key): Promise<{ readonly item: Item; readonly approval: Approval }> {
  const { pk, sk } = keyOf(key);
  const item = await get(table, pk, sk);
  if (!item) throw new Error(`there is no request for an approval of ${key.execution}`);
  return { item, approval: approvalOf(item) };
}

async function replace(table: Table, item: Item, approval: Approval): Promise<boolean> {
  const version = Number(item['version']);
  return await putIf(table, { pk: item.pk, sk: item.sk, version: version + 1, json: JSON.stringify(approval) }, { expression: 'version = :version', values: { ':version': version } });
}

// Only the roles of who asks, who votes and who ends a request write this partition.
export function approvalOf(item: Item): Approval {
  return JSON.parse(String(item['json'])) as Approval;
}
