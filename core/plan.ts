import { z } from 'zod';
import { digestOf } from './canonical.ts';
import type { Plan } from './incident.ts';

/**
 * A plan with its digest. The digest covers what will be done to whom (playbook, direction, target, level, changes)
 * and nothing that moves by itself: two plans of the same state have the same digest.
 */
export function withDigest(plan: Omit<Plan, 'digest'>): Plan {
  const { playbook, direction, target, level, changes } = plan;
  return { ...plan, digest: digestOf({ playbook, direction, target, level, changes }) };
}

/** A plan with more of its impact, which is not in the digest. */
export function withImpact(plan: Plan, more: Plan['impact'] = {}): Plan {
  return { ...plan, impact: { ...plan.impact, ...more } };
}

/**
 * What is recorded with owners by their pseudonyms: each plan in it whose text is thereby another than the approved one gets a
 * `recordedDigest`, over what the record says, beside the `digest` that was approved.
 */
export function withRecordedDigests(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withRecordedDigests);
  if (typeof value !== 'object' || value === null) return value;
  const own = planDigestOf(value);
  if (own !== null && own !== Reflect.get(value, 'digest')) return { ...value, recordedDigest: own };
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, withRecordedDigests(entry)]));
}

/** Whether a plan, as it is on record, says what its digest is over; true of what is no plan. */
export function recordHolds(plan: unknown): boolean {
  const own = planDigestOf(plan);
  return own === null || own === (Reflect.get(Object(plan), 'recordedDigest') ?? Reflect.get(Object(plan), 'digest'));
}

/** The digest over what is there; `null` where it is no plan. */
function planDigestOf(value: unknown): string | null {
  const read = planShape.safeParse(value);
  return read.success ? digestOf(read.data) : null;
}

const planShape = z.object({ playbook: z.string(), direction: z.string(), target: z.record(z.string(), z.json()), level: z.json(), changes: z.array(z.json()) });

/** The plan's changes are no longer what its digest says. */
export class DigestMismatchError extends Error {
  override readonly name = 'DigestMismatchError';
}

/** @throws {DigestMismatchError} where a stored plan was altered */
export function checkDigest(plan: Plan): Plan {
  const { digest } = withDigest(plan);
  if (digest !== plan.digest) throw new DigestMismatchError(`plan ${plan.digest} of ${plan.incident} has the content of ${digest}: plan again`);
  return plan;
}
