import { defineFunction } from '../../aws/function.ts';
import { planInput } from '../../aws/planning.ts';
import { planContainment } from './plan.ts';

/** Reads a principal and what uses it, and plans; changes nothing, and has no permission to. */
export const handler = defineFunction({ name: 'contain-principal-plan', input: planInput, run: planContainment });
