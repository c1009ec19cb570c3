import { CloudFrontClient } from '@aws-sdk/client-cloudfront';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient, TransactionConflictException } from '@aws-sdk/client-dynamodb';
import { GuardDutyClient } from '@aws-sdk/client-guardduty';
import { IAMClient } from '@aws-sdk/client-iam';
import { KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { S3ControlClient } from '@aws-sdk/client-s3-control';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { SSMClient } from '@aws-sdk/client-ssm';
import { STSClient } from '@aws-sdk/client-sts';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { AwsCredentialIdentityProvider } from '@smithy/types';

/**
 * Whose clients these are: a region, and credentials other than the function's own where given. A client is asked for with its function,
 * `s3Of(clients)`, and made once. Only what a function imports is in its bundle, so there is no object here that holds them all.
 */
export interface Clients {
  readonly region: string;
  readonly credentials?: AwsCredentialIdentityProvider;
  /** The suite's own table: every function has it. */
  readonly dynamo: DynamoDBDocumentClient;
}

export function createClients(region: string, credentials?: AwsCredentialIdentityProvider): Clients {
  let made: DynamoDBDocumentClient | undefined;
  const clients: Clients = {
    region,
    ...(credentials === undefined ? {} : { credentials }),
    get dynamo() {
      return (made ??= DynamoDBDocumentClient.from(asksAgain(new DynamoDBClient(configOf(clients))), { marshallOptions: { removeUndefinedValues: true } }));
    },
  };
  return clients;
}

/**
 * A write of one item that meets a transaction on it is refused, and may be tried as soon as that is over, in some ms. The SDK tries again what is marked so.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html (Transaction conflict handling)
 */
function asksAgain(client: DynamoDBClient): DynamoDBClient {
  // Within the SDK's own retry, which is `finalizeRequest` too, of high priority.
  client.middlewareStack.add(
    (next) => async (args) =>
      await next(args).catch((error: unknown) => {
        throw error instanceof TransactionConflictException ? Object.assign(error, { $retryable: {} }) : error;
      }),
    { step: 'finalizeRequest', priority: 'low', name: 'stopbathAsksAgain' },
  );
  return client;
}

type Whose = Pick<Clients, 'region' | 'credentials'>;

export const cloudfrontOf = /* @__PURE__ */ once((config) => new CloudFrontClient(config));
export const cloudtrailOf = /* @__PURE__ */ once((config) => new CloudTrailClient(config));
export const cloudwatchOf = /* @__PURE__ */ once((config) => new CloudWatchClient(config));
export const guarddutyOf = /* @__PURE__ */ once((config) => new GuardDutyClient(config));
export const iamOf = /* @__PURE__ */ once((config) => new IAMClient(config));
export const kmsOf = /* @__PURE__ */ once((config) => new KMSClient(config));
/** A plan takes its time, and asking twice would plan twice. */
export const lambdaOf = /* @__PURE__ */ once((config) => new LambdaClient({ ...config, maxAttempts: 1, requestHandler: { ...TIMEOUTS, requestTimeout: 25_000 } }));
/** An account's buckets may lie in other regions than this function. */
export const s3Of = /* @__PURE__ */ once((config) => new S3Client({ ...config, followRegionRedirects: true }));
/** Signs nothing: what anybody on the internet would send. One attempt: a probe wants the answer, and the next look is the retry. */
export const anonymousS3Of = /* @__PURE__ */ once((config) => new S3Client({ ...config, maxAttempts: 1, followRegionRedirects: true, signer: { sign: (request) => Promise.resolve(request) } }));
export const secretsOf = /* @__PURE__ */ once((config) => new SecretsManagerClient(config));
export const sfnOf = /* @__PURE__ */ once((config) => new SFNClient(config));
export const snsOf = /* @__PURE__ */ once((config) => new SNSClient(config));
/** The queue's URL names AWS's own host, whatever endpoint is configured. */
export const sqsOf = /* @__PURE__ */ once((config) => new SQSClient({ ...config, useQueueUrlAsEndpoint: false }));
export const ssmOf = /* @__PURE__ */ once((config) => new SSMClient(config));
export const stsOf = /* @__PURE__ */ once((config) => new STSClient(config));

const controls = /* @__PURE__ */ new Map<string, (whose: Whose) => S3ControlClient>();

/** What belongs to the account: its block, its access points. These are a region's, so the region is the bucket's. */
export function s3ControlOf(whose: Whose, region: string): S3ControlClient {
  const control = controls.get(region) ?? once((config) => new S3ControlClient({ ...config, region }));
  controls.set(region, control);
  return control(whose);
}

/** Short enough that a hanging call is tried again well inside a function's own time-out; in ms. */
const TIMEOUTS = { connectionTimeout: 2_000, requestTimeout: 8_000 };

function configOf({ region, credentials }: Whose) {
  return { region, maxAttempts: 4, requestHandler: TIMEOUTS, ...(credentials === undefined ? {} : { credentials }) };
}

/** Made at the first call for these clients, and kept with them. */
function once<T>(make: (config: ReturnType<typeof configOf>) => T): (whose: Whose) => T {
  const made = new WeakMap<Whose, { readonly client: T }>();
  return (whose) => {
    const found = made.get(whose) ?? { client: make(configOf(whose)) };
    made.set(whose, found);
    return found.client;
  };
}
