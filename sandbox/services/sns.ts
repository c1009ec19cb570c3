import * as sdk from '@aws-sdk/client-sns';
import { randomUUID } from 'node:crypto';
import { AwsError, operation, type Service } from '../service.ts';

/** A message as it was published. */
export interface Published {
  readonly topic: string;
  readonly subject: string;
  readonly message: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Sns extends Service {
  /** Oldest first: the sandbox has no subscriptions. */
  readonly published: readonly Published[];
}

/**
 * SNS: topics that are made, and messages that are published to them.
 *
 * @see https://docs.aws.amazon.com/sns/latest/api/API_Publish.html (Subject: ASCII, under 100 characters, no line breaks; Message: 256 KB)
 */
export function createSns(): Sns {
  const topics = new Set<string>();
  const published: Published[] = [];
  return {
    name: 'sns',
    sdk,
    protocol: 'query',
    published,
    operations: {
      CreateTopic: operation<sdk.CreateTopicCommandInput, sdk.CreateTopicCommandOutput>({
        needs: ({ Name }, { region, world }) => [{ action: 'sns:CreateTopic', resource: `arn:aws:sns:${region}:${world.account}:${Name}` }],
        run: ({ Name }, { region, world }) => {
          const TopicArn = `arn:aws:sns:${region}:${world.account}:${Name}`;
          topics.add(TopicArn);
          return { TopicArn };
        },
      }),
      GetTopicAttributes: operation<sdk.GetTopicAttributesCommandInput, sdk.GetTopicAttributesCommandOutput>({
        needs: ({ TopicArn }) => [{ action: 'sns:GetTopicAttributes', resource: TopicArn ?? '*' }],
        run: ({ TopicArn = '' }) => {
          if (!topics.has(TopicArn)) throw new AwsError('NotFound', 'Topic does not exist', 404);
          return { Attributes: { TopicArn } };
        },
      }),
      Publish: operation<sdk.PublishCommandInput, sdk.PublishCommandOutput>({
        needs: ({ TopicArn }) => [{ action: 'sns:Publish', resource: TopicArn ?? '*' }],
        run: ({ TopicArn = '', Subject = '', Message = '', MessageAttributes = {} }) => {
          if (!topics.has(TopicArn)) throw new AwsError('NotFound', 'Topic does not exist', 404);
          if (Subject !== '' && !/^[\x21-\x7E][\x20-\x7E]{0,98}$/.test(Subject)) throw new AwsError('InvalidParameter', 'Invalid parameter: Subject');
          if (Message === '' || Buffer.byteLength(Message) > 262_144) throw new AwsError('InvalidParameter', 'Invalid parameter: Message');
          published.push({ topic: TopicArn, subject: Subject, message: Message, attributes: Object.fromEntries(Object.entries(MessageAttributes).map(([name, { StringValue = '' }]) => [name, StringValue])) });
          return { MessageId: randomUUID() };
        },
      }),
    },
  };
}
