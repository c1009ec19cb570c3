import { applyInput } from '../../aws/apply.ts';
import { defineFunction } from '../../aws/function.ts';
import { applyRevocation } from './apply.ts';

/** Does the plan with this digest as far as it goes without the sweep; called again until nothing is left. */
export const handler = defineFunction({ name: 'revoke-share-links-apply', input: applyInput, run: applyRevocation });
