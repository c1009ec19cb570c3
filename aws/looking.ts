import { z } from 'zod';

/** What every `verify` gets from its workflow, which waits between looks. */
export const lookInput = z.strictObject({
  incident: z.string().min(1),
  direction: z.enum(['contain', 'restore']),
  execution: z.string().min(1),
  /** Good looks in a row, and looks at all, so far. */
  streak: z.number().int().nonnegative(),
  looks: z.number().int().nonnegative(),
  /** What of the plan's impact its plan function knew only when the plan was kept. It is shown, and nothing is decided by it but what an outsider is to get after a restore. */
  impact: z.object({ anonymousBefore: z.string(), objects: z.string(), links: z.string(), liveLinks: z.string(), albums: z.string(), owners: z.string() }).partial().nullish(),
});
export type LookInput = Readonly<z.infer<typeof lookInput>>;
