import { z } from 'zod';
import { defineFunction } from '../../aws/function.ts';
import { archiveExecution } from './archive.ts';
import { sweep } from './sweep.ts';

/**
 * What Step Functions says when an execution's status changes, or what a schedule says: nothing.
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
 */
const input = z.union([
  z.object({ source: z.literal('aws.states'), detail: z.object({ executionArn: z.string().min(1) }) }).transform(({ detail }) => detail.executionArn),
  z.object({ source: z.literal('aws.events') }).transform(() => null),
]);

/** Puts an execution that ended on record, whole; on its schedule, whatever no event told it of. */
export const handler = defineFunction({ name: 'archive', input, run: async (execution, tools) => (execution === null ? await sweep(tools) : await archiveExecution(execution, tools)) });
