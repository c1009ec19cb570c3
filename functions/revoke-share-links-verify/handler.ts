import { z } from 'zod';
import { defineFunction } from '../../aws/function.ts';
import { lookAtRevocation } from './look.ts';

const input = z.strictObject({
  incident: z.string().min(1),
  direction: z.enum(['contain', 'restore']),
  execution: z.string().min(1),
  /** Good looks in a row, and looks at all, so far. */
  streak: z.number().int().nonnegative(),
  looks: z.number().int().nonnegative(),
});
export type LookInput = z.infer<typeof input>;

/** One look from outside and at the tables; the workflow waits between looks. */
export const handler = defineFunction({ name: 'revoke-share-links-verify', input, run: lookAtRevocation });
