import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { randomUUID } from 'node:crypto';
import { sqsOf } from '../../aws/clients.ts';
import { startTicket } from '../../aws/executions.ts';
import type { Tools } from '../../aws/function.ts';
import { httpAnswer, type HttpAnswer } from '../../aws/http.ts';
import { addEntry, getIncident, NoSuchIncidentError } from '../../aws/incidents.ts';
import { freeTickets } from '../../aws/tickets.ts';

/** Brings an incident's tickets up to date now, whatever they waited for: 202 `{ incident, execution }`. */
export async function sendAgain({ incident, reason }: { readonly incident: string; readonly reason: string }, by: string, tools: Tools): Promise<HttpAnswer> {
  await getIncident(tools, incident);
  const execution = await resend(incident, reason, by, tools);
  return httpAnswer(202, { incident, execution });
}

/** A minute's worth: a responder who is told that there is more asks again. */
const MOST = 100;

/**
 * Sends again what lies in the dead-letter queue: 202 `{ incidents, more }`. A message goes only when its ticket's execution has
 * started; one whose incident nobody knows goes too, and is named in the log.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
 */
export async function redrive({ reason }: { readonly reason: string }, by: string, tools: Tools): Promise<HttpAnswer> {
  const QueueUrl = tools.settings.STOPBATH_TICKET_QUEUE;
  if (QueueUrl === null) return httpAnswer(409, { error: 'there is no queue of undelivered tickets: STOPBATH_TICKET_QUEUE is not set' });
  const incidents = new Set<string>();
  for (let received = 0; received < MOST; ) {
    // Without waiting, SQS asks only some of its servers, and says that there is nothing where there is.
    const { Messages = [] } = await sqsOf(tools.clients).send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 2 }));
    if (Messages.length === 0) return httpAnswer(202, { incidents: [...incidents], more: false });
    received += Messages.length;
    for (const { Body = '', ReceiptHandle } of Messages) {
      const incident = incidentIn(Body);
      try {
        if (!incidents.has(incident)) {
          await getIncident(tools, incident);
          await resend(incident, reason, by, tools);
        }
        incidents.add(incident);
      } catch (error) {
        if (!(error instanceof NoSuchIncidentError)) throw error;
        tools.log.error(`an undelivered ticket names no incident: ${error.message}`);
      }
      await sqsOf(tools.clients).send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
  }
  return httpAnswer(202, { incidents: [...incidents], more: true });
}

async function resend(incident: string, reason: string, by: string, tools: Tools): Promise<string> {
  const at = tools.now();
  const execution = `${incident}-resend-${at.replaceAll(/\D/g, '')}`;
  await freeTickets(tools, incident, at, randomUUID);
  await addEntry(tools, `${execution}/request`, { incident, at, kind: 'ticket', text: `tickets are sent again: ${reason}`, by, detail: { execution } });
  await startTicket(tools, incident, execution);
  return execution;
}

function incidentIn(body: string): string {
  try {
    const message: unknown = JSON.parse(body);
    return typeof message === 'object' && message !== null && 'incident' in message ? String(message.incident) : '';
  } catch {
    return '';
  }
}
