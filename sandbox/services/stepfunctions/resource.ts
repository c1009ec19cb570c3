/**
 * What a Task's `Resource` means.
 *
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html service names and error prefixes
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html
 */
export interface Resource {
  /** `aws-sdk`: AWS SDK for Java 2 names and texts; `optimized`: those of version 1; `function`: a Lambda ARN by itself. */
  readonly kind: 'aws-sdk' | 'optimized' | 'function';
  /** As in the history: `aws-sdk:s3` and `putBucketPolicy`, `lambda` and `invoke.waitForTaskToken`. */
  readonly resourceType: string;
  readonly resource: string;
  readonly service: TaskService;
  /** The SDK's name of the operation: `PutBucketPolicy`. */
  readonly operation: string;
  readonly pattern: Pattern;
}

export type Pattern = 'response' | 'waitForTaskToken' | 'sync' | 'sync:2';

export interface TaskService {
  /** Signing name: what `World.call` takes. */
  readonly signing: string;
  /** In error names, `aws-sdk` and optimized: `DynamoDb.…`, `DynamoDB.…`. */
  readonly prefix: string;
  readonly optimizedPrefix: string;
  /** The client's name in version 1 of the SDK for Java, which the causes of optimized integrations show. */
  readonly client: string;
  /** The SDK module whose schemas know which names are members and which are data. */
  readonly sdk: () => Promise<Readonly<Record<string, unknown>>>;
}

/** A service enters when a workflow calls it. */
const SERVICES: Readonly<Record<string, TaskService>> = {
  dynamodb: { signing: 'dynamodb', prefix: 'DynamoDb', optimizedPrefix: 'DynamoDB', client: 'AmazonDynamoDBv2', sdk: () => import('@aws-sdk/client-dynamodb') },
  eventbridge: { signing: 'events', prefix: 'EventBridge', optimizedPrefix: 'EventBridge', client: 'AmazonCloudWatchEvents', sdk: () => import('@aws-sdk/client-eventbridge') },
  iam: { signing: 'iam', prefix: 'Iam', optimizedPrefix: 'Iam', client: 'AmazonIdentityManagement', sdk: () => import('@aws-sdk/client-iam') },
  lambda: { signing: 'lambda', prefix: 'Lambda', optimizedPrefix: 'Lambda', client: 'AWSLambda', sdk: () => import('@aws-sdk/client-lambda') },
  s3: { signing: 's3', prefix: 'S3', optimizedPrefix: 'S3', client: 'Amazon S3', sdk: () => import('@aws-sdk/client-s3') },
  sfn: { signing: 'states', prefix: 'Sfn', optimizedPrefix: 'StepFunctions', client: 'AWSStepFunctions', sdk: () => import('@aws-sdk/client-sfn') },
  sqs: { signing: 'sqs', prefix: 'Sqs', optimizedPrefix: 'SQS', client: 'AmazonSQS', sdk: () => import('@aws-sdk/client-sqs') },
  ssm: { signing: 'ssm', prefix: 'Ssm', optimizedPrefix: 'Ssm', client: 'AWSSimpleSystemsManagement', sdk: () => import('@aws-sdk/client-ssm') },
  sts: { signing: 'sts', prefix: 'Sts', optimizedPrefix: 'Sts', client: 'AWSSecurityTokenService', sdk: () => import('@aws-sdk/client-sts') },
};

const OPTIMIZED: Readonly<Record<string, { readonly service: string; readonly patterns: readonly Pattern[] }>> = {
  'lambda:invoke': { service: 'lambda', patterns: ['response', 'waitForTaskToken'] },
  'states:startExecution': { service: 'sfn', patterns: ['response', 'waitForTaskToken', 'sync', 'sync:2'] },
  'sqs:sendMessage': { service: 'sqs', patterns: ['response', 'waitForTaskToken'] },
  'dynamodb:getItem': { service: 'dynamodb', patterns: ['response'] },
  'dynamodb:putItem': { service: 'dynamodb', patterns: ['response'] },
  'dynamodb:updateItem': { service: 'dynamodb', patterns: ['response'] },
  'dynamodb:deleteItem': { service: 'dynamodb', patterns: ['response'] },
};

/** `null` where the sandbox (or AWS) does not know it. */
export function parseResource(arn: string): Resource | null {
  const lambda = SERVICES['lambda'];
  if (/^arn:aws:lambda:[^:]+:\d{12}:function:.+$/.test(arn) && lambda) {
    return { kind: 'function', resourceType: 'lambda', resource: arn, service: lambda, operation: 'Invoke', pattern: 'response' };
  }
  const parts = /^arn:aws:states:[^:]*:[^:]*:(?<type>aws-sdk:\w+|\w+):(?<action>\w+)(?:\.(?<pattern>waitForTaskToken|sync:2|sync))?$/.exec(arn)?.groups;
  const [resourceType, action] = [parts?.['type'], parts?.['action']];
  if (resourceType === undefined || action === undefined) return null;
  const pattern = (parts?.['pattern'] ?? 'response') as Pattern;
  const sdkService = resourceType.startsWith('aws-sdk:') ? resourceType.slice('aws-sdk:'.length) : null;
  const optimized = OPTIMIZED[`${resourceType}:${action}`];
  const service = SERVICES[sdkService ?? optimized?.service ?? ''];
  const patterns = sdkService === null ? optimized?.patterns : (['response', 'waitForTaskToken'] as const);
  if (!service || !patterns?.some((known) => known === pattern)) return null;
  return {
    kind: sdkService === null ? 'optimized' : 'aws-sdk',
    resourceType,
    resource: pattern === 'response' ? action : `${action}.${pattern}`,
    service,
    operation: action.charAt(0).toUpperCase() + action.slice(1),
    pattern,
  };
}
