import { z } from 'zod';
import { defineFunction } from '../../aws/function.ts';
import { planQuarantine } from './plan.ts';

/** What the workflow says: which incident, and which way. All else is read from the table. */
const input = z.strictObject({ incident: z.string().min(1), direction: z.enum(['contain', 'restore']), execution: z.string().min(1) });

/** Reads the bucket and plans; changes nothing, and has no permission to. */
export const handler = defineFunction({ name: 'quarantine-bucket-plan', input, run: planQuarantine });
