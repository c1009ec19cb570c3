import { z } from 'zod';
import { guarddutyOf, snsOf, ssmOf } from '../../aws/clients.ts';
import type { Tools } from '../../aws/function.ts';
import { forgetSecret, readSecret } from '../../aws/secrets.ts';
import type { IncidentView } from '../../core/incident.ts';
import { findingsOf, type Finding } from '../../core/ticket/findings.ts';
import { trackersFor, type TrackerConfig } from '../../core/ticket/trackers.ts';
import { fromAws } from './trackers/aws.ts';
import { github } from './trackers/github.ts';
import { guardduty } from './trackers/guardduty.ts';
import { jira, JiraSecret } from './trackers/jira.ts';
import { opscenter } from './trackers/opscenter.ts';
import { type Tracker, TrackerError } from './trackers/port.ts';
import { requestTracker } from './trackers/request-tracker.ts';
import { slack } from './trackers/slack.ts';
import { sns } from './trackers/sns.ts';
import { keyOf, webhook } from './trackers/webhook.ts';

/** The names of the trackers that an incident concerns: by severity and playbook, and GuardDuty only where it has a finding. */
export function concerned({ settings }: Tools, view: IncidentView): readonly string[] {
  const trackers = settings.STOPBATH_TRACKERS;
  return trackersFor(trackers, view.incident).filter((name) => trackers[name]?.kind !== 'guardduty' || findingsOf(view).length > 0);
}

/**
 * The tracker of a name, with its secret read.
 *
 * @param findings - the incident's, which GuardDuty archives
 * @throws {TrackerError} where its secret cannot be read or used
 */
export async function openTracker(name: string, config: TrackerConfig, findings: readonly Finding[], tools: Pick<Tools, 'clients' | 'now'>): Promise<Tracker> {
  const { clients } = tools;
  const now = () => Date.parse(tools.now());
  switch (config.kind) {
    case 'opscenter':
      return opscenter(name, ssmOf(clients));
    case 'sns':
      return sns(config, name, snsOf(clients));
    case 'guardduty':
      return guardduty(name, guarddutyOf(clients), findings);
    case 'jira':
      return jira(config, name, await secretOf(name, config.secret, JiraSecret, tools), now);
    case 'github':
      return github(config, name, await tokenOf(name, config.secret, tools), now);
    case 'request-tracker':
      return requestTracker(config, name, await tokenOf(name, config.secret, tools), now);
    case 'webhook':
      return webhook(config, name, longEnough(name, config.secret, await tokenOf(name, config.secret, tools)), now);
    case 'slack':
      return slack(config, name, await tokenOf(name, config.secret, tools), now);
  }
}

/** A secret that the tracker did not take may have been rotated: the next try reads it anew. */
export function distrustSecret(config: TrackerConfig): void {
  if ('secret' in config) forgetSecret(config.secret);
}

async function secretOf<T>(name: string, arn: string, schema: z.ZodType<T>, tools: Pick<Tools, 'clients' | 'now'>): Promise<T> {
  const read = schema.safeParse(jsonOf(await textOf(name, arn, tools)));
  if (read.success) return read.data;
  forgetSecret(arn);
  // zod's own words would show the value.
  const fields = read.error.issues.map(({ path }) => path.join('.') || 'the whole').join(', ');
  throw new TrackerError('standing', `${name}: the secret ${arn} is not as it must be (${fields}): see docs/tickets.md`);
}

/** The token itself, or JSON with a `token`. */
async function tokenOf(name: string, arn: string, tools: Pick<Tools, 'clients' | 'now'>): Promise<string> {
  const text = await textOf(name, arn, tools);
  const json = z.object({ token: z.string().min(1) }).safeParse(jsonOf(text));
  return json.success ? json.data.token : text.trim();
}

/** A key that signs and can be guessed signs nothing. @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (24 to 64 bytes) */
function longEnough(name: string, arn: string, secret: string): string {
  if (keyOf(secret).length >= 24) return secret;
  forgetSecret(arn);
  throw new TrackerError('standing', `${name}: the secret ${arn} is too short to sign with: put in whsec_ and the base64 of 24 bytes or more, or a text of 24 characters or more`);
}

async function textOf(name: string, arn: string, tools: Pick<Tools, 'clients' | 'now'>): Promise<string> {
  return await fromAws(name, false, () => readSecret(tools, arn)).catch((error: unknown) => {
    throw error instanceof TrackerError ? error : new TrackerError('standing', `${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
