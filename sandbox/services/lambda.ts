import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import * as sdk from '@aws-sdk/client-lambda';
import { AwsError, type Need, type Operation, operation, type Service, type World } from '../service.ts';
import type { DeadLetter } from './events/dead-letters.ts';
import { createAsyncQueue } from './lambda/async.ts';
import { type Concurrency, createConcurrency } from './lambda/concurrency.ts';
import { type FunctionDefinition, Functions, type LambdaFunction } from './lambda/functions.ts';
import { describeFunction, environmentOf } from './lambda/describe.ts';
import { authorizeLambda, permissionOperations } from './lambda/permissions.ts';
import { createRuntime, type Outcome } from './lambda/runtime.ts';
import { invokeUrl, isUrlRequest, urlOperations } from './lambda/url.ts';

export type { FunctionDefinition } from './lambda/functions.ts';

export interface LambdaService extends Service {
  /** Creates or replaces a function; instead of `CreateFunction`, which wants an archive. */
  deploy(definition: FunctionDefinition): { readonly arn: string };
  /** Everything that functions printed, oldest first. */
  readonly logs: readonly LogLine[];
  /** Every invocation that ran, with what it took on this machine. */
  readonly invocations: readonly { readonly function: string; readonly ms: number; readonly memoryMb: number }[];
  /** How many ran at once, by function. */
  readonly concurrency: Concurrency['seen'];
  /** The most events that ever waited in a function's queue, by function. */
  readonly waited: ReadonlyMap<string, number>;
  /** What asynchronous invocations left for queues. */
  readonly deadLetters: readonly DeadLetter[];
  /** Ends whatever runs, as a crash would. */
  kill(): Promise<void>;
  /** Resolves once all that functions compute has come to an end, and they wait. */
  turn(): Promise<void>;
  /** Resolves once no asynchronous invocation is left. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

export interface LogLine {
  /** Sandbox time, ms since the epoch. */
  readonly at: number;
  readonly function: string;
  readonly requestId: string;
  readonly text: string;
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const LIMITS = { RequestResponse: 6 * 1024 * 1024, Event: 1024 * 1024, response: 6 * 1024 * 1024 + 100 };

/**
 * Lambda: functions run from their sources, in one worker thread, under the role they are deployed with.
 *
 * @param options.root - what functions see as `LAMBDA_TASK_ROOT`
 * @param options.unreserved - how many functions without a reservation run at once; without bounds unless told
 */
export function createLambda(world: World, options: { readonly root: string; readonly unreserved?: number }): LambdaService {
  const functions = new Functions(world.region, world.account);
  const logs: LogLine[] = [];
  const deadLetters: DeadLetter[] = [];
  const invocations: { readonly function: string; readonly ms: number; readonly memoryMb: number }[] = [];
  const runtime = createRuntime(world.clock, (text) => logs.push({ at: world.clock.now(), function: '', requestId: '', text }));

  const concurrency = createConcurrency(options.unreserved);

  const execute = async (fn: LambdaFunction, payload: string, requestId: string): Promise<Outcome> => await concurrency.run(fn, async () => await invoke(fn, payload, requestId));

  const invoke = async (fn: LambdaFunction, payload: string, requestId: string): Promise<Outcome> => {
    const [now, begun] = [world.clock.now(), performance.now()];
    const { environment, logStreamName } = environmentOf(fn, world, options.root, credentialsOf(world, fn), requestId);
    const outcome = await runtime.invoke({
      module: pathToFileURL(fn.module).href,
      environment,
      payload,
      timeoutSeconds: fn.timeoutSeconds,
      onLog: (text) => logs.push({ at: world.clock.now(), function: fn.name, requestId, text }),
      context: {
        functionName: fn.name,
        functionVersion: '$LATEST',
        invokedFunctionArn: fn.arn,
        memoryLimitInMB: String(fn.memorySize),
        awsRequestId: requestId,
        logGroupName: `/aws/lambda/${fn.name}`,
        logStreamName,
        deadline: now + fn.timeoutSeconds * 1000,
      },
    });
    invocations.push({ function: fn.name, ms: performance.now() - begun, memoryMb: fn.memorySize });
    if (Buffer.byteLength(outcome.payload) <= LIMITS.response) return outcome;
    const errorMessage = `Response payload size exceeded maximum allowed payload size (${LIMITS.response} bytes).`;
    return { ok: false, payload: JSON.stringify({ errorType: 'Function.ResponseSizeTooLarge', errorMessage }) };
  };
  const queue = createAsyncQueue(world, execute, (letter) => deadLetters.push(letter));

  const needs = (action: string) => (input: { readonly FunctionName?: string | undefined }): readonly Need[] => [
    { action: `lambda:${action}`, resource: functions.arnOf(input.FunctionName) },
  ];

  const operations: Readonly<Record<string, Operation>> = {
    Invoke: operation<sdk.InvokeCommandInput, Omit<sdk.InvokeCommandOutput, 'Payload'> & { readonly Payload?: Uint8Array }>({
      needs: needs('InvokeFunction'),
      run: async (input, call) => {
        const fn = functions.get(input.FunctionName);
        const payload = readPayload(input.Payload, input.InvocationType === 'Event' ? 'Event' : 'RequestResponse');
        if (input.InvocationType === 'DryRun') return { StatusCode: 204 };
        if (input.InvocationType === 'Event') {
          queue.add(fn, payload, call.requestId);
          return { StatusCode: 202 };
        }
        const outcome = await execute(fn, payload, call.requestId);
        return {
          StatusCode: 200,
          ExecutedVersion: '$LATEST',
          ...(outcome.ok ? {} : { FunctionError: 'Unhandled' }),
          ...(input.LogType === 'Tail' ? { LogResult: tailOf(logs, call.requestId) } : {}),
          Payload: Buffer.from(outcome.payload),
        };
      },
    }),
    GetFunction: operation<sdk.GetFunctionCommandInput, sdk.GetFunctionCommandOutput>({
      needs: needs('GetFunction'),
      run: (input) => {
        const fn = functions.get(input.FunctionName);
        const { reservedConcurrency: ReservedConcurrentExecutions = null } = fn;
        return { Configuration: describeFunction(fn), Code: { RepositoryType: 'Sandbox' }, Tags: {}, ...(ReservedConcurrentExecutions === null ? {} : { Concurrency: { ReservedConcurrentExecutions } }) };
      },
    }),
    GetFunctionConfiguration: operation<sdk.GetFunctionConfigurationCommandInput, sdk.GetFunctionConfigurationCommandOutput>({
      needs: needs('GetFunctionConfiguration'),
      run: (input) => describeFunction(functions.get(input.FunctionName)),
    }),
    // What runs already has the variables that it began with.
    UpdateFunctionConfiguration: operation<sdk.UpdateFunctionConfigurationCommandInput, sdk.UpdateFunctionConfigurationCommandOutput>({
      needs: needs('UpdateFunctionConfiguration'),
      run: ({ FunctionName, Environment }, call) => {
        const { Variables } = Environment ?? {};
        const fn = functions.get(FunctionName);
        return describeFunction(Variables === undefined ? fn : functions.put({ ...fn, environment: { ...Variables } }, call.time));
      },
    }),
    ListFunctions: operation<sdk.ListFunctionsCommandInput, sdk.ListFunctionsCommandOutput>({
      needs: () => [{ action: 'lambda:ListFunctions', resource: '*' }],
      // They are all the home account's.
      run: (_input, { caller }) => ({ Functions: 'account' in caller && caller.account !== world.account ? [] : functions.list().map(describeFunction) }),
    }),
    PutFunctionEventInvokeConfig: operation<sdk.PutFunctionEventInvokeConfigCommandInput, sdk.PutFunctionEventInvokeConfigCommandOutput>({
      needs: needs('PutFunctionEventInvokeConfig'),
      run: (input, call) => {
        const fn = functions.get(input.FunctionName);
        fn.async = {
          maximumRetries: input.MaximumRetryAttempts ?? 2,
          maximumAgeSeconds: input.MaximumEventAgeInSeconds ?? 21_600,
          onFailure: input.DestinationConfig?.OnFailure?.Destination ?? null,
          onSuccess: input.DestinationConfig?.OnSuccess?.Destination ?? null,
        };
        return { ...input, FunctionArn: `${fn.arn}:$LATEST`, LastModified: new Date(call.time) };
      },
    }),
    GetFunctionEventInvokeConfig: operation<sdk.GetFunctionEventInvokeConfigCommandInput, sdk.GetFunctionEventInvokeConfigCommandOutput>({
      needs: needs('GetFunctionEventInvokeConfig'),
      run: (input) => {
        const fn = functions.get(input.FunctionName);
        const { maximumRetries, maximumAgeSeconds, onFailure } = fn.async;
        return { FunctionArn: `${fn.arn}:$LATEST`, MaximumRetryAttempts: maximumRetries, MaximumEventAgeInSeconds: maximumAgeSeconds, DestinationConfig: { OnSuccess: {}, OnFailure: onFailure === null ? {} : { Destination: onFailure } } };
      },
    }),
    ...permissionOperations(functions, needs),
    ...urlOperations(functions, needs),
  };

  return {
    name: 'lambda',
    sdk,
    protocol: 'rest-json',
    operations,
    authorize: (name, input, call) => authorizeLambda(operations, functions, name, input, call),
    deploy: (definition) => {
      const fn = functions.put(definition, world.clock.now());
      runtime.warm(pathToFileURL(fn.module).href, environmentOf(fn, world, options.root, null, '').environment);
      return fn;
    },
    http: { serves: isUrlRequest, handle: (request, call) => invokeUrl(world, functions, request, call, execute) },
    logs,
    invocations,
    concurrency: concurrency.seen,
    waited: queue.waited,
    deadLetters,
    kill: () => runtime.kill(),
    turn: async () => await runtime.turn(),
    idle: () => queue.idle(),
    stop: async () => {
      queue.stop();
      await runtime.kill();
    },
  };
}

function credentialsOf(world: World, fn: LambdaFunction) {
  try {
    return world.credentials(fn.role, fn.name, 'lambda.amazonaws.com');
  } catch (cause) {
    if (!(cause instanceof AwsError)) throw cause;
    throw new AwsError('AccessDeniedException', 'The role defined for the function cannot be assumed by Lambda.', 403, { Type: 'User' });
  }
}

/** @throws {AwsError} where it is too large or no JSON */
function readPayload(payload: unknown, type: 'RequestResponse' | 'Event'): string {
  const text = typeof payload === 'string' ? payload : payload instanceof Uint8Array ? Buffer.from(payload).toString('utf8') : '';
  if (Buffer.byteLength(text) > LIMITS[type]) {
    const message = `Request must be smaller than ${LIMITS[type]} bytes for the InvokeFunction operation`;
    throw new AwsError('RequestTooLargeException', message, 413, { Type: 'User' });
  }
  if (text === '') return '{}';
  try {
    JSON.parse(text);
    return text;
  } catch (cause) {
    const message = `Could not parse request body into json: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new AwsError('InvalidRequestContentException', message, 400, { Type: 'User' });
  }
}

/** The last 4 KB that an invocation printed, base64. */
function tailOf(logs: readonly LogLine[], requestId: string): string {
  const lines = logs.filter((line) => line.requestId === requestId).map((line) => line.text);
  return Buffer.from(`START RequestId: ${requestId}\n${lines.join('\n')}\nEND RequestId: ${requestId}\n`).subarray(-4096).toString('base64');
}
