import { CloudFrontClient } from '@aws-sdk/client-cloudfront';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IAMClient } from '@aws-sdk/client-iam';
import { KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { GuardDutyClient } from '@aws-sdk/client-guardduty';
import { S3Client } from '@aws-sdk/client-s3';
import { S3ControlClient } from '@aws-sdk/client-s3-control';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { SSMClient } from '@aws-sdk/client-ssm';
import { STSClient } from '@aws-sdk/client-sts';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/** The clients of one function, each made when first used: what a function does not call is not in its start-up. */
export interface Clients {
  readonly cloudfront: CloudFrontClient;
  readonly cloudwatch: CloudWatchClient;
  readonly dynamo: DynamoDBDocumentClient;
  readonly iam: IAMClient;
  readonly s3: S3Client;
  /** What belongs to the account: its block, its access points. These are a region's, so the region is the bucket's. */
  readonly s3Control: (region: string) => S3ControlClient;
  /** Signs nothing: what anybody on the internet would send. */
  readonly anonymousS3: S3Client;
  readonly kms: KMSClient;
  readonly lambda: LambdaClient;
  readonly sfn: SFNClient;
  readonly ssm: SSMClient;
  readonly secrets: SecretsManagerClient;
  readonly sns: SNSClient;
  readonly sqs: SQSClient;
  readonly guardduty: GuardDutyClient;
  readonly sts: STSClient;
}

/** Short enough that a hanging call is tried again well inside a function's own time-out; in ms. */
const TIMEOUTS = { connectionTimeout: 2_000, requestTimeout: 8_000 };

export function createClients(region: string): Clients {
  const config = { region, maxAttempts: 4, requestHandler: TIMEOUTS };
  const dynamo = lazy(() =>
    DynamoDBDocumentClient.from(new DynamoDBClient(config), { marshallOptions: { removeUndefinedValues: true } }),
  );
  const cloudfront = lazy(() => new CloudFrontClient(config));
  const cloudwatch = lazy(() => new CloudWatchClient(config));
  const iam = lazy(() => new IAMClient(config));
  // An account's buckets may lie in other regions than this function.
  const s3 = lazy(() => new S3Client({ ...config, followRegionRedirects: true }));
  const controls = new Map<string, S3ControlClient>();
  // One attempt: a probe wants the answer, and the next look is the retry.
  const anonymousS3 = lazy(() => new S3Client({ ...config, maxAttempts: 1, followRegionRedirects: true, signer: { sign: (request) => Promise.resolve(request) } }));
  const kms = lazy(() => new KMSClient(config));
  // A plan takes its time, and asking twice would plan twice.
  const lambda = lazy(() => new LambdaClient({ ...config, maxAttempts: 1, requestHandler: { ...TIMEOUTS, requestTimeout: 25_000 } }));
  const sfn = lazy(() => new SFNClient(config));
  const ssm = lazy(() => new SSMClient(config));
  const secrets = lazy(() => new SecretsManagerClient(config));
  const sns = lazy(() => new SNSClient(config));
  // The queue's URL names AWS's own host, whatever endpoint is configured.
  const sqs = lazy(() => new SQSClient({ ...config, useQueueUrlAsEndpoint: false }));
  const guardduty = lazy(() => new GuardDutyClient(config));
  const sts = lazy(() => new STSClient(config));
  return {
    get cloudfront() { return cloudfront(); },
    get cloudwatch() { return cloudwatch(); },
    get dynamo() { return dynamo(); },
    get iam() { return iam(); },
    get s3() { return s3(); },
    s3Control: (where) => {
      const control = controls.get(where) ?? new S3ControlClient({ ...config, region: where });
      controls.set(where, control);
      return control;
    },
    get anonymousS3() { return anonymousS3(); },
    get kms() { return kms(); },
    get lambda() { return lambda(); },
    get sfn() { return sfn(); },
    get ssm() { return ssm(); },
    get secrets() { return secrets(); },
    get sns() { return sns(); },
    get sqs() { return sqs(); },
    get guardduty() { return guardduty(); },
    get sts() { return sts(); },
  };
}

function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
