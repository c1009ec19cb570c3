import type { Facts } from './facts.ts';
import type { Target } from '../incident.ts';

/** What a predicate says of a target: whether it holds, why in words, and for which targets in its stead. */
export interface Answer {
  readonly holds: boolean;
  /** One clause for a responder; empty where the trigger's own sentence says it all. Hostile text is made plain. */
  readonly because: string;
  /** The buckets that an account stands for, where they are known. */
  readonly instead?: readonly Target[];
}

export type Predicate = (facts: Facts, target: Target) => Answer;

export const no: Answer = { holds: false, because: '' };

export function holds(condition: boolean, because = ''): Answer {
  return { holds: condition, because: condition ? because : '' };
}
