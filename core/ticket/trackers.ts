import { z } from 'zod';
import type { Incident } from '../incident.ts';

/** One tracker, or one place that is notified. Made when it is asked for: most functions are told of no trackers, and it takes some of their cold start. */
export function trackerSchema() {
  const text = z.string().min(1);
  const secret = z
    .string()
    .regex(/^arn:aws[\w-]*:(?:secretsmanager:[\w-]+:\d{12}:secret:[\w/+=.@-]+|ssm:[\w-]+:\d{12}:parameter\/[\w./-]+)$/, 'must be the ARN of a secret of Secrets Manager, or of a SecureString parameter of Systems Manager')
    .describe('The ARN of a Secrets Manager secret or an SSM SecureString parameter. The value itself never stands here.');
  /** Plain HTTP only where nobody else listens. */
  const url = z
    .url()
    .refine((value) => /^https:\/\/|^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::|\/|$)/.test(value), 'must begin with https://')
    .transform((value) => value.replace(/\/+$/, ''));
  const bySeverity = <T extends z.ZodType>(value: T) => z.strictObject({ critical: value, high: value, medium: value, low: value });

  /** What all have: which incidents they are told. */
  const chosen = {
    minSeverity: z.number().min(1).max(10).default(1).describe('Only incidents of at least this severity (GuardDuty’s scale).'),
    playbooks: z.array(text).min(1).nullable().default(null).describe('Only incidents of these playbooks; null: of all.'),
    drills: z.boolean().default(true).describe('Whether it is told of drills too.'),
  };

  /** What those that are asked over HTTP have. */
  const asked = { timeoutSeconds: z.number().min(0.1).max(20).default(10).describe('How long one request may take; after that it is looked up whether it took effect.') };

  return z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('opscenter'), ...chosen }),
    z.strictObject({
      kind: z.literal('jira'),
      url: url.describe('https://example.atlassian.net, or the base URL of a Data Center'),
      edition: z.enum(['cloud', 'data-center']),
      project: z.string().regex(/^[A-Z][A-Z0-9_]+$/, 'must be a project key: SEC'),
      issueType: text.default('Task'),
      priorities: bySeverity(text).nullable().default(null).describe('Names of priorities by severity; null: the priority is left to Jira.'),
      closeTo: text.nullable().default(null).describe('The status that closes; null: the first that counts as done.'),
      reopenTo: text.nullable().default(null).describe('The status that reopens; null: the first that does not count as done.'),
      secret,
      ...asked,
      ...chosen,
    }),
    z.strictObject({
      kind: z.literal('github'),
      url: url.default('https://api.github.com').describe('The API; https://<host>/api/v3 of a GitHub Enterprise Server.'),
      repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'must be owner/name'),
      labels: z.array(text).default(['stopbath']),
      secret,
      ...asked,
      ...chosen,
    }),
    z.strictObject({ kind: z.literal('request-tracker'), url, queue: text, priorities: bySeverity(z.int().min(0).max(100)).default({ critical: 90, high: 70, medium: 40, low: 10 }), secret, ...asked, ...chosen }),
    z.strictObject({ kind: z.literal('webhook'), url, secret, ...asked, ...chosen }),
    z.strictObject({ kind: z.literal('slack'), url: url.default('https://slack.com/api'), channel: z.string().regex(/^[CGD][A-Z0-9]{6,}$/, 'must be the id of a channel: C0123456789'), secret, ...asked, ...chosen }),
    z.strictObject({ kind: z.literal('sns'), topic: z.string().regex(/^arn:aws[\w-]*:sns:[\w-]+:\d{12}:[\w-]+$/, 'must be the ARN of a topic that is not FIFO'), ...chosen }),
    z.strictObject({ kind: z.literal('guardduty'), ...chosen }),
  ]);
}

export function trackersSchema() {
  return z.record(z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be lower-case-with-dashes'), trackerSchema());
}

export type TrackerConfig = Readonly<z.infer<ReturnType<typeof trackerSchema>>>;
export type TrackerKind = TrackerConfig['kind'];
export type TrackerOf<Kind extends TrackerKind> = Extract<TrackerConfig, { readonly kind: Kind }>;
export type Trackers = Readonly<Record<string, TrackerConfig>>;

/** The names of those that an incident concerns. */
export function trackersFor(trackers: Trackers, incident: Pick<Incident, 'severity' | 'playbook' | 'drill'>): readonly string[] {
  return Object.entries(trackers)
    .filter(([, { minSeverity, playbooks, drills }]) => incident.severity >= minSeverity && (playbooks?.includes(incident.playbook) ?? true) && (drills || !incident.drill))
    .map(([name]) => name);
}
