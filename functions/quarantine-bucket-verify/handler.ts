import { z } from 'zod';
import { defineFunction } from '../../aws/function.ts';
import { lookAtQuarantine } from './look.ts';

const input = z.strictObject({
  incident: z.string().min(1),
  direction: z.enum(['contain', 'restore']),
  execution: z.string().min(1),
  /** Good looks in a row, and looks at all, so far. */
  streak: z.number().int().nonnegative(),
  looks: z.number().int().nonnegative(),
});

/** One look from outside and at the state; the workflow waits between looks. */
export const handler = defineFunction({ name: 'quarantine-bucket-verify', input, run: lookAtQuarantine });
