import type { GuardState } from '../core/guard.ts';
import { get, put, putNew, type Table } from './records.ts';

/** Reads the kill switch. A read that fails is a state too (`unreadable`), never an exception: the guard fails closed. */
export async function readGuard(table: Table): Promise<GuardState> {
  try {
    const item = await get(table, 'GUARD', 'SWITCH');
    if (item?.['paused'] !== true) return { paused: null };
    return { paused: { by: String(item['by']), at: String(item['at']), reason: String(item['reason']) } };
  } catch (error) {
    return { unreadable: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}

export interface Switch {
  readonly paused: boolean;
  readonly by: string;
  readonly at: string;
  readonly reason: string;
}

/** Throws the kill switch; each throw stays on record beside the present position. */
export async function writeSwitch(table: Table, position: Switch): Promise<void> {
  await Promise.all([put(table, { pk: 'GUARD', sk: 'SWITCH', ...position }), putNew(table, { pk: 'GUARD', sk: `SWITCHED#${position.at}`, ...position })]);
}
