import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import { sqsOf } from '../../aws/clients.ts';
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

/**
 * What a function could not do goes to the queue of undelivered events, from where `stopbath redrive events` sends it again; an event that
 * triage could not decide becomes a recorded decision that names the error. Nothing is dropped.
 */
export const handler = defineFunction({
  name: 'dead-letter',
  input,
  run: async (failure, tools) => {
    const { requestContext, requestPayload, responsePayload } = failure;
    const at = tools.now();
    const error = responsePayload ? `${responsePayload.errorType}: ${responsePayload.errorMessage}` : requestContext.condition;
    tools.log.error('an invocation failed for good', { function: requestContext.functionArn, error });
    const QueueUrl = tools.settings.STOPBATH_EVENT_QUEUE ?? undefined;
    // Both, whichever fails: the retry does both again.
    const [sent, recorded] = await Promise.allSettled([
      sqsOf(tools.clients).send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(failure) })),
      requestContext.functionArn.includes(`:function:${tools.settings.STOPBATH_NAME}-triage`)
        ? recordDecision(tools, {
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
          })
        : Promise.resolve(),
    ]);
    for (const done of [sent, recorded]) if (done.status === 'rejected') throw done.reason;
  },
});

function idOf(event: unknown): string {
  if (typeof event === 'object' && event !== null && 'id' in event && typeof event.id === 'string') return plain(event.id);
  return `sha256:${digestOf(event ?? null)}`;
}
