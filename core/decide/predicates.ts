import type { Predicate } from './answer.ts';
import type { PredicateName } from './names.ts';
import { defence } from './defence.ts';
import { exposure } from './exposed.ts';
import { identity } from './identity.ts';
import { resources } from './touched.ts';

/** All predicates that a trigger may name. */
export const PREDICATES: Readonly<Record<PredicateName, Predicate>> = { ...exposure, ...defence, ...resources, ...identity };
