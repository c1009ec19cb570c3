import { GetRoleCommand, GetRolePolicyCommand, ListAttachedRolePoliciesCommand, ListRolePoliciesCommand } from '@aws-sdk/client-iam';
import { GetPolicyCommand } from '@aws-sdk/client-lambda';
import { z } from 'zod';
import { iamOf, lambdaOf } from '../../aws/clients.ts';
import { unpinnedStatements } from '../../core/trust.ts';
import { same } from '../../core/quarantine/levels.ts';
import { plain } from '../../core/text.ts';
import { DEPLOY, look, Trouble, type Diagnosis } from './diagnosis.ts';
import { hasUrl } from './functions.ts';
import { resourcesOf, type Site } from './site.ts';

/** Every role of the suite against the files, who may call the functions with a URL, and the roles of people. */
export async function diagnosePermissions(site: Site): Promise<readonly Diagnosis[]> {
  const roles = Object.values(resourcesOf(site)).flatMap(({ Type, Properties }) => (Type === 'AWS::IAM::Role' ? [role.parse(site.deployed(Properties))] : []));
  return await Promise.all([
    ...roles.map((wanted) => diagnoseRole(wanted, site)),
    ...site.functions.filter((folder) => hasUrl(site, folder)).map((folder) => diagnoseCallers(folder, site)),
    ...diagnosePeople(site),
  ]);
}

const role = z.looseObject({
  RoleName: z.string(),
  AssumeRolePolicyDocument: z.json(),
  Policies: z.array(z.looseObject({ PolicyName: z.string(), PolicyDocument: z.json() })).default([]),
});
const statements = z.object({ Statement: z.array(z.looseObject({ Effect: z.string(), Action: z.union([z.string(), z.array(z.string())]).transform((action) => [action].flat()), Resource: z.unknown() })) });

/** Exactly what its folder says: less breaks it, more is a power that nobody has looked at. */
async function diagnoseRole(wanted: z.infer<typeof role>, site: Site): Promise<Diagnosis> {
  const RoleName = wanted.RoleName;
  return await look(`role ${RoleName}`, async () => {
    const iam = iamOf(site.clients);
    const [{ Role }, { PolicyNames = [] }, { AttachedPolicies = [] }] = await Promise.all([iam.send(new GetRoleCommand({ RoleName })), iam.send(new ListRolePoliciesCommand({ RoleName })), iam.send(new ListAttachedRolePoliciesCommand({ RoleName }))]);
    const more = [...PolicyNames.filter((name) => !wanted.Policies.some(({ PolicyName }) => PolicyName === name)), ...AttachedPolicies.map(({ PolicyArn = '' }) => PolicyArn)];
    if (more.length > 0) throw new Trouble(`has a policy that no file gives it: ${more.map((name) => plain(name, 200)).join(', ')}`, `find out who attached it, and take it off the role ${RoleName}`);
    if (!sameDocument(documentOf(Role?.AssumeRolePolicyDocument), wanted.AssumeRolePolicyDocument)) throw new Trouble('may be assumed by somebody else than the files say', DEPLOY);
    for (const { PolicyName, PolicyDocument } of wanted.Policies) {
      if (!PolicyNames.includes(PolicyName)) throw new Trouble(`lacks its policy ${PolicyName}`, DEPLOY);
      const there = documentOf((await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }))).PolicyDocument);
      const differs = difference(there, PolicyDocument);
      if (differs !== null) throw new Trouble(differs, DEPLOY);
    }
    return 'allows what its folder says';
  });
}

/** What is allowed and not in the file, and the other way; `null` where both say the same. */
function difference(there: unknown, wanted: unknown): string | null {
  if (sameDocument(there, wanted)) return null;
  const [actual, expected] = [statements.safeParse(there), statements.safeParse(wanted)];
  if (!actual.success || !expected.success) return 'its policy is not what the file says';
  const actions = (of: z.infer<typeof statements>) => new Set(of.Statement.flatMap(({ Action }) => Action));
  const [has, should] = [actions(actual.data), actions(expected.data)];
  const [missing, more] = [[...should].filter((action) => !has.has(action)), [...has].filter((action) => !should.has(action))];
  if (missing.length + more.length === 0) return 'allows the same actions on other resources, or under other conditions, than its folder says';
  return [missing.length > 0 ? `lacks ${missing.join(', ')}` : null, more.length > 0 ? `allows more than its folder says: ${more.map((action) => plain(action, 100)).join(', ')}` : null].filter((text) => text !== null).join('; ');
}

/** IAM gives documents percent-encoded, as they were put. */
function documentOf(text: string | undefined): unknown {
  return JSON.parse(decodeURIComponent(text ?? 'null'));
}

/** A list of one is that one: both mean the same in a policy. */
function sameDocument(one: unknown, other: unknown): boolean {
  return same(unlisted(one), unlisted(other));
}

function unlisted(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 1 ? unlisted(value[0]) : value.map(unlisted);
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unlisted(inner)])) : value;
}

const grants = z.object({ Statement: z.array(z.looseObject({ Sid: z.string().default('without a name'), Action: z.string(), Principal: z.unknown(), Condition: z.unknown().optional() })) });

/** Nobody may invoke directly, with a caller of their own invention, and exactly those of the file may call the URL. */
async function diagnoseCallers(folder: string, site: Site): Promise<Diagnosis> {
  return await look(`who may call ${folder}`, async () => {
    const { responderRoles, auditorRoles } = site.config;
    const wanted = new Set(folder === 'respond' ? responderRoles : [...responderRoles, ...auditorRoles]);
    const text = await lambdaOf(site.clients).send(new GetPolicyCommand({ FunctionName: `${site.name}-${folder}` })).then(({ Policy }) => Policy, (error: unknown) => {
      if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
      throw error;
    });
    const { Statement } = grants.parse(JSON.parse(text ?? '{"Statement":[]}'));
    const direct = Statement.filter(({ Action, Condition }) => Action !== 'lambda:InvokeFunctionUrl' && !JSON.stringify(Condition ?? {}).toLowerCase().includes('"lambda:invokedviafunctionurl":"true"'));
    if (direct.length > 0) throw new Trouble(`statement ${direct.map(({ Sid }) => plain(Sid, 100)).join(', ')} lets it be invoked without its URL: with a caller of one's own invention`, `aws lambda remove-permission --function-name ${site.name}-${folder} --statement-id <it>`);
    const there = new Set(Statement.filter(({ Action }) => Action === 'lambda:InvokeFunctionUrl').flatMap(({ Principal }) => principalsOf(Principal)));
    const strangers = [...there].filter((arn) => !wanted.has(arn));
    if (strangers.length > 0) throw new Trouble(`${strangers.map((arn) => plain(arn, 200)).join(', ')} may, and the file does not say so`, 'take the statement out of the function’s policy, or name the role in stopbath.config.json');
    const missing = [...wanted].filter((arn) => !there.has(arn));
    if (missing.length > 0) throw new Trouble(`${missing.join(', ')} may not, and the file says so`, DEPLOY);
    if (wanted.size === 0) throw new Trouble(`nobody: ${folder === 'respond' ? 'nobody can approve, start or restore' : 'nobody can read'}`, `name ${folder === 'respond' ? 'responderRoles' : 'auditorRoles'} in stopbath.config.json, and deploy`);
    return [...wanted].map((arn) => arn.split('/').at(-1) ?? arn).join(', ');
  });
}

function principalsOf(principal: unknown): readonly string[] {
  if (typeof principal === 'string') return [principal];
  return typeof principal === 'object' && principal !== null ? Object.values(principal).flat().map(String) : [];
}

/** Roles that the file names: there, and with names of sessions that are a person's where the file relies on it. */
function diagnosePeople({ config, clients }: Site): readonly Promise<Diagnosis>[] {
  const roles = [
    ...config.responderRoles.map((arn) => ({ arn, kind: 'responder role' })),
    ...config.auditorRoles.map((arn) => ({ arn, kind: 'auditor role' })),
    ...config.exemptRoles.map((arn) => ({ arn, kind: 'exempt role' })),
    ...config.shares.signers.map((signer) => ({ arn: signer.role, kind: 'signer role' })),
  ];
  return roles.map(({ arn, kind }) => {
    const RoleName = arn.split('/').at(-1) ?? '';
    return look(
      `${kind} ${RoleName}`,
      async () => {
        const { Role } = await iamOf(clients).send(new GetRoleCommand({ RoleName }));
        const unpinned = kind === 'responder role' && config.sessionNamesPinned ? unpinnedStatements(JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '{}'))) : [];
        if (unpinned.length > 0) throw new Trouble(`sessionNamesPinned is true, and statement ${unpinned.join(', ')} of its trust policy lets a session take any name: one person can approve their own request`, 'require sts:RoleSessionName to equal ${aws:username} in the trust policy, or set sessionNamesPinned to false');
        return 'is there';
      },
      `create the role, or take it out of stopbath.config.json: ${arn}`,
    );
  });
}
