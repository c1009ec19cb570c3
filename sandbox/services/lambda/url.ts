import type * as sdk from '@aws-sdk/client-lambda';
import { AwsError, type Call, type Caller, type HttpRequest, type HttpResponse, type Need, type Operation, operation, type World } from '../../service.ts';
import type { Functions, LambdaFunction } from './functions.ts';
import { isThrottle } from './concurrency.ts';
import { assertUrlAllowed } from './permissions.ts';
import type { Outcome } from './runtime.ts';

/** Where a function's URL lies on the sandbox's endpoint: `/lambda-url/<function>/…` */
const PREFIX = /^\/lambda-url\/([^/]+)(\/.*)?$/;

export function isUrlRequest(request: HttpRequest): boolean {
  return PREFIX.test(request.path);
}

type Execute = (fn: LambdaFunction, payload: string, requestId: string) => Promise<Outcome>;

/**
 * A request to a function's URL, as the function sees it: payload format 2.0 with the verified caller.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
 */
export async function invokeUrl(world: World, functions: Functions, request: HttpRequest, call: Call, execute: Execute): Promise<HttpResponse> {
  const [, name = '', path = '/'] = PREFIX.exec(request.path) ?? [];
  try {
    const fn = functions.get(name);
    if (!fn.url) throw new AwsError('AccessDeniedException', 'Forbidden', 403);
    assertUrlAllowed(fn, fn.url.authType, call);
    const outcome = await execute(fn, JSON.stringify(eventOf(fn, { ...request, path }, call, world)), call.requestId);
    return outcome.ok ? responseOf(JSON.parse(outcome.payload)) : { status: 502, headers: {}, body: 'Internal Server Error' };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    // https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html ("returns an HTTP 429 status code")
    if (isThrottle(error)) return json(429, error.message, { 'x-amzn-errortype': error.code });
    // A URL that does not exist is indistinguishable from one that is not for the caller.
    return json(403, FORBIDDEN, { 'x-amzn-errortype': 'AccessDeniedException' });
  }
}

const FORBIDDEN = 'Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html';

function json(status: number, message: string, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ Message: message }) };
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-request-payload */
function eventOf(fn: LambdaFunction, request: HttpRequest, call: Call, world: World): object {
  const domainName = new URL(world.endpoint).host;
  const { cookie, ...headers } = request.headers;
  const body = Buffer.from(request.body);
  const text = body.toString('utf8');
  const isText = Buffer.from(text, 'utf8').equals(body);
  const query = request.query.toString();
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: request.path,
    rawQueryString: query,
    ...(cookie === undefined ? {} : { cookies: cookie.split('; ') }),
    headers: { ...headers, host: domainName },
    ...(query === '' ? {} : { queryStringParameters: queryOf(request.query) }),
    requestContext: {
      accountId: accountOf(call.caller),
      apiId: fn.name,
      ...(fn.url?.authType === 'AWS_IAM' ? { authorizer: { iam: iamOf(call.caller) } } : {}),
      domainName,
      domainPrefix: fn.name,
      http: {
        method: request.method,
        path: decodeURI(request.path),
        protocol: 'HTTP/1.1',
        sourceIp: call.sourceIp,
        userAgent: call.userAgent ?? headers['user-agent'] ?? '',
      },
      requestId: call.requestId,
      routeKey: '$default',
      stage: '$default',
      time: commonLogTime(call.time),
      timeEpoch: call.time,
    },
    ...(body.length === 0 ? {} : { body: isText ? text : body.toString('base64') }),
    isBase64Encoded: body.length > 0 && !isText,
  };
}

/** A parameter that occurs several times becomes one, its values joined by commas. */
function queryOf(parameters: URLSearchParams): Readonly<Record<string, string>> {
  return Object.fromEntries([...new Set(parameters.keys())].map((name) => [name, parameters.getAll(name).join(',')]));
}

function iamOf(caller: Caller): object | null {
  if (caller.kind === 'anonymous' || caller.kind === 'service') return null;
  return {
    accessKey: caller.accessKeyId ?? '',
    accountId: caller.account,
    callerId: caller.userId,
    cognitoIdentity: null,
    principalOrgId: null,
    userArn: caller.arn,
    userId: caller.userId,
  };
}

function accountOf(caller: Caller): string {
  return caller.kind === 'anonymous' || caller.kind === 'service' ? 'anonymous' : caller.account;
}

/** `12/Mar/2020:19:03:58 +0000` */
function commonLogTime(time: number): string {
  const [, weekdayless = ''] = new Date(time).toUTCString().split(', ');
  const [day, month, year, clock] = weekdayless.split(' ');
  return `${day}/${month}/${year}:${clock} +0000`;
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-response-payload */
function responseOf(result: unknown): HttpResponse {
  if (typeof result !== 'object' || result === null || !('statusCode' in result)) {
    return { status: 200, headers: { 'content-type': 'application/json' }, body: typeof result === 'string' ? result : JSON.stringify(result) };
  }
  const headers = 'headers' in result && typeof result.headers === 'object' && result.headers !== null ? result.headers : {};
  const body = 'body' in result && typeof result.body === 'string' ? result.body : '';
  return {
    status: Number(result.statusCode),
    headers: { 'content-type': 'application/json', ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)])) },
    body: 'isBase64Encoded' in result && result.isBase64Encoded === true ? Buffer.from(body, 'base64') : body,
  };
}

/** The operations that make and show URLs. A URL of the sandbox lies on its own endpoint. */
export function urlOperations(
  functions: Functions,
  needs: (action: string) => (input: { readonly FunctionName?: string | undefined }) => readonly Need[],
): Readonly<Record<string, Operation>> {
  const describe = (fn: LambdaFunction, call: Call) => {
    if (!fn.url) throw new AwsError('ResourceNotFoundException', 'The resource you requested does not exist.', 404, { Type: 'User' });
    const created = new Date(fn.url.createdAt).toISOString();
    const FunctionUrl = `${call.world.endpoint}/lambda-url/${fn.name}/`;
    return { FunctionUrl, FunctionArn: fn.arn, AuthType: fn.url.authType, CreationTime: created, LastModifiedTime: created, InvokeMode: 'BUFFERED' as const };
  };
  return {
    CreateFunctionUrlConfig: operation<sdk.CreateFunctionUrlConfigCommandInput, sdk.CreateFunctionUrlConfigCommandOutput>({
      needs: needs('CreateFunctionUrlConfig'),
      run: (input, call) => {
        const fn = functions.get(input.FunctionName);
        if (fn.url) {
          const message = `Failed to create function url config for [functionArn = ${fn.arn}]. Error message:  FunctionUrlConfig exists for this Lambda function`;
          throw new AwsError('ResourceConflictException', message, 409, { Type: 'User' });
        }
        fn.url = { authType: input.AuthType ?? 'AWS_IAM', createdAt: call.time };
        return describe(fn, call);
      },
    }),
    GetFunctionUrlConfig: operation<sdk.GetFunctionUrlConfigCommandInput, sdk.GetFunctionUrlConfigCommandOutput>({
      needs: needs('GetFunctionUrlConfig'),
      run: (input, call) => describe(functions.get(input.FunctionName), call),
    }),
  };
}
