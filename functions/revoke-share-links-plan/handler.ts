import { defineFunction } from '../../aws/function.ts';
import { planInput } from '../../aws/planning.ts';
import { planRevocation } from './plan.ts';

/** Surveys the links of a scope and plans; changes nothing, and has no permission to. */
export const handler = defineFunction({ name: 'revoke-share-links-plan', input: planInput, run: planRevocation });
