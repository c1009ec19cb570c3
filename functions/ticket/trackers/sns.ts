import { GetTopicAttributesCommand, PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { TicketDocument } from '../../../core/ticket/document.ts';
import { plainText } from '../../../core/ticket/markup/plain.ts';
import type { TrackerOf } from '../../../core/ticket/trackers.ts';
import { fromAws } from './aws.ts';
import type { Tracker } from './port.ts';

/**
 * A topic that is told. A notification, not a ticket: a message whose answer was lost comes again, with the same incident in
 * its subject.
 *
 * @see https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
 */
export function sns(config: TrackerOf<'sns'>, name: string, client: SNSClient): Tracker {
  const publish = async (incident: string, title: string, document: TicketDocument) => {
    const { MessageId } = await fromAws(name, true, () =>
      client.send(
        new PublishCommand({
          TopicArn: config.topic,
          Subject: subjectOf(title, incident),
          Message: `${title}\n\n${plainText(document)}`,
          MessageAttributes: { incident: { DataType: 'String', StringValue: incident }, severity: { DataType: 'String', StringValue: document.severity } },
        }),
      ),
    );
    return MessageId ?? incident;
  };
  return {
    // A message may have 256 KB; a mail is to be read.
    shape: { title: 256, limit: 16_000, size: (document) => plainText(document).length },
    check: async () => {
      await fromAws(name, false, () => client.send(new GetTopicAttributesCommand({ TopicArn: config.topic })));
      return `the topic ${config.topic} is there`;
    },
    create: async (draft) => ({ id: await publish(draft.incident, draft.title, draft.document), url: null }),
    comment: async (_, document) => void (await publish(document.incident, document.title, document)),
    close: () => Promise.resolve(),
    reopen: () => Promise.resolve(),
  };
}

/** ASCII, at most 100 characters, beginning with a letter, a number or a mark. */
function subjectOf(title: string, incident: string): string {
  const ascii = title.replace(` [${incident}]`, '').replaceAll('\u200B', '').replaceAll(/[^\x20-\x7E]/g, '?').trim();
  return `Stopbath [${incident}] ${ascii}`.slice(0, 99);
}
