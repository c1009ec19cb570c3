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
