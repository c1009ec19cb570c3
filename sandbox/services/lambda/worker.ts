/**
 * The thread that all functions of the sandbox run in. Each invocation sees the environment of its own function only,
 * lives in sandbox time, and has its output collected; nothing of the machine's environment is visible.
 */
import { Agent } from 'node:http';
import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire, enableCompileCache, flushCompileCache, syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { resolveLocalhost } from '../../localhost.ts';
import type { FromWorker, InvocationContext, ToWorker } from './messages.ts';

interface Invocation {
  readonly id: number;
  readonly environment: Record<string, string>;
  frozen: boolean;
}

type Handler = (event: unknown, context: object) => unknown;

const current = new AsyncLocalStorage<Invocation>();
const underway = new Map<number, Invocation>();
const offset: Float64Array = workerData.offset;
const port = parentPort;
if (!port) throw new Error('worker.ts is the sandbox\'s worker thread: start it through createRuntime');

// A thread that is started after a crash finds its modules stripped and compiled: half of what a start costs.
enableCompileCache(fileURLToPath(new URL('../../../node_modules/.cache/stopbath', import.meta.url)));
process.env = environmentOf(current);
globalThis.Date = sandboxDate();
captureOutput();
freezeNetwork();
resolveLocalhost();
// On Lambda every invocation that runs beside others has an environment, and connections, of its own. Here they share clients, whose fifty connections would make them wait for each other.
Object.defineProperty(Agent.prototype, 'maxSockets', {
  get: () => Number.POSITIVE_INFINITY,
  set: () => {
    // Every agent is told its own most when it is made.
  },
});

port.on('message', (message: ToWorker) => {
  if (message.kind === 'freeze') {
    const invocation = underway.get(message.id);
    if (invocation) invocation.frozen = true;
    post({ kind: 'frozen', id: message.id });
    return;
  }
  if (message.kind === 'turn') {
    setImmediate(() => void setImmediate(() => post({ kind: 'turned' })));
    return;
  }
  if (message.kind === 'load') {
    // What fails here fails again, and is reported, at the first invocation.
    void current.run({ id: -1, environment: { ...message.environment }, frozen: false }, () => load(message.module).then(() => flushCompileCache(), () => undefined));
    return;
  }
  const invocation: Invocation = { id: message.id, environment: { ...message.environment }, frozen: false };
  underway.set(message.id, invocation);
  void current.run(invocation, () => invoke(message)).then((outcome) => {
    underway.delete(message.id);
    if (!invocation.frozen) post({ kind: 'result', id: message.id, ...outcome });
  });
});

/** Errors that no invocation awaits would end a Lambda environment; here they would end everybody's, so they are logged. */
process.on('uncaughtException', (error) => process.stderr.write(`${error.stack ?? error.message}\n`));
process.on('unhandledRejection', (error) => process.stderr.write(`Unhandled rejection: ${error instanceof Error ? error.stack : String(error)}\n`));

async function invoke(message: ToWorker & { readonly kind: 'invoke' }): Promise<{ readonly ok: boolean; readonly payload: string }> {
  try {
    const handler = await load(message.module);
    const result = await handler(JSON.parse(message.payload), contextOf(message.context));
    return { ok: true, payload: JSON.stringify(result) ?? 'null' };
  } catch (error) {
    return { ok: false, payload: JSON.stringify(failureOf(error)) };
  }
}

async function load(module: string): Promise<Handler> {
  const loaded: unknown = await import(module);
  const handler = typeof loaded === 'object' && loaded !== null && 'handler' in loaded ? loaded.handler : undefined;
  if (!isHandler(handler)) {
    const error = new Error(`handler is undefined or not exported: ${module}`);
    error.name = 'Runtime.HandlerNotFound';
    throw error;
  }
  return handler;
}

function isHandler(value: unknown): value is Handler {
  return typeof value === 'function';
}

function contextOf(context: InvocationContext): object {
  const { deadline, ...rest } = context;
  return { ...rest, callbackWaitsForEmptyEventLoop: true, getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()) };
}

/** As the Node.js runtime reports it. @see https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/blob/main/src/Errors.js */
function failureOf(error: unknown): { readonly errorType: string; readonly errorMessage: string; readonly trace: readonly string[] } {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
}

function post(message: FromWorker): void {
  port?.postMessage(message);
}

function environmentOf(store: AsyncLocalStorage<Invocation>): NodeJS.ProcessEnv {
  const none: Record<string, string> = {};
  const here = () => store.getStore()?.environment ?? none;
  return new Proxy<NodeJS.ProcessEnv>({}, {
    get: (_, name) => (typeof name === 'string' ? here()[name] : undefined),
    has: (_, name) => Object.hasOwn(here(), name),
    set: (_, name, value) => {
      if (typeof name === 'string') here()[name] = String(value);
      return true;
    },
    deleteProperty: (_, name) => (typeof name === 'string' ? delete here()[name] : true),
    ownKeys: () => Object.keys(here()),
    getOwnPropertyDescriptor: (_, name) =>
      typeof name === 'string' && Object.hasOwn(here(), name)
        ? { value: here()[name], writable: true, enumerable: true, configurable: true }
        : undefined,
  });
}

/** `Date`, moved by as much as the sandbox's clock is ahead of the machine's, or that clock alone where it says so. */
function sandboxDate(): DateConstructor {
  const RealDate = Date;
  const now = () => (offset[1] ? 0 : RealDate.now()) + (offset[0] ?? 0);
  return new Proxy(RealDate, {
    construct: (target, parameters, newTarget) => Reflect.construct(target, parameters.length === 0 ? [now()] : parameters, newTarget),
    apply: () => new RealDate(now()).toString(),
    get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
  });
}

/** Everything that is printed belongs to the invocation that printed it, and reaches the sandbox's log, not the terminal. */
function captureOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.write = (chunk: string | Uint8Array, encoding?: unknown, callback?: unknown) => {
      const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      post({ kind: 'log', id: current.getStore()?.id ?? -1, text: text.replace(/\n$/, '') });
      const done = typeof encoding === 'function' ? encoding : callback;
      if (typeof done === 'function') done();
      return true;
    };
  }
}

/** Lambda freezes what has timed out. A thread cannot stop one promise chain, but it can make it reach nobody. */
function freezeNetwork(): void {
  const require = createRequire(import.meta.url);
  for (const name of ['node:http', 'node:https']) {
    const builtin: { request: (...parameters: unknown[]) => unknown } = require(name);
    const request = builtin.request;
    builtin.request = (...parameters) => {
      if (current.getStore()?.frozen) throw new Error('this invocation has timed out and is frozen');
      return request.apply(builtin, parameters);
    };
  }
  syncBuiltinESMExports();
}
