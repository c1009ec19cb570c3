import { z } from 'zod';
import { recordDecision } from '../../aws/decisions.ts';
import { defineFunction } from '../../aws/function.ts';
import { digestOf } from '../../core/canonical.ts';
import { plain } from '../../core/text.ts';

/**
 * What Lambda sends on when an asynchronous invocation has failed for good.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 */
const input = z.object({
  requestContext: z.object({ condition: z.string(), functionArn: z.string() }),
  requestPayload: z.unknown(),
  responsePayload: z.object({ errorType: z.string().default('Error'), errorMessage: z.string().default('') }).optional(),
});

/** An event that triage could not decide becomes a recorded decision that names the error; nothing is dropped. */
export const handler = defineFunction({
  name: 'dead-letter',
  input,
  run: async ({ requestContext, requestPayload, responsePayload }, tools) => {
    const at = tools.now();
    const error = responsePayload ? `${responsePayload.errorType}: ${responsePayload.errorMessage}` : requestContext.condition;
    tools.log.error('an event could not be decided', { error });
    await recordDecision(tools, {
      event: idOf(requestPayload),
      source: 'unknown',
      type: 'undecided',
      decision: 'rejected',
      reason: `triage failed for good: ${plain(error, 1024)}`,
      targets: [],
      incidents: [],
      suppressedBy: null,
      receivedAt: at,
      decidedAt: at,
      drill: false,
    });
  },
});

function idOf(event: unknown): string {
  if (typeof event === 'object' && event !== null && 'id' in event && typeof event.id === 'string') return plain(event.id);
  return `sha256:${digestOf(event ?? null)}`;
}
