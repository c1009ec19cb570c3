import { InvokeCommand } from '@aws-sdk/client-lambda';
import { DeleteMessageCommand, ReceiveMessageCommand, type Message } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import { lambdaOf, sqsOf } from '../../aws/clients.ts';
import type { Tools } from '../../aws/function.ts';
import { httpAnswer, type HttpAnswer } from '../../aws/http.ts';

/** A minute's worth: a responder who is told that there is more asks again. */
const MOST = 100;

/** Functions that a single event matters to. What runs on a schedule has run again since. */
const AGAIN: ReadonlySet<string> = new Set(['triage', 'archive']);

/**
 * Sends again what lies in the queue of undelivered events: 202 `{ sent, dropped, more }`. A message goes only when its function has taken
 * it; triage's ids make it harmless where it had arrived before.
 */
export async function redriveEvents({ reason }: { readonly reason: string }, by: string, tools: Tools): Promise<HttpAnswer> {
  const QueueUrl = tools.settings.STOPBATH_EVENT_QUEUE;
  if (QueueUrl === null) return httpAnswer(409, { error: 'there is no queue of undelivered events: STOPBATH_EVENT_QUEUE is not set' });
  const [sent, dropped]: [string[], string[]] = [[], []];
  tools.log.info('undelivered events are sent again', { by, reason });
  for (let received = 0; received < MOST; ) {
    // Long polling asks all of the queue's servers: without it a queue with messages may look empty.
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
    const { Messages = [] } = await sqsOf(tools.clients).send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 2, MessageAttributeNames: ['All'] }));
    if (Messages.length === 0) return httpAnswer(202, { sent, dropped, more: false });
    received += Messages.length;
    for (const message of Messages) {
      const { name, event } = undelivered(message);
      // Whoever may write to the queue could have triage take anything for a drill, which acts on samples and replays: a drill is played again by hand.
      if (isDrill(event)) dropped.push(`a drill of ${name}`);
      else if (AGAIN.has(name.replace(`${tools.settings.STOPBATH_NAME}-`, ''))) {
        await lambdaOf(tools.clients).send(new InvokeCommand({ FunctionName: name, InvocationType: 'Event', Payload: event }));
        sent.push(name);
      } else dropped.push(name);
      await sqsOf(tools.clients).send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
    }
  }
  return httpAnswer(202, { sent, dropped, more: true });
}

/** What Lambda says of an invocation that failed for good. */
const failure = z.object({ requestContext: z.object({ functionArn: z.string() }), requestPayload: z.unknown() });

/**
 * An event that EventBridge gave up on, with its target beside it; or an invocation that failed, with its event inside.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
 */
function undelivered({ Body = '', MessageAttributes = {} }: Message): { readonly name: string; readonly event: string } {
  const target = MessageAttributes['TARGET_ARN']?.StringValue;
  if (target !== undefined) return { name: functionIn(target), event: Body };
  const read = failure.safeParse(jsonOf(Body));
  if (!read.success) return { name: 'unknown', event: Body };
  return { name: functionIn(read.data.requestContext.functionArn), event: JSON.stringify(read.data.requestPayload) };
}

/** `arn:aws:lambda:us-east-1:111122223333:function:stopbath-prod-triage:$LATEST` → `stopbath-prod-triage`, which decides for triage-urgent too */
function functionIn(arn: string): string {
  return (arn.split(':')[6] ?? arn).replace(/-triage-urgent$/, '-triage');
}

function isDrill(event: string): boolean {
  const read = jsonOf(event);
  return typeof read === 'object' && read !== null && 'drill' in read;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
