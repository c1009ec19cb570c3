import { z } from 'zod';
import { trackersSchema, type Trackers } from '../core/ticket/trackers.ts';
import { sharesSchema, type Shares } from '../core/share/config.ts';

const list = z
  .string()
  .default('')
  .transform((text) => text.split(',').map((entry) => entry.trim()).filter((entry) => entry !== ''));
const optional = z
  .string()
  .default('')
  .transform((text) => (text === '' ? null : text));
const mode = z.enum(['observe', 'approve', 'contain']);
function asJson(text: string, context: { readonly addIssue: (message: string) => void }): unknown {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue('is not JSON');
    return z.NEVER;
  }
}
const count = (fallback: number) => z.coerce.number().int().positive().default(fallback);

const schema = z.object({
  AWS_REGION: z.string(),
  AWS_LAMBDA_FUNCTION_NAME: z.string(),
  LAMBDA_TASK_ROOT: z.string().default('.'),
  STOPBATH_NAME: z.string(),
  STOPBATH_ACCOUNT: z.string().regex(/^\d{12}$/),
  STOPBATH_TABLE: z.string(),
  STOPBATH_EVIDENCE_BUCKET: z.string(),
  STOPBATH_TICKET_QUEUE: optional,
  STOPBATH_EVENT_QUEUE: optional,
  /** Member accounts, beside the suite's own. */
  STOPBATH_ACCOUNTS: list,
  STOPBATH_EXTERNAL_ID: optional,
  /** What events are judged by, beside what is found. */
  STOPBATH_PHOTO_KEYS: list,
  /** Beside the suite's own. */
  STOPBATH_REGIONS: list,
  /** Whether a tracker archives GuardDuty's findings when an incident ends. */
  STOPBATH_ARCHIVES_FINDINGS: z.enum(['true', 'false']).default('false').transform((text) => text === 'true'),
  STOPBATH_MODE_CAP: mode.default('observe'),
  /** By playbook, where it differs. */
  STOPBATH_MODE_CAPS: z.string().default('{}').transform(asJson).pipe(z.record(z.string(), mode)),
  STOPBATH_PROTECTED_BUCKETS: list,
  STOPBATH_PROTECTED_TAGS: list,
  STOPBATH_RESPONDER_ROLES: list,
  STOPBATH_SESSION_NAMES_PINNED: z.enum(['true', 'false']).default('false').transform((text) => text === 'true'),
  /** Seconds. */
  STOPBATH_APPROVAL_EXPIRY: count(14_400),
  STOPBATH_LEASE_HOURS: z.coerce.number().positive().default(72),
  STOPBATH_EXEMPT_ROLES: list,
  /** The suite's functions by their folders' names: each has a role `<name>-<folder>`. */
  STOPBATH_OWN_ROLES: list,
  STOPBATH_PROBE_ROLE_ARN: optional,
  STOPBATH_ORGANIZATION_ID: optional,
  STOPBATH_TRUSTED_ACCOUNTS: list,
  /** As JSON, since names in ARNs may have commas. */
  STOPBATH_TRUSTED_SOURCES: z.string().default('[]').transform(asJson).pipe(z.array(z.string())),
  STOPBATH_BUDGET_ACCOUNT: count(20),
  STOPBATH_BUDGET_ALL: count(50),
  STOPBATH_BUDGET_LINKS: count(200_000),
  STOPBATH_BUDGET_LINKS_ALL: count(500_000),
  STOPBATH_BUDGET_RESERVED: z.coerce.number().int().nonnegative().default(5),
  /** ARNs of the keys that sign seals, oldest first: the last one signs. */
  STOPBATH_SEAL_KEYS: list,
  STOPBATH_SEAL_EVERY_MINUTES: count(60),
  /** Who deployed, as the deployment said. */
  STOPBATH_DEPLOYED_BY: optional,
  STOPBATH_VERIFY_LOOKS: count(3),
  STOPBATH_VERIFY_MAX_LOOKS: count(24),
});

/** What a function is deployed with. Read once a handler, from its environment; the last two when a function first asks for them. */
export type Settings = z.infer<typeof schema> & {
  /** The trackers of stopbath.config.json: only ARNs of secrets are in it. */
  readonly STOPBATH_TRACKERS: Trackers;
  readonly STOPBATH_SHARES: Shares;
};

/**
 * @throws {ConfigurationError} naming each variable that is missing or wrong, and its value
 */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  let trackers: Trackers | undefined;
  let shares: Shares | undefined;
  return {
    ...parsed(schema, environment),
    get STOPBATH_TRACKERS() {
      return (trackers ??= parsed(z.object({ STOPBATH_TRACKERS: json(trackersSchema()) }), environment).STOPBATH_TRACKERS);
    },
    get STOPBATH_SHARES() {
      return (shares ??= parsed(z.object({ STOPBATH_SHARES: json(sharesSchema()) }), environment).STOPBATH_SHARES);
    },
  };
}

function json<T>(schema: z.ZodType<T>) {
  return z.string().default('{}').transform(asJson).pipe(schema);
}

function parsed<T>(schema: z.ZodType<T>, environment: Readonly<Record<string, string | undefined>>): T {
  const read = schema.safeParse(environment);
  if (read.success) return read.data;
  const problems = read.error.issues.map((issue) => {
    const name = issue.path.join('.');
    return `${name} is ${JSON.stringify(environment[name])}: ${issue.message}`;
  });
  throw new ConfigurationError(`${problems.join('; ')}. Set it in serverless.yml (provider.environment).`);
}

/** The most that a playbook may do without being asked. */
export function capFor({ STOPBATH_MODE_CAP, STOPBATH_MODE_CAPS }: Pick<Settings, 'STOPBATH_MODE_CAP' | 'STOPBATH_MODE_CAPS'>, playbook: string | null): Settings['STOPBATH_MODE_CAP'] {
  return playbook !== null && Object.hasOwn(STOPBATH_MODE_CAPS, playbook) ? (STOPBATH_MODE_CAPS[playbook] ?? STOPBATH_MODE_CAP) : STOPBATH_MODE_CAP;
}

export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}
