import { z } from 'zod';

/** What every `verify` gets from its workflow, which waits between looks. */
export const lookInput = z.strictObject({
  incident: z.string().min(1),
  direction: z.enum(['contain', 'restore']),
  execution: z.string().min(1),
  /** Good looks in a row, and looks at all, so far. */
  streak: z.number().int().nonnegative(),
  looks: z.number().int().nonnegative(),
});
export type LookInput = Readonly<z.infer<typeof lookInput>>;
