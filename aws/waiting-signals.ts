import { InvokeCommand } from '@aws-sdk/client-lambda';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { lambdaOf } from './clients.ts';
import type { Tools } from './function.ts';
import { putNew, query, type Item, type Table } from './records.ts';

/** One partition: functions may delete in it and nowhere else, and the reconciler finds all of them. */
const WAITING = 'WAITING';
/**
 * An item has 400 KB at the most, names included.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
 */
const MOST_BYTES = 390_000;

/** An event that cannot be decided while something runs on its target. */
export interface WaitingSignal {
  readonly incident: string;
  /** What it asks for, as a digest: of several that ask for the same while one waits, the first stands for all. */
  readonly ask: string;
  /** What triage takes. */
  readonly payload: unknown;
  readonly at: string;
}

/** @returns false where it is too large to be kept */
export async function keepWaiting(table: Table, { incident, ask, payload, at }: WaitingSignal): Promise<boolean> {
  const json = JSON.stringify(payload);
  if (Buffer.byteLength(json) > MOST_BYTES) return false;
  await putNew(table, { pk: WAITING, sk: `${incident}#${ask}`, incident, keptAt: at, json });
  return true;
}

/** @param incident - only those that wait for its run */
export async function waitingSignals(table: Table, incident = ''): Promise<readonly Item[]> {
  return await query(table, WAITING, incident === '' ? '' : `${incident}#`);
}

/** Triage decides them again. A crash in between gives one back twice, which triage takes as any event that is delivered twice. */
export async function giveBack(tools: Tools, kept: readonly Item[]): Promise<void> {
  for (const { pk, sk, json } of kept) {
    await giveToTriage(tools, String(json));
    await tools.clients.dynamo.send(new DeleteCommand({ TableName: tools.settings.STOPBATH_TABLE, Key: { pk, sk } }));
  }
}

/** Once Lambda has accepted an event it tries it three times, and what fails then lies with the undelivered events. */
export async function giveToTriage({ settings, clients }: Tools, payload: string): Promise<void> {
  await lambdaOf(clients).send(new InvokeCommand({ FunctionName: `${settings.STOPBATH_NAME}-triage`, InvocationType: 'Event', Payload: payload }));
}
