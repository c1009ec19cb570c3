import { z } from 'zod';
import { defineFunction } from '../../aws/function.ts';
import { reconcile } from './reconcile.ts';

/** On a schedule: asks GuardDuty and CloudTrail what happened, and gives triage what it has not seen. */
export const handler = defineFunction({ name: 'reconcile', input: z.unknown(), run: async (_, tools) => await reconcile(tools) });
