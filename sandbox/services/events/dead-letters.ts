import type { World } from '../../service.ts';

/**
 * What could not be delivered: kept in a list, and where a queue of the sandbox is named, put into it with the message attributes that AWS sets.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
 */
export interface DeadLetter {
  /** Sandbox time, ms since the epoch. */
  readonly at: number;
  /** The queue's ARN; `null` where none was configured and AWS would have dropped the event. */
  readonly queue: string | null;
  /** JSON text: the event, or the record of an asynchronous invocation. */
  readonly body: string;
  /** ARN of the rule or function that gave up. */
  readonly source: string;
  readonly target: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Nothing where there is no such queue, as in a test of EventBridge alone. */
export async function toQueue(world: World, { queue, body, attributes }: DeadLetter): Promise<void> {
  if (!queue?.startsWith('arn:aws:sqs:')) return;
  const arn = `arn:aws:iam::${world.account}:root`;
  const root = { kind: 'root', account: world.account, principalArn: arn, arn, userId: world.account } as const;
  const MessageAttributes = Object.fromEntries(Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]));
  const QueueUrl = `https://sqs.${world.region}.amazonaws.com/${world.account}/${queue.split(':').at(-1) ?? ''}`;
  await world.call('sqs', 'SendMessage', { QueueUrl, MessageBody: body, MessageAttributes }, root).catch(() => undefined);
}
