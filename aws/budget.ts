import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { leftOf, take, type BudgetLeft, type BudgetRule } from '../core/budget.ts';
import { get, succeeded, type Table } from './records.ts';

const stored = z.array(z.object({ incident: z.string(), at: z.string(), amount: z.number().optional() }));
/** Tries against others who take at the same moment; more contention than that is a flood, and a flood is held. */
const TRIES = 8;

/**
 * Takes from each budget that a containment counts against, its account's and everybody's. Fails closed.
 *
 * @returns why there is none left, in one sentence; `null` where it may go on
 */
export async function takeBudgets(
  table: Table,
  wanted: { readonly incident: string; readonly account: string; readonly severity: number; readonly at: string; readonly amount?: number },
  rules: { readonly account: BudgetRule; readonly all: BudgetRule },
): Promise<string | null> {
  const counts = rules.all.of === undefined ? '' : `${rules.all.of.toUpperCase()}#`;
  // One after the other: what its own account refuses must not use up everybody's.
  return (await takeOne(table, `${counts}ACCOUNT#${wanted.account}`, wanted, rules.account)) ?? (await takeOne(table, `${counts}ALL`, wanted, rules.all));
}

/** What a containment would find, its account's and everybody's; takes nothing. */
export async function readBudgets(
  table: Table,
  wanted: { readonly incident: string; readonly account: string; readonly severity: number; readonly at: string; readonly amount?: number },
  rules: { readonly account: BudgetRule; readonly all: BudgetRule },
): Promise<{ readonly account: BudgetLeft; readonly all: BudgetLeft }> {
  const counts = rules.all.of === undefined ? '' : `${rules.all.of.toUpperCase()}#`;
  const left = async (scope: string, rule: BudgetRule) => leftOf(stored.parse((await get(table, 'GUARD', `BUDGET#${scope}`))?.['takes'] ?? []), wanted, rule);
  const [account, all] = await Promise.all([left(`${counts}ACCOUNT#${wanted.account}`, rules.account), left(`${counts}ALL`, rules.all)]);
  return { account, all };
}

async function takeOne(table: Table, scope: string, wanted: { readonly incident: string; readonly severity: number; readonly at: string; readonly amount?: number }, rule: BudgetRule): Promise<string | null> {
  const sk = `BUDGET#${scope}`;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const item = await get(table, 'GUARD', sk);
    const version = Number(item?.['version'] ?? 0);
    const result = take(stored.parse(item?.['takes'] ?? []), wanted, rule);
    if ('refused' in result) return result.refused;
    const written = await succeeded(
      table.clients.dynamo.send(
        new UpdateCommand({
          TableName: table.settings.STOPBATH_TABLE,
          Key: { pk: 'GUARD', sk },
          UpdateExpression: 'SET takes = :takes, version = :next',
          ConditionExpression: item ? 'version = :version' : 'attribute_not_exists(pk)',
          ExpressionAttributeValues: { ':takes': result.takes, ':next': version + 1, ...(item ? { ':version': version } : {}) },
        }),
      ),
    );
    if (written) return null;
  }
  return `the budget ${scope} is being taken by too many at once, so nothing is changed: a responder decides`;
}
