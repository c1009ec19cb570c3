import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { trackerSchema, trackersSchema } from '../core/ticket/trackers.ts';
import { sharesSchema } from '../core/share/config.ts';

const roles = z.array(z.string().regex(/^arn:aws:iam::\d{12}:role\/[\w+=,.@/-]+$/, 'must be the ARN of a role: arn:aws:iam::111122223333:role/name')).default([]);

const MODE = z.enum(['observe', 'approve', 'contain']);

/** `stopbath.config.json`: what an installation decides for itself. Unknown keys are errors. */
export const ConfigSchema = z.strictObject({
  $schema: z.string().optional(),
  modeCap: MODE.default('observe')
    .describe('The most that a response may do without being asked. A new install only observes.'),
  modeCaps: z
    .record(z.string(), MODE)
    .default({})
    .describe('By playbook, where it differs from modeCap: { "revoke-share-links": "contain" }.'),
  stages: z
    .record(z.string(), z.looseObject({}))
    .default({})
    .describe('By stage, what differs there from the rest of this file: { "prod": { "modeCap": "contain" } }.'),
  responderRoles: roles.describe('Roles that may plan, start and restore playbooks, and read everything.'),
  sessionNamesPinned: z
    .boolean()
    .default(false)
    .describe('Whether the trust policies of all responder roles pin the session name to the user (sts:RoleSessionName = ${aws:username}, or names that your identity provider sets). false: all sessions of a role are one person, who cannot approve what another session of it asked for.'),
  approvalHours: z.number().min(0.1).max(72).default(4).describe('For how long a request for an approval stands.'),
  leaseHours: z.number().min(1).max(2160).default(72).describe('For how long a containment stands before it is asked whether to restore it.'),
  auditorRoles: roles.describe('Roles that may read everything and change nothing.'),
  exemptRoles: roles.describe("Roles that a full quarantine leaves in, beside the suite's own and the responders'."),
  protectedBuckets: z.array(z.string().min(1)).default([]).describe('Names of buckets that are never changed without approval; * stands for anything.'),
  protectedTags: z
    .array(z.string().regex(/^[\p{L}\p{N}\s_.:/=+\-@]{1,128}=[\p{L}\p{N}\s_.:/=+\-@*]{0,256}$/u, 'must be key=value, as in stopbath:protected=true; * in the value stands for anything'))
    .default([])
    .describe('Tags, key=value, of buckets that are never changed without approval; * in a value stands for anything. Whoever may tag a bucket may then keep it from being closed by itself: leave it empty where that is too many.'),
  budgets: z
    .strictObject({
      account: z.int().min(1).max(10_000).default(20).describe('Containments in a rolling hour in one account.'),
      all: z.int().min(1).max(10_000).default(50).describe('Containments in a rolling hour in all accounts.'),
      links: z.int().min(1).max(1_000_000_000).default(200_000).describe('Share links revoked in a rolling hour in one account.'),
      linksAll: z.int().min(1).max(1_000_000_000).default(500_000).describe('Share links revoked in a rolling hour in all accounts.'),
      reserved: z.int().min(0).max(10_000).default(5).describe('How many containments, and as large a share of the links, only critical findings may use.'),
    })
    .prefault({})
    .describe('How much may be contained in an hour without being asked; beyond it somebody approves.'),
  organizationId: z
    .string()
    .regex(/^o-[a-z0-9]{10,32}$/, 'must be an organisation id: o-exampleorgid')
    .nullable()
    .default(null)
    .describe('The organisation whose principals an external quarantine leaves in, and with which a bucket may be shared without a question; null: only the account.'),
  trustedSources: z
    .array(z.string().regex(/^[\w+=,.@:/ *-]{4,512}$/, 'must be a VPC, a VPC endpoint, a range of addresses, a user id, an ARN or a canonical id'))
    .default([])
    .describe('What else a policy may let in without a question, as the policy names it: vpc-…, vpce-…, 198.51.100.0/24, o-… of a partner, AROA…:*, the ARN of a distribution in another account or of an origin access identity, a canonical id.'),
  verifyIntervalSeconds: z.int().min(1).max(300).default(5).describe('How long a playbook waits between two looks at what it changed.'),
  verifyLooks: z.int().min(2).max(50).default(3).describe('How many looks in a row must find the way closed.'),
  verifyMaxLooks: z.int().min(2).max(200).default(24).describe('After how many looks an outcome is called unverified.'),
  sealEveryMinutes: z.int().min(1).max(720).default(60).describe('How often what came on record is sealed; an empty period is sealed too.'),
  sealKeys: z.int().min(1).max(9).default(1).describe('How many keys for seals there have been, the present one included. One more is a rotation: the next seal is signed by both.'),
  trackers: trackersSchema().default({ opscenter: trackerSchema().parse({ kind: 'opscenter' }), guardduty: trackerSchema().parse({ kind: 'guardduty' }) }).describe(
    'Where tickets are opened and who is notified, by a name of your own; docs/tickets.md. guardduty archives the findings of an incident when it ends.',
  ),
  ticketsAtOnce: z.int().min(1).max(100).nullable().default(5).describe('How many tickets are written at once, so that a night of many incidents does not run a tracker over: the reserved concurrency of the function ticket. null: none is reserved, as in an account that may run no more than 10 functions at once.'),
  eventsAtOnce: z.int().min(10).max(1000).nullable().default(100).describe('How many events are decided at once: the reserved concurrency of the function triage. A flood of events then leaves the functions that contain their part of the account\'s concurrency, and no other function takes triage\'s. null: none is reserved, neither the one of reconcile nor the one of triage-urgent, as in an account that may run no more than 10 functions at once (set ticketsAtOnce to null too).'),
  urgentEventsAtOnce: z.int().min(1).max(1000).nullable().default(50).describe('How many findings of GuardDuty\'s that are severe (high and critical, 7 and more) are decided at once: the reserved concurrency of the function triage-urgent. As EventBridge delivers them they never wait behind other events; what the reconciler or a redrive gives back does. null: none is reserved, as in an account that may run no more than 10 functions at once.'),
  evidenceRetentionDays: z.int().min(1).max(36_500).default(365).describe('For how long nobody can delete evidence (Object Lock, compliance mode).'),
  shares: sharesSchema().prefault({}),
  accounts: z.array(z.string().regex(/^\d{12}$/, 'must be an account: 12 digits')).default([]).describe('Member accounts that the suite acts in, each with deploy/member-account.yml; docs/accounts.md.'),
  externalId: z
    .string()
    .regex(/^[\w+=,.@:/-]{8,1224}$/, 'must be 8 characters or more of A-Z a-z 0-9 _ + = , . @ : / -')
    .nullable()
    .default(null)
    .describe('The external id that the roles in member accounts ask for; the same as the parameter ExternalId of deploy/member-account.yml.'),
  eventBus: z
    .string()
    .regex(/^[\w./-]{1,256}$/, 'must be the name of an event bus')
    .nullable()
    .default(null)
    .describe("The name of a further event bus, which the organisation's accounts send their events to; null: events arrive at the account's own bus alone."),
  trustedAccounts: z.array(z.string().regex(/^\d{12}$/, 'must be an account: 12 digits')).default([]).describe('Accounts that may be let in without a question, beside the one that a resource is in and accounts: a policy that names one of them shares nothing with strangers. An external quarantine shuts them out all the same.'),
  photoKeys: z.array(z.string().min(1)).default([]).describe('KMS keys that pictures are encrypted with, by id, ARN or alias: opening one of them, or taking it away, is an incident. None named: opening any key is one, taking one away is not.'),
  regions: z.array(z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be a region: eu-central-1')).default([]).describe('Further regions whose GuardDuty and CloudTrail are asked for events that EventBridge missed, beside the home region and us-east-1.'),
  eventArchiveDays: z.int().min(1).max(3650).default(30).describe('For how long events are kept to be replayed.'),
  logRetentionDays: z.literal([30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]).default(365).describe("For how long the functions' and the playbooks' logs are kept."),
  alarmTopic: z
    .string()
    .regex(/^arn:aws[\w-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+$/, 'must be the ARN of a topic: arn:aws:sns:us-east-1:111122223333:name')
    .nullable()
    .default(null)
    .describe('The topic that alarms are published to; null: they are seen in CloudWatch alone.'),
});

export type Config = Readonly<Omit<z.infer<typeof ConfigSchema>, '$schema' | 'stages'>>;

/** A configuration that is not one. Names each field, its value and what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * @param document - the file's JSON, parsed
 * @param stage - whose settings under `stages` are laid over the rest
 * @throws {ConfigError}
 */
export function readConfig(document: unknown, stage?: string): Config {
  const whole = parsed(document, 'stopbath.config.json');
  // Every stage is looked at, so that a mistake in one shows before it is deployed.
  for (const [name, differs] of Object.entries(whole.stages)) {
    if ('stages' in differs) throw new ConfigError(`stopbath.config.json: stages.${name} has stages of its own: lay them beside it`);
    checked(parsed({ ...Object(document), ...differs }, `stopbath.config.json, stages.${name}`));
  }
  const here = stage === undefined ? undefined : whole.stages[stage];
  return checked(here === undefined ? whole : parsed({ ...Object(document), ...here }, `stopbath.config.json, stages.${stage}`));
}

function parsed(document: unknown, where: string): z.infer<typeof ConfigSchema> {
  const read = ConfigSchema.safeParse(document);
  if (!read.success) throw new ConfigError(`${where}: ${z.prettifyError(read.error)}`);
  return read.data;
}

function checked(whole: z.infer<typeof ConfigSchema>): Config {
  const { $schema: _, stages: __, ...config } = whole;
  if (config.verifyMaxLooks < config.verifyLooks) {
    throw new ConfigError(`stopbath.config.json: verifyMaxLooks is ${config.verifyMaxLooks}: must be at least verifyLooks, ${config.verifyLooks}`);
  }
  const { account, all, reserved } = config.budgets;
  if (reserved >= Math.min(account, all)) {
    throw new ConfigError(`stopbath.config.json: budgets.reserved is ${reserved}: must be less than budgets.account, ${account}, and budgets.all, ${all}, or nothing but critical findings is ever contained by itself`);
  }
  if (config.eventBus !== null && config.organizationId === null) {
    throw new ConfigError(`stopbath.config.json: eventBus is ${JSON.stringify(config.eventBus)}, and organizationId is null: say whose accounts may send to it`);
  }
  if (config.accounts.length > 0 && config.externalId === null) {
    throw new ConfigError(`stopbath.config.json: externalId is null, and accounts names ${config.accounts.length}: give the external id that deploy/member-account.yml was deployed with there`);
  }
  return config;
}

/** For editors; kept in `deploy/config.schema.json`, which `node deploy/config.ts` writes. */
export function configJsonSchema(): object {
  return z.toJSONSchema(ConfigSchema, { io: 'input' });
}

if (import.meta.main) writeFileSync(join(import.meta.dirname, 'config.schema.json'), `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
