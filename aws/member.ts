import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import type { AwsCredentialIdentity } from '@smithy/types';
import { stsOf, type Clients } from './clients.ts';
import type { Tools } from './function.ts';

/** What roles of a member account are for: `deploy/member-account.yml` has one each. `contain` is for buckets. */
const PURPOSES = ['read', 'contain', 'contain-principals', 'contain-signers'] as const;
export type Purpose = (typeof PURPOSES)[number];

type Home = Pick<Tools, 'settings' | 'clients'>;

/**
 * The same tools with clients that act in the account of a target. In the suite's own, and in one that the configuration does not name, they
 * are the function's own; in a member account they carry the role for a purpose. The table stays the suite's.
 *
 * @param session - the incident, whose id the member account's CloudTrail then shows beside every call
 */
export function memberTools<T extends Home>(tools: T, account: string, purpose: Purpose, session: string): T {
  const { STOPBATH_ACCOUNT, STOPBATH_ACCOUNTS } = tools.settings;
  if (account === STOPBATH_ACCOUNT || !STOPBATH_ACCOUNTS.includes(account)) return tools;
  const kept = sessions.get(tools.clients) ?? new Map<string, Clients>();
  sessions.set(tools.clients, kept);
  const key = `${account}/${purpose}/${session}`;
  const found = kept.get(key) ?? clientsIn(tools, memberRole(tools, account, purpose), session);
  kept.set(key, found);
  return { ...tools, clients: found };
}

/** Of the function's clients, by account, purpose and incident. A function's process lives for hours at most, and so do these. */
const sessions = new WeakMap<Clients, Map<string, Clients>>();

export function memberRole({ settings }: Pick<Home, 'settings'>, account: string, purpose: Purpose | 'probe'): string {
  return `arn:aws:iam::${account}:role/${settings.STOPBATH_NAME}-${purpose}`;
}

/** Exactly the roles that the suite acts with: its functions' own, and in members the ones that they assume. ARNs. */
export function ownRoles({ settings }: Pick<Home, 'settings'>): readonly string[] {
  const { STOPBATH_ACCOUNT: own, STOPBATH_ACCOUNTS: members, STOPBATH_NAME: name, STOPBATH_OWN_ROLES } = settings;
  return [...[...STOPBATH_OWN_ROLES, 'probe'].map((folder) => `arn:aws:iam::${own}:role/${name}-${folder}`), ...members.flatMap((account) => ([...PURPOSES, 'probe'] as const).map((purpose) => memberRole({ settings }, account, purpose)))];
}

/** Who keeps access at level `full` in an account: in a member, its own roles of the suite too. */
export function exemptIn({ settings }: Pick<Home, 'settings'>, account: string): readonly string[] {
  const { STOPBATH_EXEMPT_ROLES: exempt, STOPBATH_ACCOUNTS } = settings;
  return STOPBATH_ACCOUNTS.includes(account) ? [...exempt, memberRole({ settings }, account, 'read'), memberRole({ settings }, account, 'contain')] : exempt;
}

function clientsIn(tools: Home, role: string, session: string): Clients {
  // The SDK's clients ask for it again before it expires.
  const credentials = async () => await assumeMember(tools, role, session);
  return { region: tools.clients.region, credentials, dynamo: tools.clients.dynamo };
}

/**
 * A session in a member account. Roles that assume roles get an hour at most; half of it is enough for any invocation.
 *
 * @param session - 2 to 64 of A-Z a-z 0-9 = , . @ - _
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export async function assumeMember({ settings, clients }: Home, RoleArn: string, session: string): Promise<AwsCredentialIdentity> {
  const ExternalId = RoleArn.split(':')[4] === settings.STOPBATH_ACCOUNT ? null : settings.STOPBATH_EXTERNAL_ID;
  const { Credentials } = await stsOf(clients).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: session.slice(0, 64), DurationSeconds: 1800, ...(ExternalId === null ? {} : { ExternalId }) }));
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken, Expiration: expiration } = Credentials ?? {};
  if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined) throw new MemberError(`STS answered without credentials for ${RoleArn}`);
  return { accessKeyId, secretAccessKey, sessionToken, ...(expiration === undefined ? {} : { expiration }) };
}

export class MemberError extends Error {
  override readonly name = 'MemberError';
}
