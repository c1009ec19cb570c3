import type { Json } from './bucket.ts';
import { notTakenBack } from './outcome.ts';
import { withoutDeleted } from './policy.ts';
import { SIDS } from './quarantine/levels.ts';
import type { IncidentView, LedgerEntry, Target, UndoEach, UndoRequest } from './incident.ts';
import { sessionPolicyName } from './share/sessions.ts';
import { OWNER } from './share/undo.ts';

/** One request that takes a change back, as an SDK takes it and as a person types it. */
export interface UndoStep {
  /** What it takes back, in words. */
  readonly title: string;
  /** The SDK's name of the operation and its input; `null` where no plain request of AWS takes it back. */
  readonly request: Pick<UndoRequest, 'operation' | 'input' | 'each'> | null;
  /** A line for a POSIX shell; a comment where there is no request. */
  readonly command: string;
}

/**
 * What undoes a containment without the suite, for the day the suite is down: the ledger read backwards, a plain request each,
 * in the order that S3 needs. It puts back what was saved and looks at nothing: what somebody changed since is overwritten.
 *
 * @see https://docs.aws.amazon.com/cli/latest/reference/s3api/
 * @see https://docs.aws.amazon.com/cli/latest/reference/dynamodb/update-item.html (`--cli-input-json` beside `--key`)
 */
export function undoSteps({ incident, ledger }: Pick<IncidentView, 'incident' | 'ledger'>): readonly UndoStep[] {
  const acts = notTakenBack(ledger).toReversed();
  const shutOut = acts.some(({ setting, after }) => setting === 'policy' && typeof after === 'string' && after.includes(`"${SIDS.full}`));
  return [...(shutOut ? [liftDeny(incident.target)] : []), ...acts.map((entry) => stepOf(entry, incident.target))];
}

/**
 * At level full nobody else gets in: the root user of the bucket's account may delete its policy whatever the policy says. The
 * block stays on meanwhile, and the saved policy comes back with its own step.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html ("even if their bucket policy explicitly denies the root principal's ability")
 */
function liftDeny(target: Target): UndoStep {
  const step = commandOf({ operation: 'DeleteBucketPolicy', options: [], input: {} }, target);
  return { title: "Lift the deny, as the root user of the account or a role that the quarantine leaves in", ...step };
}

function stepOf(entry: LedgerEntry, target: Target): UndoStep {
  const { title, setting, result } = entry;
  const before = setting === 'policy' ? writable(entry.before) : entry.before;
  const said = `${title}${result === 'intended' ? ' (not acknowledged: it may not have happened)' : ''}`;
  const undo = entry.undo === undefined ? shareUndo(entry, target) : filledIn(entry.undo, target);
  if (undo) return { title: said, request: undo, command: undo.each ? loopOf(undo, undo.each) : commandFor(undo) };
  if (setting.startsWith('cdn:')) return { title: said, request: null, command: '# nothing to take back: the next request fetches it again' };
  const write = target.kind === 'bucket' ? (before === null ? DELETE[setting] : PUT[setting]?.(before)) : undefined;
  if (!write) return { title: said, request: null, command: `# ${oneLine(`${said}: ${setting} has no plain command; restore it with Stopbath`)}` };
  return { title: said, ...commandOf(write, target) };
}

/** S3 takes no policy that names who was deleted. */
function writable(policy: Json): Json {
  return typeof policy === 'string' ? withoutDeleted(policy).policy : policy;
}

/** Of a revocation: what stands at a bucket that it names, and at a role. */
function shareUndo({ setting, before, incident }: LedgerEntry, { account }: Target): UndoRequest | null {
  const [kind = '', ...rest] = setting.split(':');
  const name = rest.join(':');
  if (name === '') return null;
  if (kind === 'signer') return { service: 'iam', operation: 'DeleteRolePolicy', input: { RoleName: name.split('/').at(-1) ?? name, PolicyName: sessionPolicyName(incident) } };
  if (kind !== 'policy') return null;
  const of = { Bucket: name, ExpectedBucketOwner: account };
  const Policy = writable(before);
  return typeof Policy === 'string' ? { service: 's3api', operation: 'PutBucketPolicy', input: { ...of, Policy } } : { service: 's3api', operation: 'DeleteBucketPolicy', input: of };
}

/** An owner's id stands in no plan; who may read the incident knows it. */
function filledIn(undo: UndoRequest, { kind, name }: Target): UndoRequest {
  if (kind !== 'owner') return undo;
  const filled: unknown = JSON.parse(JSON.stringify(undo, (_, value: unknown) => (typeof value === 'string' ? value.replaceAll(OWNER, () => name) : value)));
  return filled as UndoRequest;
}

function commandFor({ service, operation, input }: Pick<UndoRequest, 'service' | 'operation' | 'input'>, ...more: readonly string[]): string {
  return ['aws', service, dashed(operation), '--cli-input-json', quoted(JSON.stringify(input)), ...more].join(' ');
}

/** The same for many: the CLI goes through all pages of a query. What neither request fits is left as it is, and named. */
function loopOf(undo: UndoRequest, { key, ids, queries, otherwise }: UndoEach): string {
  const sources = [
    ...queries.map((input) => commandFor({ service: undo.service, operation: 'Query', input }, '--output', 'text', '--query', quoted(`Items[].${key}.S`))),
    ...(ids.length === 0 ? [] : [`printf '%s\\n' ${ids.map(quoted).join(' ')}`]),
  ];
  const one = (input: UndoRequest['input']) => `${commandFor({ ...undo, input }, '--key', `"${key}={S=$id}"`)} 2>/dev/null`;
  return `{ ${sources.join('; ')}; } | tr '\\t' '\\n' | while read -r id; do ${one(undo.input)} || ${one(otherwise)} || echo "left as it is: $id"; done`;
}

function commandOf({ operation, options, input }: Write, target: Target): Omit<UndoStep, 'title'> {
  const common = { Bucket: target.name, ExpectedBucketOwner: target.account };
  const words = ['aws', 's3api', dashed(operation), '--bucket', quoted(target.name), '--expected-bucket-owner', quoted(target.account), ...options.flatMap(([name, value]) => [name, quoted(value)])];
  return { request: { operation, input: { ...common, ...input } }, command: words.join(' ') };
}

interface Write {
  readonly operation: string;
  /** Beside bucket and owner. */
  readonly options: readonly (readonly [name: string, value: string])[];
  readonly input: { readonly [key: string]: Json };
}

const PUT: Readonly<Record<string, (before: Json) => Write>> = {
  publicAccessBlock: (before) => one('PutPublicAccessBlock', '--public-access-block-configuration', 'PublicAccessBlockConfiguration', before),
  policy: (before) => {
    const text = typeof before === 'string' ? before : JSON.stringify(before);
    return { operation: 'PutBucketPolicy', options: [['--policy', text]], input: { Policy: text } };
  },
  tagging: (before) => one('PutBucketTagging', '--tagging', 'Tagging', { TagSet: before }),
  lifecycle: (before) => {
    const { TransitionDefaultMinimumObjectSize: size = null, ...LifecycleConfiguration } = Object(before) as { readonly [key: string]: Json };
    const write = one('PutBucketLifecycleConfiguration', '--lifecycle-configuration', 'LifecycleConfiguration', LifecycleConfiguration);
    if (typeof size !== 'string') return write;
    return { ...write, options: [...write.options, ['--transition-default-minimum-object-size', size]], input: { ...write.input, TransitionDefaultMinimumObjectSize: size } };
  },
};

const DELETE: Readonly<Record<string, Write>> = {
  publicAccessBlock: { operation: 'DeletePublicAccessBlock', options: [], input: {} },
  policy: { operation: 'DeleteBucketPolicy', options: [], input: {} },
  tagging: { operation: 'DeleteBucketTagging', options: [], input: {} },
  // The CLI's own name: `delete-bucket-lifecycle`.
  lifecycle: { operation: 'DeleteBucketLifecycle', options: [], input: {} },
};

function one(operation: string, option: string, member: string, value: Json): Write {
  return { operation, options: [[option, JSON.stringify(value)]], input: { [member]: value } };
}

/**
 * One word for a POSIX shell, whatever is in it. What a terminal would obey is no part of a setting that S3 keeps; JSON
 * escapes it, and a policy's text has it escaped.
 */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** `PutBucketPolicy` → `put-bucket-policy` */
function dashed(operation: string): string {
  return operation.replaceAll(/(?!^)([A-Z])/g, '-$1').toLowerCase();
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ');
}
