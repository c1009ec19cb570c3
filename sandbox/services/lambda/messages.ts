/** What the sandbox and its worker thread say to each other. Payloads are JSON text, as between Lambda and a runtime. */
export type ToWorker =
  | {
      readonly kind: 'invoke';
      readonly id: number;
      /** The handler's module: a file URL. */
      readonly module: string;
      readonly environment: Readonly<Record<string, string>>;
      readonly payload: string;
      readonly context: InvocationContext;
    }
  /** Loads a module ahead of its first invocation, as a provisioned environment would. */
  | { readonly kind: 'load'; readonly module: string; readonly environment: Readonly<Record<string, string>> }
  /** The invocation timed out: from now on it reaches nobody. Answered by `frozen`, unless the thread is stuck. */
  | { readonly kind: 'freeze'; readonly id: number }
  /** Asks for an answer, `turned`, when the thread has come to an end of what it has to do. */
  | { readonly kind: 'turn' };

export type FromWorker =
  | { readonly kind: 'result'; readonly id: number; readonly ok: boolean; readonly payload: string }
  | { readonly kind: 'log'; readonly id: number; readonly text: string }
  | { readonly kind: 'frozen'; readonly id: number }
  | { readonly kind: 'turned' };

/** The `context` argument, less its methods. */
export interface InvocationContext {
  readonly functionName: string;
  readonly functionVersion: string;
  readonly invokedFunctionArn: string;
  readonly memoryLimitInMB: string;
  readonly awsRequestId: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  /** Sandbox time, ms since the epoch. */
  readonly deadline: number;
}
