import { z } from 'zod';
import { defineFunction } from '../../aws/function.ts';
import { applyRevocation } from './apply.ts';

const input = z.strictObject({
  incident: z.string().min(1),
  direction: z.enum(['contain', 'restore']),
  execution: z.string().min(1),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
});

/** Does the plan with this digest as far as it goes without the sweep; called again until nothing is left. */
export const handler = defineFunction({ name: 'revoke-share-links-apply', input, run: applyRevocation });
