import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { RECORD_KINDS } from '../core/evidence.ts';
import type { SealEntry, WaitingRecord } from '../core/seal-gaps.ts';
import { announcedBy } from './partitions.ts';
import type { Table } from './records.ts';

// What the sealer books in the table (aws/seals.ts); only it writes these.
const seal = z.object({ number: z.number(), key: z.string(), sha256: z.string(), at: z.string(), from: z.string().nullable(), due: z.string(), count: z.number(), lost: z.number().default(0) });
const waiting = z.object({ sk: z.string(), at: z.string() });

/**
 * The seals that there are, oldest first.
 *
 * @param after - the number of the last seal of the page before
 */
export async function readSealEntries(table: Table, since: string, limit: number, after: number): Promise<{ readonly seals: readonly SealEntry[]; readonly next: number | null }> {
  const page = await table.clients.dynamo.send(
    new QueryCommand({
      TableName: table.settings.STOPBATH_TABLE,
      KeyConditionExpression: 'pk = :pk AND sk > :after',
      FilterExpression: '#at >= :since',
      ExpressionAttributeNames: { '#at': 'at' },
      ExpressionAttributeValues: { ':pk': 'SEALS', ':after': `SEAL#${String(after).padStart(10, '0')}`, ':since': since },
      Limit: limit,
    }),
  );
  const last = page.LastEvaluatedKey?.['sk'];
  return { seals: (page.Items ?? []).filter((item) => String(item['sk']).startsWith('SEAL#')).map((item) => seal.parse(item)), next: last === undefined ? null : Number(String(last).slice('SEAL#'.length)) };
}

/** Records that were announced and that no seal covers yet: of each kind the first keys, as many as one read gives. */
export async function readWaiting(table: Table): Promise<readonly WaitingRecord[]> {
  const pages = await Promise.all(
    RECORD_KINDS.map(async (kind) => await table.clients.dynamo.send(new QueryCommand({ TableName: table.settings.STOPBATH_TABLE, ...announcedBy(kind), ProjectionExpression: 'sk, #at', ExpressionAttributeNames: { '#at': 'at' } }))),
  );
  return pages.flatMap(({ Items = [] }) => Items).map((item) => {
    const { sk, at } = waiting.parse(item);
    return { key: sk, at };
  });
}
