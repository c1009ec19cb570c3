import { applyInput } from '../../aws/apply.ts';
import { defineFunction } from '../../aws/function.ts';
import { applyQuarantine } from './apply.ts';

/** Does exactly the plan with this digest, or nothing. */
export const handler = defineFunction({ name: 'quarantine-bucket-apply', input: applyInput, run: applyQuarantine });
