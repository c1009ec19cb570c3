import { policyText } from '../policy.ts';
import { SID_PREFIX, POLICY_LIMIT_BYTES } from '../quarantine/levels.ts';

/** URLs of a bucket's objects that are to die, and who reads on. */
export interface UrlDenial {
  readonly incident: string;
  readonly bucket: string;
  /** Keys' beginnings; `''` is every object. */
  readonly prefixes: readonly string[];
  readonly keys: readonly string[];
  /** Objects by a tag of theirs instead, where the places do not fit; `null` where objects carry none. */
  readonly tag: { readonly key: string; readonly value: string } | null;
  /** Roles whose presigned URLs go on: their older sessions are denied at the role. */
  readonly spared: readonly string[];
  /** ARNs of the distributions that read the bucket by origin access control. */
  readonly distributions: readonly string[];
  /** ARNs of the origin access identities by which older distributions do. */
  readonly identities: readonly string[];
}

export interface DeniedPolicy {
  readonly policy: string;
  /** What does not fit, and what else is blocked. */
  readonly notes: readonly string[];
}

/**
 * A bucket policy with the denial of presigned URLs and of the distributions' reads added, and all else as it was. S3's
 * limit is kept: places that do not fit are given up for the tag, then for whole folders, and what is left out is said.
 *
 * A deny asks how a request is signed, not by whom: a signed header goes on, so that the service, responders and the suite
 * itself are not locked out. The distributions are denied at their origin, since an invalidation alone kills no URL.
 *
 * @returns `null` where nothing of it fits
 * @throws {SyntaxError} where the policy is not JSON; S3 keeps none such
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html (`s3:authType`: REST-QUERY-STRING is a presigned URL)
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/tagging-and-policies.html (`s3:ExistingObjectTag/<key>`)
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html (`AWS:SourceArn`)
 */
export function withUrlDenial(policy: string | null, denial: UrlDenial): DeniedPolicy | { readonly policy: null; readonly notes: readonly string[] } {
  const base = withoutUrlDenial(policy, denial.incident);
  // Where it stands already: what others put behind it since makes no other policy of it.
  const at = policy === null ? -1 : read(policy).statements.findIndex((statement) => isOwn(statement, denial.incident));
  const attempt = (places: Places) => rendered(base, statementsOf(denial, places), at);
  const exact: Places = { prefixes: denial.prefixes, keys: denial.keys.filter((key) => !denial.prefixes.some((prefix) => key.startsWith(prefix))), tag: null };
  const blocked = blockedNotes(denial);

  const whole = attempt(exact);
  if (fits(whole)) return { policy: whole, notes: blocked };
  if (denial.tag) {
    const tagged = attempt({ prefixes: [''], keys: [], tag: denial.tag });
    if (fits(tagged)) return { policy: tagged, notes: [...blocked, `${count(exact)} places do not fit the bucket policy: objects are denied by their tag ${denial.tag.key} instead, and those without it are not.`] };
  }
  const folders = foldersOf(exact);
  const wide = attempt(folders);
  if (fits(wide)) return { policy: wide, notes: [...blocked, `${count(exact)} places do not fit the bucket policy of ${POLICY_LIMIT_BYTES} bytes: ${folders.prefixes.length} whole folders are denied, and with them everything else that lies there.`] };
  const left = largestThatFits(folders.prefixes, (prefixes) => fits(attempt({ prefixes, keys: [], tag: null })));
  const dropped = folders.prefixes.length - left.length;
  const note = `${dropped} of ${folders.prefixes.length} folders do not fit the bucket policy of ${POLICY_LIMIT_BYTES} bytes: URLs of what lies there go on until they expire. Shorten the policy and start again, or quarantine the bucket.`;
  return left.length === 0 ? { policy: null, notes: [note] } : { policy: attempt({ prefixes: left, keys: [], tag: null }), notes: [...blocked, note] };
}

/** The policy without what an incident's denial put there; others' statements stay. `null` where nothing is left of it. */
export function withoutUrlDenial(policy: string | null, incident: string): string | null {
  if (policy === null) return null;
  const { document, statements } = read(policy);
  const kept = statements.filter((statement) => !isOwn(statement, incident));
  if (kept.length === statements.length) return policy;
  return kept.length === 0 ? null : policyText({ ...document, Statement: kept });
}

export function hasUrlDenial(policy: string | null, incident: string): boolean {
  return policy !== null && read(policy).statements.some((statement) => isOwn(statement, incident));
}

interface Places {
  readonly prefixes: readonly string[];
  readonly keys: readonly string[];
  readonly tag: UrlDenial['tag'];
}

function statementsOf(denial: UrlDenial, { prefixes, keys, tag }: Places): readonly object[] {
  const arn = `arn:aws:s3:::${denial.bucket}/`;
  const Resource = [...prefixes.map((prefix) => `${arn}${literal(prefix)}*`), ...keys.map((key) => arn + literal(key))];
  const tagged = tag === null ? {} : { [`s3:ExistingObjectTag/${tag.key}`]: tag.value };
  // A version is read by an action of its own, also of the newest one.
  const deny = (name: string, Principal: unknown, Condition: object) => ({ Sid: `${sidOf(denial.incident)}${name}`, Effect: 'Deny', Principal, Action: ['s3:GetObject', 's3:GetObjectVersion'], Resource, Condition });
  const spared = denial.spared.length === 0 ? {} : { ArnNotEquals: { 'aws:PrincipalArn': [...denial.spared] } };
  const bare = tag === null ? {} : { StringEquals: tagged };
  return [
    deny('Presigned', '*', { StringEquals: { 's3:authType': 'REST-QUERY-STRING', ...tagged }, ...spared }),
    ...(denial.distributions.length === 0 ? [] : [deny('Cdn', { Service: 'cloudfront.amazonaws.com' }, { ...bare, ArnEquals: { 'aws:SourceArn': [...denial.distributions] } })]),
    ...(denial.identities.length === 0 ? [] : [deny('CdnIdentity', { AWS: [...denial.identities] }, bare)]),
  ];
}

/**
 * What IAM would read as a pattern or as a variable (`*`, `?`, `${…}`) becomes "any one character", which every version of
 * the policy language knows: a key may hold anything.
 */
function literal(key: string): string {
  return key.replaceAll(/[*?$]/g, '?');
}

/** Keys by the folder that they lie in; those at the top are the whole bucket. */
function foldersOf({ prefixes, keys }: Places): Places {
  const folders = new Set([...prefixes, ...keys.map((key) => key.slice(0, key.lastIndexOf('/') + 1))]);
  return { prefixes: [...folders].filter((folder) => ![...folders].some((other) => other !== folder && folder.startsWith(other))).toSorted(), keys: [], tag: null };
}

function largestThatFits(items: readonly string[], test: (items: readonly string[]) => boolean): readonly string[] {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (test(items.slice(0, middle))) low = middle;
    else high = middle - 1;
  }
  return items.slice(0, low);
}

function blockedNotes({ spared, distributions, identities }: UrlDenial): readonly string[] {
  const cdn = distributions.length + identities.length;
  return [
    spared.length === 0
      ? 'Every presigned URL of these pictures is refused until the restore, whoever signs it, also those that the service hands out from now on.'
      : `Presigned URLs of these pictures go on only where ${spared.map((role) => role.split('/').at(-1)).join(', ')} signed them, in a session from after the change.`,
    ...(cdn === 0 ? [] : [`${cdn === 1 ? 'The distribution' : `${cdn} distributions`} in front of the bucket ${cdn === 1 ? 'serves' : 'serve'} these pictures to nobody until the restore, their owners included.`]),
  ];
}

function rendered(policy: string | null, added: readonly object[], at: number): string {
  const { document, statements } = policy === null ? { document: { Version: '2012-10-17' }, statements: [] } : read(policy);
  return policyText({ ...document, Statement: statements.toSpliced(at < 0 ? statements.length : at, 0, ...added) });
}

function read(policy: string): { readonly document: object; readonly statements: readonly unknown[] } {
  const document: unknown = JSON.parse(policy);
  const object = typeof document === 'object' && document !== null ? document : {};
  const present: unknown = 'Statement' in object ? object.Statement : undefined;
  return { document: object, statements: Array.isArray(present) ? present : present === undefined ? [] : [present] };
}

function isOwn(statement: unknown, incident: string): boolean {
  const sid: unknown = typeof statement === 'object' && statement !== null && 'Sid' in statement ? statement.Sid : undefined;
  return typeof sid === 'string' && sid.replace(/(?:Presigned|Cdn|CdnIdentity)$/, '') === sidOf(incident);
}

function sidOf(incident: string): string {
  return `${SID_PREFIX}Urls${incident.replaceAll(/[^A-Za-z0-9]/g, '')}`;
}

function fits(policy: string): boolean {
  return Buffer.byteLength(policy) <= POLICY_LIMIT_BYTES;
}

function count({ prefixes, keys }: Places): number {
  return prefixes.length + keys.length;
}
