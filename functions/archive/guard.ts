import { putEvidence } from '../../aws/evidence.ts';
import type { Tools } from '../../aws/function.ts';
import { contentOf, put, query } from '../../aws/records.ts';
import { digestOf } from '../../core/canonical.ts';

/**
 * Puts on record who paused, resumed and suppressed, and each change of that: all of the guard's items but the present position of the
 * switch, which each throw tells. What of it is on record stands with the archive's own items: the guard's are people's, and this writes none of them.
 *
 * @returns how many
 */
export async function keepGuard(tools: Tools): Promise<number> {
  const [items, kept] = await Promise.all([query(tools, 'GUARD'), query(tools, 'SWEEP', KEPT)]);
  const states = new Map(kept.map(({ sk, state }) => [sk, state]));
  let count = 0;
  for (const item of items) {
    const [sk, body] = [item.sk, contentOf(item)];
    const state = digestOf(body);
    if (sk === 'SWITCH' || states.get(KEPT + sk) === state) continue;
    count++;
    const id = `${sk.replaceAll(/[^A-Za-z0-9._-]+/g, '-').slice(0, 200)}/${state.slice(0, 16)}`;
    await putEvidence(tools, { kind: 'guard', id, incident: null, at: tools.now(), drill: false, body });
    await put(tools, { pk: 'SWEEP', sk: KEPT + sk, state });
  }
  return count;
}

const KEPT = 'GUARD#';
