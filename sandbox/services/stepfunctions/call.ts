import { AwsError } from '../../service.ts';
import type { Json } from '../../../core/bucket.ts';
import { StateFailure } from './failure.ts';
import { uuid } from './functions.ts';
import type { Resource } from './resource.ts';
import type { Step } from './run.ts';
import { modelled, shapesOf } from './shapes.ts';

/**
 * Call what a Task names, under the execution's role.
 *
 * @returns what the service answered, as Step Functions shows it
 * @throws {StateFailure} with the error's name and cause as Step Functions gives them
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
 */
export async function callService(step: Step, resource: Resource, parameters: Json): Promise<Json> {
  const requestId = uuid(step.run.world.random);
  try {
    if (resource.operation === 'Invoke' && resource.kind !== 'aws-sdk') return await invoke(step, resource, parameters, requestId);
    const shapes = await shapesOf(resource.service, resource.operation);
    const input = shapes.toInput(resource.resourceType === 'states' ? withInputText(parameters) : parameters);
    const output = await shapes.toOutput(await send(step, resource, input));
    return resource.kind === 'aws-sdk' ? output : { ...asObject(output, resource), ...metadata(requestId, JSON.stringify(output)) };
  } catch (error) {
    throw error instanceof AwsError ? await failureOf(resource, error, requestId) : error;
  }
}

/** The clock stands still while a service works. */
function send({ run: { world, execution } }: Step, resource: Resource, input: unknown): Promise<unknown> {
  const session = execution.name.replace(/[^\w+=,.@-]/g, '-').slice(0, 64);
  const caller = () => world.assume(execution.roleArn, session, 'states.amazonaws.com', execution.stateMachineArn);
  return world.clock.work(async () => world.call(resource.service.signing, resource.operation, input, caller()));
}

/** The execution's `Input` may be written as JSON. */
function withInputText(parameters: Json): Json {
  if (!isObject(parameters) || parameters['Input'] === undefined || typeof parameters['Input'] === 'string') return parameters;
  return { ...parameters, Input: JSON.stringify(parameters['Input']) };
}

/** Version 1 of the SDK for Java shows dates as milliseconds. */
function asObject(output: Json, { resourceType }: Resource): { readonly [key: string]: Json } {
  const object = isObject(output) ? output : {};
  return resourceType === 'states' && typeof object['StartDate'] === 'string' ? { ...object, StartDate: Date.parse(object['StartDate']) } : object;
}

async function invoke(step: Step, resource: Resource, parameters: Json, requestId: string): Promise<Json> {
  const bare = resource.kind === 'function';
  const named = isObject(parameters) ? parameters : {};
  const { Payload: payload = {}, ...options } = bare ? { FunctionName: resource.resource, Payload: parameters } : named;
  const answer = (await send(step, resource, { ...options, Payload: Buffer.from(JSON.stringify(payload)) })) as {
    readonly StatusCode?: number;
    readonly FunctionError?: string;
    readonly Payload?: Uint8Array | string;
    readonly ExecutedVersion?: string;
  };
  const text = typeof answer.Payload === 'string' ? answer.Payload : Buffer.from(answer.Payload ?? []).toString('utf8');
  if (answer.FunctionError !== undefined) throw new StateFailure(errorTypeOf(text), text);
  const result = text === '' ? null : (JSON.parse(text) as Json);
  if (bare) return result;
  return { ExecutedVersion: answer.ExecutedVersion ?? '$LATEST', Payload: result, ...metadata(requestId, text), StatusCode: answer.StatusCode ?? 200 };
}

/** A function that ended without an error object of its own (out of memory, exit) is `Lambda.Unknown`. */
function errorTypeOf(payload: string): string {
  try {
    const { errorType } = JSON.parse(payload) as { readonly errorType?: unknown };
    return typeof errorType === 'string' && errorType !== '' ? errorType : 'Lambda.Unknown';
  } catch {
    return 'Lambda.Unknown';
  }
}

/** What optimized integrations add to an answer. */
function metadata(requestId: string, body: string): { readonly [key: string]: Json } {
  const headers = { 'x-amzn-RequestId': requestId, 'Content-Length': String(Buffer.byteLength(body)), 'Content-Type': 'application/json' };
  const all = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));
  return { SdkHttpMetadata: { AllHttpHeaders: all, HttpHeaders: headers, HttpStatusCode: 200 }, SdkResponseMetadata: { RequestId: requestId } };
}

/**
 * Errors that the SDK models have a name of their own (`S3.NoSuchBucketException`); all others, `AccessDenied` among
 * them, are the service's general one (`S3.S3Exception`, `Lambda.AWSLambdaException`).
 */
async function failureOf({ kind, service }: Resource, error: AwsError, requestId: string): Promise<StateFailure> {
  const own = (await modelled(service, error.code)) ? (error.code.endsWith('Exception') ? error.code : `${error.code}Exception`) : null;
  if (kind === 'aws-sdk') {
    const extended = service.signing === 's3' ? `, Extended Request ID: ${requestId}` : '';
    const cause = `${error.message} (Service: ${service.prefix}, Status Code: ${error.status}, Request ID: ${requestId}${extended})`;
    return new StateFailure(`${service.prefix}.${own ?? `${service.prefix}Exception`}`, cause);
  }
  const { client, optimizedPrefix } = service;
  const cause = `${error.message} (Service: ${client}; Status Code: ${error.status}; Error Code: ${error.code}; Request ID: ${requestId}; Proxy: null)`;
  return new StateFailure(`${optimizedPrefix}.${own ?? `${client.replace(/v\d$/, '')}Exception`}`, cause);
}

export function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
