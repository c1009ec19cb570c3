import { z } from 'zod';
import { defineFunction } from '../../aws/function.ts';
import { IDLE_ENDINGS } from '../../core/outcome.ts';
import { recordOutcome } from './record.ts';

const input = z.strictObject({
  incident: z.string().min(1),
  direction: z.enum(['contain', 'restore']),
  execution: z.string().min(1),
  status: z.enum(IDLE_ENDINGS).nullable(),
  reason: z.string().nullable(),
  verdict: z.enum(['verified', 'pending', 'unverified']).nullable(),
  /** As Step Functions gives them to a Catch. */
  error: z.object({ Error: z.string().default('States.Unknown'), Cause: z.string().default('') }).nullable(),
});
export type RecordInput = z.infer<typeof input>;

/** The last step of every execution, however it went: what became of the incident, on record. */
export const handler = defineFunction({ name: 'record', input, run: recordOutcome });
