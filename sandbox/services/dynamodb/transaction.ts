import { createHash } from 'node:crypto';
import type { DocumentType } from '@smithy/types';
import { AwsError } from '../../service.ts';
import { answer, asAwsError, isRecord, load, text, validated, type Data, type Reply, type Store } from './store.ts';

/** How many actions a transaction has at the most. */
const MOST = 100;
const TOKEN_MS = 600_000;
const ASKED: ReadonlySet<string> = new Set(['TransactItems', 'ClientRequestToken', 'Put', 'TableName', 'Item', 'ConditionExpression', 'ExpressionAttributeNames', 'ExpressionAttributeValues']);

/**
 * `TransactWriteItems` of puts into one table: all of them or none, and no other write of these items in between, since it waits for the same locks that
 * dynalite's own writes take. So nothing here ends in a conflict, as a transaction may on AWS: scenarios script those.
 *
 * @param request - as it is on the wire
 * @param now - ms
 * @throws {AwsError} `TransactionCanceledException` with a reason for each item, in their order
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CancellationReason.html
 */
export async function transact(store: Store, request: Data, now: number): Promise<void> {
  const puts = putsIn(request).map((put) => validated(store, 'PutItem', put));
  const [name = '', ...others] = new Set(puts.map(({ TableName }) => text(TableName)));
  if (others.length > 0) throw unserved('several tables');
  const table = (await answer<Data>((answered) => store.getTable(name, answered))) ?? {};
  const items = puts.map((put) => {
    const item = itemOf(put, table);
    return { put, item, key: dynalite().createKey(item, table) };
  });
  const keys = items.map(({ key }) => key);
  if (new Set(keys).size < keys.length) throw new AwsError('ValidationException', 'Transaction request cannot include multiple operations on one item');
  const db = store.getItemDb(name);
  const release = await new Promise<() => void>((resolve) => db.lock(keys, (releasing) => resolve(releasing(() => undefined))));
  try {
    if (isDone(store, request, now)) return;
    const met = await Promise.all(items.map(async ({ put, key }) => {
      const there = await answer<Data>((answered) => db.get(key, answered));
      return { there, failed: Boolean(dynalite().checkConditional(put, there)) };
    }));
    if (met.some(({ failed }) => failed)) throw cancelled(met.map(({ failed }) => failed));
    // All at once for whoever reads; indices follow, as they do on AWS.
    await answer<void>((answered) => db.batch(items.map(({ key, item }) => ({ type: 'put', key, value: item })), answered));
    await Promise.all(items.map(async ({ item }, index) => await answer<void>((answered) => dynalite().updateIndexes(store, table, met[index]?.there, item, answered))));
    remember(store, request, now);
  } finally {
    release();
  }
}

/** dynalite's own, for what its actions do to one item. */
interface Dynalite {
  validateItem(item: Data, table: Data): unknown;
  createKey(item: Data, table: Data): string;
  /** An error where the condition does not hold. */
  checkConditional(put: Data, there: Data | undefined): unknown;
  updateIndexes(store: Store, table: Data, there: Data | undefined, item: Data, reply: Reply<void>): void;
}

const dynalite = () => load<Dynalite>('db/index.js');

function putsIn(request: Data): readonly Data[] {
  const { TransactItems: acts } = request;
  const count = Array.isArray(acts) ? acts.length : 0;
  if (!Array.isArray(acts) || count < 1 || count > MOST) {
    throw new AwsError('ValidationException', `1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length ${count < 1 ? 'greater than or equal to 1' : `less than or equal to ${MOST}`}`);
  }
  return acts.map((act) => {
    const put = isRecord(act) && isRecord(act['Put']) ? act['Put'] : {};
    const other = [request, act, put].flatMap((part: DocumentType) => (isRecord(part) ? Object.keys(part) : [])).find((key) => !ASKED.has(key));
    if (other !== undefined) throw unserved(other);
    return put;
  });
}

function unserved(what: string): AwsError {
  return new AwsError('NotImplemented', `The sandbox does not serve dynamodb:TransactWriteItems with ${what}`, 501);
}

function itemOf({ Item }: Data, table: Data): Data {
  const item = isRecord(Item) ? Item : {};
  const invalid = dynalite().validateItem(item, table);
  if (invalid) throw asAwsError(invalid);
  return item;
}

/** Whether the same was done under the same token less than ten minutes ago. Asked for under the locks of its items, so that a repeat waits for the first. */
function isDone({ tokens }: Store, request: Data, now: number): boolean {
  const known = tokens.get(text(request['ClientRequestToken']));
  if (known === undefined || known.until <= now) return false;
  if (known.digest !== digestOf(request)) throw new AwsError('IdempotentParameterMismatchException', 'The token was used for another transaction');
  return true;
}

function remember({ tokens }: Store, request: Data, now: number): void {
  const token = text(request['ClientRequestToken']);
  if (token === '') return;
  for (const [old, { until }] of tokens) {
    if (until > now) break;
    tokens.delete(old);
  }
  tokens.set(token, { digest: digestOf(request), until: now + TOKEN_MS });
}

function digestOf({ TransactItems }: Data): string {
  return createHash('sha256').update(JSON.stringify(TransactItems)).digest('hex');
}

function cancelled(failed: readonly boolean[]): AwsError {
  const CancellationReasons = failed.map((is) => (is ? { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed' } : { Code: 'None' }));
  return new AwsError('TransactionCanceledException', `Transaction cancelled, please refer cancellation reasons for specific reasons [${CancellationReasons.map(({ Code }) => Code).join(', ')}]`, 400, { CancellationReasons });
}
