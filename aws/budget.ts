import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { takeAll, type BudgetRules, type Taken } from '../core/budget.ts';
import { get, SCHEMA_VERSION, succeeded, type Table } from './records.ts';

/** All budgets are one item: what one of them refuses is taken from none, in one conditional write. Apart from the rest of the guard, which only people write. */
const KEY = { pk: 'BUDGETS', sk: 'TAKEN' };
const stored = z.array(z.object({ incident: z.string(), account: z.string(), at: z.string(), links: z.number() }));
/**
 * Tries against others who take at the same moment. Each that fails is a take of somebody else's, and of these a usual budget has no more:
 * after that there is none left, and whoever asks is refused for that reason. In a flood the share that is kept for critical incidents is reached so.
 */
const TRIES = 64;

/** What was taken, as it was read. */
export interface Takes {
  readonly taken: readonly Taken[];
  /** 0 where nobody ever took. */
  readonly version: number;
}

export async function readTakes(table: Table): Promise<Takes> {
  const item = await get(table, KEY.pk, KEY.sk);
  return { taken: stored.parse(item?.['takes'] ?? []), version: Number(item?.['version'] ?? 0) };
}

/**
 * Takes from each budget that a containment counts against, or from none. Fails closed.
 *
 * @param seen - what was just read; another try reads again
 * @returns why there is none left, in one sentence; `null` where it may go on
 */
export async function takeBudgets(table: Table, wanted: Taken & { readonly severity: number }, rules: BudgetRules, seen?: Takes): Promise<string | null> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const { taken, version } = attempt === 0 && seen ? seen : await readTakes(table);
    const result = takeAll(taken, wanted, rules);
    if ('refused' in result) return result.refused;
    if (result.takes === null) return null;
    const written = await succeeded(
      table.clients.dynamo.send(
        new UpdateCommand({
          TableName: table.settings.STOPBATH_TABLE,
          Key: KEY,
          UpdateExpression: 'SET takes = :takes, version = :next, schemaVersion = :schema',
          ConditionExpression: version === 0 ? 'attribute_not_exists(pk)' : 'version = :version',
          ExpressionAttributeValues: { ':takes': result.takes, ':next': version + 1, ':schema': SCHEMA_VERSION, ...(version === 0 ? {} : { ':version': version }) },
        }),
      ),
    );
    if (written) return null;
  }
  return 'the budgets are being taken by too many at once, so nothing is changed: a responder decides';
}
