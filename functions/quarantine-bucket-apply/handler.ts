import { z } from 'zod';
import { defineFunction } from '../../aws/function.ts';
import { applyQuarantine } from './apply.ts';

const input = z.strictObject({
  incident: z.string().min(1),
  direction: z.enum(['contain', 'restore']),
  execution: z.string().min(1),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
});

/** Does exactly the plan with this digest, or nothing. */
export const handler = defineFunction({ name: 'quarantine-bucket-apply', input, run: applyQuarantine });
