import { putEvidence } from '../../aws/evidence.ts';
import type { Tools } from '../../aws/function.ts';
import { contentOf, query, update, type Item } from '../../aws/records.ts';
import { digestOf } from '../../core/canonical.ts';

/**
 * Puts on record who paused, resumed and suppressed, and each change of that: all of the guard's items but the budgets, which count,
 * and the present position of the switch, which each throw tells.
 *
 * @returns how many
 */
export async function keepGuard(tools: Tools): Promise<number> {
  const items = (await query(tools, 'GUARD')).filter(({ sk }) => sk !== 'SWITCH' && !sk.startsWith('BUDGET#'));
  const open = items.map((item) => ({ item, state: digestOf(stateOf(item)) })).filter(({ item, state }) => item['archived'] !== state);
  for (const { item, state } of open) {
    const id = `${item.sk.replaceAll(/[^A-Za-z0-9._-]+/g, '-').slice(0, 200)}/${state.slice(0, 16)}`;
    await putEvidence(tools, { kind: 'guard', id, incident: null, at: tools.now(), drill: false, body: stateOf(item) });
    await update(tools, { pk: item.pk, sk: item.sk }, { archived: state });
  }
  return open.length;
}

/** Without the mark that says what of it is on record. */
function stateOf(item: Item): Readonly<Record<string, unknown>> {
  const { archived: _, ...content } = contentOf(item);
  return content;
}
