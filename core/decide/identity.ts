/** Predicates about users, roles and root. */
import { type Predicate, holds, no } from './answer.ts';
import { at, textOf } from '../signal/envelope.ts';
import { listed, plain } from '../text.ts';
import { outsiders, policyIn } from './outside.ts';
import type { Facts } from './facts.ts';
import type { Policy } from '../policy.ts';
import { isPublicPolicy } from '../exposure.ts';
import { ownRoleOf } from './quiet.ts';

export const identity = {
  'grants-administrator': ({ request }) => {
    const attached = textOf(at(request, 'policyArn'));
    const who = ['userName', 'roleName', 'groupName'].map((key) => textOf(at(request, key))).find((name) => name !== null);
    const whose = who ? `${plain(who, 64)} ` : '';
    if (attached && /:policy\/(?:AdministratorAccess|IAMFullAccess)$/.test(attached.slice(-200))) return holds(true, `${whose}got ${plain(attached.split('/').at(-1) ?? '', 64)}`);
    const policy = policyIn(at(request, 'policyDocument'));
    return holds(policy !== null && allowsEverything(policy), `${whose}${who ? 'got' : 'there is'} a policy that allows everything`);
  },
  'trusts-outside': (facts) => {
    const policy = policyIn(at(facts.request, 'policyDocument') ?? at(facts.request, 'assumeRolePolicyDocument'));
    if (!policy) return no;
    if (trustsAnyone(policy)) return holds(true, `anyone may assume ${roleName(facts)}`);
    // Services run as roles; whoever signs in at a provider is not told by the policy.
    const others = outsiders(policy, facts).filter(({ type }) => type === 'AWS');
    return holds(others.length > 0, `${listed(others.slice(0, 5).map(({ text }) => text))} may assume ${roleName(facts)}`);
  },
  'for-somebody-else': ({ detail, request }) => {
    const other = textOf(at(request, 'userName'));
    const caller = at(detail, 'userIdentity');
    // A user is known by the ARN: `userName` may be missing or another's. Without a name in the request it is the caller's own.
    const self = at(caller, 'type') === 'IAMUser' ? (textOf(at(caller, 'arn'))?.split('/').at(-1) ?? textOf(at(caller, 'userName'))) : null;
    return holds(other !== null && other !== self, `they are for ${plain(other ?? '', 64)}`);
  },
  'root-change': ({ signal, detail }) => {
    const reads = at(detail, 'readOnly') === true || /^(?:Get|List|Describe|Head|Lookup|BatchGet|Search|Select|Check)/.test(signal.type);
    // Services act as root in an account's name, and the first use of many makes their role.
    const internal = textOf(at(detail, 'userIdentity', 'invokedBy')) !== null || at(detail, 'eventType') === 'AwsServiceEvent' || signal.type === 'CreateServiceLinkedRole';
    return holds(!reads && !internal, `root called ${plain(signal.type, 64)}`);
  },
  'not-the-suite': ({ signal, knowledge: { own } }) => holds(own === undefined || !CONTAIN_PRINCIPALS.has(ownRoleOf(signal, own) ?? '')),
} satisfies Record<string, Predicate>;

/** The suite's roles that contain principals and restore them: in its own account, and in a member. Others have no business there. */
const CONTAIN_PRINCIPALS = new Set(['contain-principal-apply', 'contain-principals']);

function roleName({ request }: Facts): string {
  return `the role ${plain(textOf(at(request, 'roleName')) ?? 'that was changed', 64)}`;
}

function allowsEverything({ statements }: Policy): boolean {
  return statements.some(
    ({ effect, actions, resources, conditions }) =>
      effect === 'Allow' && conditions.length === 0 && (resources ?? []).includes('*') && (actions ?? []).some((action) => action === '*' || action === '*:*' || action.toLowerCase() === 'iam:*'),
  );
}

/** An external id is a secret of the caller's, not a limit on who calls; web identity is anyone who can sign in there. */
function trustsAnyone({ statements, ...policy }: Policy): boolean {
  const byAccount = statements.filter(({ principal }) => principal === null || 'AWS' in principal);
  return isPublicPolicy({ ...policy, statements: byAccount });
}
