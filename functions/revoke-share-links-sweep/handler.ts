import { z } from 'zod';
import { defineFunction } from '../../aws/function.ts';
import { sweepLinks } from './sweep.ts';

const input = z.strictObject({
  incident: z.string().min(1),
  execution: z.string().min(1),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  /** Which part of the sweep, counted from 0. */
  part: z.number().int().nonnegative(),
});
export type SweepInput = z.infer<typeof input>;

/** Works on one part of a sweep for as long as an invocation may take; the workflow calls again while there is more. */
export const handler = defineFunction({ name: 'revoke-share-links-sweep', input, run: sweepLinks });
