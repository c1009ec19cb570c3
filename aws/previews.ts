import type { Plan } from '../core/incident.ts';
import { checkDigest } from '../core/plan.ts';
import { get, packed, put, unpacked, type Table } from './records.ts';

/** That somebody asked to see a plan, and what they saw. */
export interface SeenPlan {
  readonly plan: Plan;
  readonly by: string;
  readonly at: string;
}

/** Keeps a plan by its digest; the last who saw it stands there. */
export async function saveSeen(table: Table, seen: SeenPlan): Promise<void> {
  await put(table, { pk: `SEEN#${seen.plan.digest}`, sk: 'PLAN', ...packed(seen) });
}

/** @throws {DigestMismatchError} where what is stored is not what the digest says */
export async function readSeen(table: Table, digest: string): Promise<SeenPlan | null> {
  const item = await get(table, `SEEN#${digest}`, 'PLAN');
  if (!item) return null;
  const seen = JSON.parse(unpacked(item)) as SeenPlan;
  checkDigest(seen.plan);
  return seen;
}
