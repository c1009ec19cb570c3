import { AwsError } from '../../service.ts';

/** A function as the sandbox keeps it. */
export interface LambdaFunction extends FunctionDefinition {
  readonly arn: string;
  readonly createdAt: number;
  /** Statements of its resource policy, by statement id. */
  readonly policy: Map<string, object>;
  url: UrlConfig | null;
  async: AsyncConfig;
}

/** What a deployment says of a function; the code is a module instead of an archive. */
export interface FunctionDefinition {
  readonly name: string;
  readonly description: string;
  /** Path of the module that exports `handler`. */
  readonly module: string;
  /** ARN of the role it runs under. */
  readonly role: string;
  readonly timeoutSeconds: number;
  /** MB. */
  readonly memorySize: number;
  /** How many run at once, and are kept for it; absent or `null`: as many as the account has left. */
  readonly reservedConcurrency?: number | null;
  readonly environment: Readonly<Record<string, string>>;
}

export interface UrlConfig {
  readonly authType: 'AWS_IAM' | 'NONE';
  readonly createdAt: number;
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html */
export interface AsyncConfig {
  /** 0 to 2. */
  readonly maximumRetries: number;
  readonly maximumAgeSeconds: number;
  /** ARNs. */
  readonly onFailure: string | null;
  readonly onSuccess: string | null;
}

export const DEFAULT_ASYNC: AsyncConfig = { maximumRetries: 2, maximumAgeSeconds: 21_600, onFailure: null, onSuccess: null };

/** The functions of one account, found by name, ARN or partial ARN, with or without a qualifier. */
export class Functions {
  readonly #byName = new Map<string, LambdaFunction>();
  readonly #prefix: string;

  constructor(region: string, account: string) {
    this.#prefix = `arn:aws:lambda:${region}:${account}:function:`;
  }

  put(definition: FunctionDefinition, createdAt: number): LambdaFunction {
    const before = this.#byName.get(definition.name);
    const made: LambdaFunction = {
      ...definition,
      arn: `${this.#prefix}${definition.name}`,
      createdAt: before?.createdAt ?? createdAt,
      policy: before?.policy ?? new Map(),
      url: before?.url ?? null,
      async: before?.async ?? DEFAULT_ASYNC,
    };
    this.#byName.set(definition.name, made);
    return made;
  }

  /** @throws {AwsError} `ResourceNotFoundException` */
  get(reference: string | undefined): LambdaFunction {
    const arn = this.arnOf(reference);
    const found = this.#byName.get(arn.slice(this.#prefix.length));
    if (!found || !arn.startsWith(this.#prefix)) {
      throw new AwsError('ResourceNotFoundException', `Function not found: ${arn}`, 404, { Type: 'User' });
    }
    return found;
  }

  /** The ARN that a reference means, whether or not there is such a function. */
  arnOf(reference: string | undefined): string {
    const [, name = ''] = /^(?:arn:aws:lambda:[^:]*:\d*:function:|\d{12}:function:)?([^:]*)(?::[^:]*)?$/.exec(reference ?? '') ?? [];
    return reference?.startsWith('arn:') && name !== '' ? reference.split(':').slice(0, 7).join(':') : `${this.#prefix}${name}`;
  }

  list(): readonly LambdaFunction[] {
    return [...this.#byName.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1));
  }
}
