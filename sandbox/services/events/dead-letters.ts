/**
 * What could not be delivered. The sandbox has no SQS: what would lie in a queue is kept in a list, with the queue's
 * ARN and the message attributes that AWS sets.
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
