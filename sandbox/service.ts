import type { Clock } from './clock.ts';

/**
 * What the rooms of the sandbox agree on: a service is a set of operations over the SDK's own input and output
 * types; the wire (`sandbox/wire/`) reads the SDK's schemas, so that no operation knows XML, JSON or HTTP.
 */
export interface Service {
  /** Signing name, as in the credential scope: `s3`, `dynamodb`, `states`, `events`, `lambda`, `ssm`, `iam`, `sts`. */
  readonly name: string;
  /** The SDK module that holds the schemas: `import * as sdk from '@aws-sdk/client-…'`. */
  readonly sdk: Readonly<Record<string, unknown>>;
  readonly protocol: 'rest-xml' | 'rest-json' | 'json-1.0' | 'json-1.1' | 'query';
  readonly operations: Readonly<Record<string, Operation>>;
  /** Requests that are this service's although their signature names another: S3 Control signs as `s3`. */
  readonly claims?: (request: HttpRequest) => boolean;
  /** Replaces the default (identity policies only) where a resource has a policy of its own. Throws `AwsError`. */
  readonly authorize?: (operation: string, input: unknown, call: Call) => void;
  /** Requests that are no API operation: function URLs, website hosting. Signed or anonymous; `call` says which. */
  readonly http?: {
    readonly serves: (request: HttpRequest) => boolean;
    readonly handle: (request: HttpRequest, call: Call) => HttpResponse | Promise<HttpResponse>;
  };
  /** Takes what `World.emit` puts: EventBridge alone has it. */
  readonly emit?: World['emit'];
}

/** A request as it arrived, with its body read (and `aws-chunked` undone). */
export interface HttpRequest {
  readonly method: string;
  /** The `Host` header without its port. */
  readonly host: string;
  /** The path as sent, still percent-encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

export interface Operation {
  /** What the caller must be allowed. Absent: anyone who signs may call it (`sts:GetCallerIdentity`). */
  readonly needs?: (input: unknown, call: Call) => readonly Need[];
  readonly run: (input: unknown, call: Call) => unknown;
}

export type Operations = Readonly<Record<string, Operation>>;

/** Gives an operation the SDK's types: `PutBucketPolicy: operation<PutBucketPolicyCommandInput, …>({ … })`. */
export function operation<Input, Output extends object | void>(typed: {
  readonly needs?: (input: Input, call: Call) => readonly Need[];
  readonly run: (input: Input, call: Call) => Omit<Output, '$metadata'> | Promise<Omit<Output, '$metadata'>>;
}): Operation {
  return typed as Operation;
}

export interface Need {
  /** `s3:GetBucketPolicy` */
  readonly action: string;
  /** Full ARN, or `*` where AWS has no resource-level permission for the action. */
  readonly resource: string;
  /** Condition keys of this need beside those of the call, lower case: `{ 's3:prefix': 'a/' }`. */
  readonly context?: ConditionContext;
}

/** Condition keys in lower case to their values; an absent key is absent. */
export type ConditionContext = Readonly<Record<string, string | readonly string[]>>;

/** One request that arrived, after its signature was verified. */
export interface Call {
  readonly world: World;
  readonly caller: Caller;
  readonly requestId: string;
  readonly region: string;
  readonly sourceIp: string;
  /** Sandbox time of arrival, ms since the epoch. */
  readonly time: number;
  /** `none` for anonymous requests and for calls that the sandbox makes for a service. */
  readonly authType: 'REST-HEADER' | 'REST-QUERY-STRING' | 'none';
  /** Extra condition keys of this call (lower case), such as `lambda:invokedviafunctionurl`. */
  readonly context?: ConditionContext;
  readonly userAgent?: string;
}

export type Caller =
  | { readonly kind: 'anonymous' }
  /** `events.amazonaws.com` and the like, acting inside the sandbox. */
  | { readonly kind: 'service'; readonly service: string; /** `aws:SourceArn`: the rule that sends, the machine that runs. */ readonly sourceArn?: string }
  | {
      readonly kind: 'user' | 'role' | 'root';
      readonly account: string;
      /** What `aws:PrincipalArn` says: the user's or the *role's* ARN. */
      readonly principalArn: string;
      /** What STS says: `arn:aws:sts::…:assumed-role/name/session` for a role. */
      readonly arn: string;
      /** `aws:userid`: `AROA…:session` or `AIDA…`. */
      readonly userId: string;
      /** The key it signed with; absent where the sandbox calls for it. */
      readonly accessKeyId?: string;
      /** ms since the epoch at which temporary credentials were issued; absent for keys of a user. */
      readonly tokenIssuedAt?: number;
    };

/**
 * An AWS error as a client sees it.
 * `code` is the wire code (`NoSuchBucketPolicy`), `status` the HTTP status, `fields` further members of the error.
 */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  readonly code: string;
  readonly status: number;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, status = 400, fields: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.fields = fields;
  }
}

/** The connection ends before the answer, or in the middle of it. Whoever calls from within the sandbox gets a failure of the service. */
export class CutError extends AwsError {
  readonly cut: 'before' | 'within';

  constructor(cut: CutError['cut'], code: string) {
    super(code, 'The connection was cut', 500);
    this.cut = cut;
  }
}

/** One finished call: what least-privilege and performance checks read. */
export interface CallRecord {
  readonly time: number;
  readonly service: string;
  readonly operation: string;
  /** The caller's `arn`, `anonymous`, or the service principal. */
  readonly caller: string;
  readonly principalArn: string | null;
  readonly needs: readonly Need[];
  readonly status: number;
  readonly error: string | null;
}

/** A failure that a scenario scripts: the calls that match get it instead of (or after) their effect. */
export interface Fault {
  readonly service: string;
  readonly operation: string;
  /** Only calls of this role (its name); absent: anyone's. */
  readonly role?: string;
  /** The first match it applies to, counted from 1; 1 unless told. */
  readonly from?: number;
  /** How many matches in a row it applies to; 1 unless told. */
  readonly times?: number;
  readonly code: string;
  readonly message?: string;
  readonly status?: number;
  /** `before` the effect (default) or `after` it: the client sees the error although the call took effect. */
  readonly when?: 'before' | 'after';
}

/** Credentials as a client uses them. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** What a service may use of the sandbox around it. */
export interface World {
  readonly clock: Clock;
  /** The home account and region; callers and buckets of other accounts exist too. */
  readonly account: string;
  readonly region: string;
  /** `http://127.0.0.1:4566` */
  readonly endpoint: string;
  /** How long S3 settings take to reach the data plane, ms. */
  readonly propagationMs: number;
  /** Calls an operation inside the sandbox as somebody: authorised, counted and failed like a call over HTTP. */
  call(service: string, operation: string, input: unknown, as: Caller, region?: string): Promise<unknown>;
  /** A caller for a role, as a service that assumes it gets (trust policy checked against the service principal). */
  assume(roleArn: string, sessionName: string, service: string, sourceArn?: string): Caller;
  /** The same as credentials, for code that calls over HTTP. */
  credentials(roleArn: string, sessionName: string, service: string, sourceArn?: string): Credentials;
  /** Puts an event of an AWS service (`aws.states`) on the default bus. */
  emit(event: { readonly source: string; readonly detailType: string; readonly detail: unknown; readonly resources: readonly string[] }): void;
  /**
   * What the caller's own policies (session policy included) say to a need: the identity half of every decision.
   * `none` is the default deny; root is allowed everything; anonymous callers and services have no policies.
   */
  identityDecision(call: Call, need: Need): Decision;
  /** The unique id of a user or role that there is now (`AROA…`); `null` where there is none. */
  readonly idOf: (arn: string) => string | null;
  readonly random: () => number;
}

/** Explicit deny, allow, or neither. */
export type Decision = 'allow' | 'deny' | 'none';
