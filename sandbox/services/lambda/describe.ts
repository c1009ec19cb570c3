import { createHash, randomBytes } from 'node:crypto';
import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { s3ControlEndpoint } from '../../localhost.ts';
import type { Credentials, World } from '../../service.ts';
import type { LambdaFunction } from './functions.ts';

/** A function as `GetFunctionConfiguration` shows it. */
export function describeFunction(fn: LambdaFunction): FunctionConfiguration {
  return {
    FunctionName: fn.name,
    FunctionArn: fn.arn,
    Runtime: 'nodejs24.x',
    Role: fn.role,
    Handler: 'handler.handler',
    CodeSize: 0,
    CodeSha256: createHash('sha256').update(fn.module).digest('base64'),
    Description: fn.description,
    Timeout: fn.timeoutSeconds,
    MemorySize: fn.memorySize,
    // Lambda's own form of a time: no Z.
    LastModified: new Date(fn.createdAt).toISOString().replace('Z', '+0000'),
    Version: '$LATEST',
    Environment: { Variables: { ...fn.environment } },
    TracingConfig: { Mode: 'PassThrough' },
    State: 'Active',
    LastUpdateStatus: 'Successful',
    PackageType: 'Zip',
    Architectures: ['arm64'],
    EphemeralStorage: { Size: 512 },
    LoggingConfig: { LogFormat: 'Text', LogGroup: `/aws/lambda/${fn.name}` },
  };
}

/** How long credentials in an environment hold, ms: clients read them again after that. */
const CREDENTIALS_MS = 30 * 60_000;

/**
 * What a function sees (before its first invocation: no credentials yet): its variables, what Lambda sets, and where the sandbox is. The files that the SDK would read
 * are set to nothing, so that no profile of the machine gets in.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
 */
export function environmentOf(
  fn: LambdaFunction,
  world: World,
  root: string,
  credentials: Credentials | null,
  requestId: string,
): { readonly environment: Readonly<Record<string, string>>; readonly logStreamName: string } {
  const now = world.clock.now();
  const logStreamName = `${new Date(now).toISOString().slice(0, 10).replaceAll('-', '/')}/[$LATEST]${createHash('md5').update(fn.name).digest('hex')}`;
  const environment = {
    ...fn.environment,
    _HANDLER: 'handler.handler',
    _X_AMZN_TRACE_ID: traceId(now, requestId),
    AWS_REGION: world.region,
    AWS_DEFAULT_REGION: world.region,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: fn.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(fn.memorySize),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${fn.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: logStreamName,
    LAMBDA_TASK_ROOT: root,
    TZ: ':UTC',
    LANG: 'en_US.UTF-8',
    ...(credentials ? credentialVariables(credentials, now) : {}),
    AWS_ENDPOINT_URL: world.endpoint,
    AWS_ENDPOINT_URL_S3_CONTROL: s3ControlEndpoint(world.endpoint),
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  return { environment, logStreamName };
}

function credentialVariables({ accessKeyId, secretAccessKey, sessionToken }: Credentials, now: number): Readonly<Record<string, string>> {
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...(sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: sessionToken }),
    AWS_CREDENTIAL_EXPIRATION: new Date(now + CREDENTIALS_MS).toISOString(),
  };
}

/** @see https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
function traceId(now: number, requestId: string): string {
  const root = createHash('md5').update(requestId).digest('hex').slice(0, 24);
  return `Root=1-${Math.floor(now / 1000).toString(16)}-${root};Parent=${randomBytes(8).toString('hex')};Sampled=0`;
}
