import * as sdk from '@aws-sdk/client-sqs';
import { createHash, randomUUID } from 'node:crypto';
import { AwsError, operation, type Call, type Service } from '../service.ts';

interface Message {
  readonly id: string;
  readonly body: string;
  readonly attributes?: sdk.SendMessageCommandInput['MessageAttributes'];
  /** Changes with every receipt. */
  receipt: string;
  visibleAt: number;
}

/** ms; the queue's own, unless a receiver says otherwise. */
const VISIBILITY_MS = 60_000;

/**
 * SQS: standard queues, whose messages come back where nobody deletes them in time.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
 */
export function createSqs(): Service {
  const queues = new Map<string, Message[]>();
  const attributes = new Map<string, Readonly<Record<string, string>>>();
  const named = (url = ''): Message[] => {
    const queue = queues.get(url.split('/').at(-1) ?? '');
    if (!queue) throw new AwsError('QueueDoesNotExist', 'The specified queue does not exist.');
    return queue;
  };
  const accountOf = ({ caller, world }: Call) => ('account' in caller ? caller.account : world.account);
  const on = (action: string) => (input: { readonly QueueUrl?: string | undefined }, call: Call) => [{ action: `sqs:${action}`, resource: `arn:aws:sqs:${call.region}:${accountOf(call)}:${input.QueueUrl?.split('/').at(-1) ?? '*'}` }];

  return {
    name: 'sqs',
    sdk,
    protocol: 'json-1.0',
    operations: {
      CreateQueue: operation<sdk.CreateQueueCommandInput, sdk.CreateQueueCommandOutput>({
        needs: ({ QueueName }, call) => on('CreateQueue')({ QueueUrl: QueueName }, call),
        run: ({ QueueName = '', Attributes = {} }, { region, world }) => {
          if (!queues.has(QueueName)) queues.set(QueueName, []);
          attributes.set(QueueName, { ...attributes.get(QueueName), ...Attributes });
          return { QueueUrl: `https://sqs.${region}.amazonaws.com/${world.account}/${QueueName}` };
        },
      }),
      GetQueueUrl: operation<sdk.GetQueueUrlCommandInput, sdk.GetQueueUrlCommandOutput>({
        needs: ({ QueueName }, call) => on('GetQueueUrl')({ QueueUrl: QueueName }, call),
        run: ({ QueueName = '' }, { region, world }) => {
          named(QueueName);
          return { QueueUrl: `https://sqs.${region}.amazonaws.com/${world.account}/${QueueName}` };
        },
      }),
      SetQueueAttributes: operation<sdk.SetQueueAttributesCommandInput, object>({
        needs: on('SetQueueAttributes'),
        run: ({ QueueUrl = '', Attributes = {} }) => {
          named(QueueUrl);
          const name = QueueUrl.split('/').at(-1) ?? '';
          attributes.set(name, { ...attributes.get(name), ...Attributes });
          return {};
        },
      }),
      // All of them, whichever are asked for.
      GetQueueAttributes: operation<sdk.GetQueueAttributesCommandInput, sdk.GetQueueAttributesCommandOutput>({
        needs: on('GetQueueAttributes'),
        run: ({ QueueUrl = '' }, { time }) => {
          const waiting = named(QueueUrl).filter(({ visibleAt }) => visibleAt <= time).length;
          return { Attributes: { ...attributes.get(QueueUrl.split('/').at(-1) ?? ''), ApproximateNumberOfMessages: String(waiting), ApproximateNumberOfMessagesNotVisible: String(named(QueueUrl).length - waiting) } };
        },
      }),
      SendMessage: operation<sdk.SendMessageCommandInput, sdk.SendMessageCommandOutput>({
        needs: on('SendMessage'),
        run: ({ QueueUrl, MessageBody = '', MessageAttributes }, { time }) => {
          const id = randomUUID();
          named(QueueUrl).push({ id, body: MessageBody, ...(MessageAttributes ? { attributes: MessageAttributes } : {}), receipt: '', visibleAt: time });
          return { MessageId: id, MD5OfMessageBody: md5(MessageBody) };
        },
      }),
      ReceiveMessage: operation<sdk.ReceiveMessageCommandInput, sdk.ReceiveMessageCommandOutput>({
        needs: on('ReceiveMessage'),
        run: ({ QueueUrl, MaxNumberOfMessages = 1, VisibilityTimeout }, { time }) => {
          const found = named(QueueUrl).filter(({ visibleAt }) => visibleAt <= time).slice(0, MaxNumberOfMessages);
          for (const message of found) Object.assign(message, { receipt: randomUUID(), visibleAt: time + (VisibilityTimeout === undefined ? VISIBILITY_MS : VisibilityTimeout * 1000) });
          return found.length === 0 ? {} : { Messages: found.map(({ id, body, attributes, receipt }) => ({ MessageId: id, Body: body, ReceiptHandle: receipt, MD5OfBody: md5(body), ...(attributes ? { MessageAttributes: attributes } : {}) })) };
        },
      }),
      DeleteMessage: operation<sdk.DeleteMessageCommandInput, sdk.DeleteMessageCommandOutput>({
        needs: on('DeleteMessage'),
        run: ({ QueueUrl, ReceiptHandle }) => {
          const queue = named(QueueUrl);
          const index = queue.findIndex(({ receipt }) => receipt !== '' && receipt === ReceiptHandle);
          if (index >= 0) queue.splice(index, 1);
          return {};
        },
      }),
    },
  };
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
