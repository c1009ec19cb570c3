import { applyInput } from '../../aws/apply.ts';
import { defineFunction } from '../../aws/function.ts';
import { applyContainment } from './apply.ts';

/** Does exactly the plan with this digest, or nothing. */
export const handler = defineFunction({ name: 'contain-principal-apply', input: applyInput, run: applyContainment });
