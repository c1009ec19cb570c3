import { Worker } from 'node:worker_threads';
import type { Clock } from '../../clock.ts';
import type { FromWorker, InvocationContext, ToWorker } from './messages.ts';

/** Where functions run: one worker thread for all of them, since each thread costs some 40 MB. */
export interface Runtime {
  /** Runs one invocation. Never rejects: whatever goes wrong in a function is an outcome. */
  invoke(invocation: Invocation): Promise<Outcome>;
  /** Starts the thread and loads a function ahead of its first invocation. */
  warm(module: string, environment: Readonly<Record<string, string>>): void;
  /** Resolves once the thread has come to an end of what it has to do, and waits; at once where there is none. */
  turn(): Promise<void>;
  /** Ends the thread as a crash would; the next invocation starts a new one. */
  kill(): Promise<void>;
}

export interface Invocation {
  /** The handler's module: a file URL. */
  readonly module: string;
  readonly environment: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly payload: string;
  readonly context: InvocationContext;
  readonly timeoutSeconds: number;
  readonly onLog: (text: string) => void;
}

export interface Outcome {
  readonly ok: boolean;
  /** JSON text: the result, or `{ errorType, errorMessage, trace? }`. */
  readonly payload: string;
}

interface Pending {
  readonly settle: (outcome: Outcome) => void;
  readonly onLog: (text: string) => void;
  readonly requestId: string;
}

/** How long a timed-out invocation's thread may take to answer before it counts as stuck, ms. */
const STUCK_MS = 500;

export function createRuntime(clock: Clock, onStrayLog: (text: string) => void): Runtime {
  const pending = new Map<number, Pending>();
  const owners = new Map<number, Worker>();
  const freezing = new Map<number, () => void>();
  const turning: (() => void)[] = [];
  /** Settled once it is known that the thread still answers, or it has been ended. */
  let trusted: Promise<unknown> = Promise.resolve();
  let worker: Worker | undefined;
  let lastId = 0;

  const start = (): Worker => {
    if (worker) return worker;
    const started = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: { offset: clock.offset },
      env: {},
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdout: true,
      stderr: true,
      // Room for short-lived objects is what makes a thread large; functions are small.
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    });
    started.on('message', (message: FromWorker) => receive(message));
    started.on('error', (error) => onStrayLog(`worker: ${error.stack ?? error.message}`));
    started.on('exit', () => {
      if (worker === started) worker = undefined;
      failAll(started);
      for (const turned of turning.splice(0)) turned();
    });
    started.unref();
    worker = started;
    return started;
  };

  const receive = (message: FromWorker): void => {
    if (message.kind === 'log') {
      const log = pending.get(message.id)?.onLog ?? onStrayLog;
      log(message.text);
    } else if (message.kind === 'turned') {
      turning.shift()?.();
    } else if (message.kind === 'frozen') {
      freezing.get(message.id)?.();
    } else {
      pending.get(message.id)?.settle({ ok: message.ok, payload: message.payload });
    }
  };

  const failAll = (dead: Worker): void => {
    for (const [id, { settle, requestId }] of pending) {
      if (owners.get(id) === dead) settle(failure('Runtime.ExitError', `RequestId: ${requestId} Error: Runtime exited with error: signal: killed`));
    }
  };

  const freeze = (id: number): void => {
    const owner = owners.get(id);
    if (!owner) return;
    const answered = new Promise<void>((resolve) => {
      // A thread that computes and never yields can only be ended, and takes what else it runs with it.
      const stuck = setTimeout(() => resolve(owner.terminate().then(() => undefined)), STUCK_MS);
      freezing.set(id, () => {
        clearTimeout(stuck);
        freezing.delete(id);
        resolve();
      });
    });
    trusted = Promise.all([trusted, answered]);
    owner.postMessage({ kind: 'freeze', id } satisfies ToWorker);
  };

  return {
    invoke: (invocation) =>
      clock.work(async () => {
        await trusted;
        return await new Promise<Outcome>((resolve) => {
          const id = ++lastId;
          const thread = start();
          const { requestId, seconds } = { requestId: invocation.context.awsRequestId, seconds: invocation.timeoutSeconds };
          // Real time: a function works in real time, and a skipping clock stands still while it does.
          const timer = setTimeout(() => {
            freeze(id);
            settle(failure('Sandbox.Timedout', `RequestId: ${requestId} Error: Task timed out after ${seconds.toFixed(2)} seconds`));
          }, seconds * 1000);
          const settle = (outcome: Outcome) => {
            clearTimeout(timer);
            pending.delete(id);
            owners.delete(id);
            if (pending.size === 0) thread.unref();
            resolve(outcome);
          };
          pending.set(id, { settle, onLog: invocation.onLog, requestId });
          owners.set(id, thread);
          thread.ref();
          const { module, environment, payload, context } = invocation;
          thread.postMessage({ kind: 'invoke', id, module, environment, payload, context } satisfies ToWorker);
        });
      }),
    warm: (module, environment) => start().postMessage({ kind: 'load', module, environment } satisfies ToWorker),
    turn: async () =>
      await new Promise((resolve) => {
        if (!worker) return void setImmediate(resolve);
        turning.push(resolve);
        worker.postMessage({ kind: 'turn' } satisfies ToWorker);
      }),
    kill: async () => {
      const ending = worker;
      worker = undefined;
      await ending?.terminate();
      for (const settle of freezing.values()) settle();
    },
  };
}

function failure(errorType: string, errorMessage: string): Outcome {
  return { ok: false, payload: JSON.stringify({ errorType, errorMessage }) };
}
