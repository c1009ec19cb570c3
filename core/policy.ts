/**
 * IAM policy documents as data: parsed once, read by whoever decides.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
export interface Policy {
  readonly version: string;
  readonly id: string | null;
  readonly statements: readonly Statement[];
}

export interface Statement {
  readonly sid: string | null;
  readonly effect: 'Allow' | 'Deny';
  /** `null` where the statement has none (identity policies). `'*'` alone and `{"AWS": "*"}` both become `AWS: ['*']`. */
  readonly principal: Principals | null;
  readonly notPrincipal: Principals | null;
  readonly actions: readonly string[] | null;
  readonly notActions: readonly string[] | null;
  readonly resources: readonly string[] | null;
  readonly notResources: readonly string[] | null;
  readonly conditions: readonly Condition[];
}

/** Principal type (`AWS`, `Service`, `Federated`, `CanonicalUser`) to its values. */
export type Principals = Readonly<Record<string, readonly string[]>>;

export interface Condition {
  /** As written: `StringEquals`, `ForAnyValue:StringLikeIfExists`. */
  readonly operator: string;
  /** Lower case: condition keys are case-insensitive. */
  readonly key: string;
  readonly values: readonly string[];
}

/** A policy that is not JSON or not a policy. `path` names the place. */
export class PolicyParseError extends Error {
  override readonly name = 'PolicyParseError';
  readonly path: string;

  constructor(path: string, message: string, options?: ErrorOptions) {
    super(`policy ${path}: ${message}`, options);
    this.path = path;
  }
}

/**
 * Parse a policy's text.
 *
 * @throws {PolicyParseError} where it is not JSON or not a policy
 */
export function parsePolicy(text: string): Policy {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new PolicyParseError('$', 'is not JSON', { cause });
  }
  return readPolicy(document);
}

/** The same for a document that is already an object, as in an IAM role's definition. */
export function readPolicy(document: unknown): Policy {
  if (!isRecord(document)) throw new PolicyParseError('$', 'is not an object');
  const statement = document['Statement'];
  const list = Array.isArray(statement) ? statement : [statement];
  return {
    version: typeof document['Version'] === 'string' ? document['Version'] : '2008-10-17',
    id: typeof document['Id'] === 'string' ? document['Id'] : null,
    statements: list.map((entry, index) => readStatement(entry, `$.Statement[${index}]`)),
  };
}

/**
 * A bucket policy's text in the one form in which the suite reads, plans, writes and compares it; what it means stays as it is. S3 does not give a policy
 * back as it was written: a list of one becomes that one, and lists come in any order, another one at another read. Statements keep their
 * order, which S3 keeps too: the library by which Terraform compares policies takes it as a difference.
 *
 * @returns the text itself where it is not JSON
 * @see https://github.com/hashicorp/terraform/issues/2432 (lists of one, order of actions and resources)
 * @see https://github.com/ansible/ansible/issues/29341 (AWS support: the order has no effect), https://github.com/ansible/ansible/issues/42532 (lists of one)
 * @see https://pkg.go.dev/github.com/hashicorp/awspolicyequivalence
 */
export function settledPolicy(text: string): string {
  try {
    return policyText(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

/** The same for a document that is already an object. */
export function policyText(document: unknown): string {
  return JSON.stringify(settled(document, 'policy'));
}

/**
 * A policy as S3 takes it back: in place of the ARN of a user or role that was deleted S3 shows a unique id, and refuses a policy with one
 * ("Invalid principal in policy"). Such an id is never given again, so without it the policy lets in and keeps out whom it did.
 *
 * @returns `policy`: `null` where no statement is left; the text itself where it names none · `ids`: what was taken out
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-bucket-user-policy-specifying-principal-intro.html ("you can safely remove principals with unique identifiers")
 * @see https://github.com/ministryofjustice/analytical-platform/pull/4932
 */
export function withoutDeleted(text: string): { readonly policy: string | null; readonly ids: readonly string[] } {
  const document = readJson(text);
  if (!isRecord(document)) return { policy: text, ids: [] };
  const ids = new Set<string>();
  const statements = [document['Statement'] ?? []].flat().flatMap((statement: unknown) => (isRecord(statement) ? statementWithout(statement, ids) : [statement]));
  if (ids.size === 0) return { policy: text, ids: [] };
  return { policy: statements.length === 0 ? null : policyText({ ...document, Statement: statements }), ids: [...ids] };
}

/** `null` for what is no JSON: a ticket still says what was saved. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const DELETED = /^A(?:ROA|IDA)[A-Z0-9]{12,}$/;

function statementWithout(statement: Readonly<Record<string, unknown>>, ids: Set<string>): readonly unknown[] {
  const name = isRecord(statement['Principal']) ? 'Principal' : 'NotPrincipal';
  const principals = statement[name];
  const listed: readonly unknown[] = isRecord(principals) ? [principals['AWS'] ?? []].flat() : [];
  const gone = listed.filter((value): value is string => typeof value === 'string' && DELETED.test(value));
  if (!isRecord(principals) || gone.length === 0) return [statement];
  for (const id of gone) ids.add(id);
  const { AWS: _, ...others } = principals;
  const left = gone.length === listed.length ? others : { ...others, AWS: listed.filter((value) => !gone.some((id) => id === value)) };
  if (Object.keys(left).length > 0) return [{ ...statement, [name]: left }];
  // Nobody is meant any more; "everybody but nobody" is everybody.
  const { NotPrincipal: __, ...rest } = statement;
  return name === 'Principal' ? [] : [{ ...rest, Principal: '*' }];
}

/** As AWS writes them; others follow by name. */
const KEYS = ['Version', 'Id', 'Statement', 'Sid', 'Effect', 'Principal', 'NotPrincipal', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition'];

/** What of a policy a value is, where that says how it is written. */
type Part = 'policy' | 'statements' | 'statement' | 'principal' | 'other';

function partIn(whole: Part, name: string): Part {
  if (whole === 'policy' && name === 'Statement') return 'statements';
  return whole === 'statement' && name === 'Principal' ? 'principal' : 'other';
}

function settled(value: unknown, part: Part): unknown {
  if (part === 'statements') return (Array.isArray(value) ? value : [value]).map((entry) => settled(entry, 'statement'));
  if (Array.isArray(value)) {
    const word = (entry: unknown) => (typeof entry === 'string' ? entry : JSON.stringify(entry));
    const list = [...new Set<unknown>(value.map((entry) => settled(entry, 'other')))].toSorted((a, b) => (word(a) < word(b) ? -1 : 1));
    return list.length === 1 ? list[0] : list;
  }
  if (!isRecord(value)) return value;
  const place = (name: string) => (KEYS.includes(name) ? KEYS.indexOf(name) : KEYS.length);
  const entries = Object.entries(value).map(([name, entry]) => [name, settled(entry, partIn(part, name))] as const);
  const ordered = Object.fromEntries(entries.toSorted(([a], [b]) => place(a) - place(b) || (a < b ? -1 : 1)));
  // Two ways to write "everybody".
  return part === 'principal' && ordered['AWS'] === '*' && entries.length === 1 ? '*' : ordered;
}

function readStatement(entry: unknown, path: string): Statement {
  if (!isRecord(entry)) throw new PolicyParseError(path, 'is not an object');
  const effect = entry['Effect'];
  if (effect !== 'Allow' && effect !== 'Deny') throw new PolicyParseError(`${path}.Effect`, 'must be Allow or Deny');
  if (entry['Action'] === undefined && entry['NotAction'] === undefined) throw new PolicyParseError(path, 'has neither Action nor NotAction');
  return {
    sid: typeof entry['Sid'] === 'string' ? entry['Sid'] : null,
    effect,
    principal: readPrincipals(entry['Principal'], `${path}.Principal`),
    notPrincipal: readPrincipals(entry['NotPrincipal'], `${path}.NotPrincipal`),
    actions: readStrings(entry['Action'], `${path}.Action`),
    notActions: readStrings(entry['NotAction'], `${path}.NotAction`),
    resources: readStrings(entry['Resource'], `${path}.Resource`),
    notResources: readStrings(entry['NotResource'], `${path}.NotResource`),
    conditions: readConditions(entry['Condition'], `${path}.Condition`),
  };
}

function readPrincipals(value: unknown, path: string): Principals | null {
  if (value === undefined) return null;
  if (value === '*') return { AWS: ['*'] };
  if (!isRecord(value)) throw new PolicyParseError(path, 'must be "*" or an object');
  return Object.fromEntries(Object.entries(value).map(([type, values]) => [type, readStrings(values, `${path}.${type}`) ?? []]));
}

function readConditions(value: unknown, path: string): readonly Condition[] {
  if (value === undefined) return [];
  if (!isRecord(value)) throw new PolicyParseError(path, 'must be an object');
  return Object.entries(value).flatMap(([operator, keys]) => {
    if (!isRecord(keys)) throw new PolicyParseError(`${path}.${operator}`, 'must be an object');
    return Object.entries(keys).map(([key, values]) => ({
      operator,
      key: key.toLowerCase(),
      values: readValues(values, `${path}.${operator}`),
    }));
  });
}

/** Booleans and numbers are allowed where strings are: `{"Bool": {"aws:SecureTransport": false}}`. */
function readValues(value: unknown, path: string): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((entry) => {
    if (typeof entry !== 'string' && typeof entry !== 'number' && typeof entry !== 'boolean') throw new PolicyParseError(path, 'must be a string, a number or a boolean');
    return String(entry);
  });
}

function readStrings(value: unknown, path: string): readonly string[] | null {
  if (value === undefined) return null;
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((entry) => {
    if (typeof entry !== 'string') throw new PolicyParseError(path, 'must be a string or a list of strings');
    return entry;
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
