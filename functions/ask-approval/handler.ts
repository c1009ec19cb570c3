import { z } from 'zod';
import { defineFunction } from '../../aws/function.ts';
import { GATES } from '../../core/approval.ts';
import { askApproval } from './ask.ts';

const gate = z.enum(GATES);
const input = z.strictObject({
  incident: z.string().min(1),
  direction: z.enum(['contain', 'restore']),
  execution: z.string().min(1),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  // JSONata makes a text of a list with one item.
  gates: z.union([gate.transform((one) => [one]), z.array(gate).min(1)]),
  reason: z.string().min(1),
  /** The execution's: a secret, which is kept and never said. */
  token: z.string().min(1),
});
export type AskInput = z.infer<typeof input>;

/** Asks for an approval of exactly one plan; the workflow waits for the answer. */
export const handler = defineFunction({ name: 'ask-approval', input, run: askApproval });
