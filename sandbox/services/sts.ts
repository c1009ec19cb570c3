import * as sdk from '@aws-sdk/client-sts';
import type { AssumeRoleCommandInput, AssumeRoleCommandOutput, GetCallerIdentityCommandInput, GetCallerIdentityCommandOutput } from '@aws-sdk/client-sts';
import { accessDenied } from '../auth/authorize.ts';
import { contextOf } from '../auth/context.ts';
import { policyText } from '../auth/directory.ts';
import type { Directory, Role } from '../auth/directory.ts';
import { evaluate } from '../auth/evaluate.ts';
import { AwsError, operation } from '../service.ts';
import type { Call, Need, Service, World } from '../service.ts';

/**
 * STS: who am I, and let me be another. A role's trust policy is its resource policy: within an account it alone
 * can let a named principal in, and an account that it names decides by its own identity policies.
 *
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
 */
export function createSts(world: World, directory: Directory): Service {
  const roleOf = (arn = ''): Role | undefined => {
    const role = directory.roles.find(arn.split(':')[4] ?? '', arn.split('/').at(-1) ?? '');
    return role?.arn === arn ? role : undefined;
  };

  return {
    name: 'sts',
    sdk,
    protocol: 'query',
    authorize: (name, input, call) => {
      if (call.caller.kind === 'anonymous') throw accessDenied(call, { action: `sts:${name}`, resource: '*' }, 'because it is not signed');
      if (name === 'AssumeRole') authorizeAssumeRole(input as AssumeRoleCommandInput, call, roleOf);
    },
    operations: {
      GetCallerIdentity: operation<GetCallerIdentityCommandInput, GetCallerIdentityCommandOutput>({
        run: (_input, { caller }) => {
          if (!('account' in caller)) throw new AwsError('AccessDenied', 'Only a principal of an account has an identity', 403);
          return { UserId: caller.userId, Account: caller.account, Arn: caller.arn };
        },
      }),
      AssumeRole: operation<AssumeRoleCommandInput, AssumeRoleCommandOutput>({
        needs: (input) => [assumeNeed(input)],
        run: (input, call) => {
          const role = roleOf(input.RoleArn);
          if (!role) throw accessDenied(call, assumeNeed(input), 'because no resource-based policy allows the sts:AssumeRole action');
          const sessionName = input.RoleSessionName ?? '';
          if (!/^[\w+=,.@-]{2,64}$/.test(sessionName)) {
            throw validation(`Value '${sessionName}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*`);
          }
          const expires = world.clock.now() + sessionSeconds(input, call, role) * 1000;
          const session = directory.createSession(role, sessionName, expires, input.Policy === undefined ? undefined : policyText(input.Policy));
          return {
            Credentials: {
              AccessKeyId: session.credentials.accessKeyId,
              SecretAccessKey: session.credentials.secretAccessKey,
              SessionToken: session.credentials.sessionToken,
              Expiration: new Date(expires),
            },
            AssumedRoleUser: { AssumedRoleId: session.caller.userId, Arn: session.caller.arn },
          };
        },
      }),
    },
  };
}

function authorizeAssumeRole(input: AssumeRoleCommandInput, call: Call, roleOf: (arn?: string) => Role | undefined): void {
  const need = assumeNeed(input);
  const identity = call.world.identityDecision(call, need);
  if (identity === 'deny') throw accessDenied(call, need, 'with an explicit deny in an identity-based policy');
  const role = roleOf(input.RoleArn);
  const context = { ...contextOf(call), ...need.context };
  const question = { policies: role ? [role.trust.policy] : [], principal: call.caller, action: need.action, resource: need.resource, context };
  const trust = evaluate(question);
  if (trust === 'deny') throw accessDenied(call, need, 'with an explicit deny in a resource-based policy');
  const named = role && trust === 'allow' && evaluate({ ...question, owner: role.account }) === 'allow';
  const sameAccount = role && 'account' in call.caller && call.caller.account === role.account;
  // Named in its own account's role a principal needs nothing else; otherwise both sides have to agree.
  if (trust === 'allow' && (identity === 'allow' || (named && sameAccount))) return;
  throw accessDenied(call, need, `because no ${trust === 'allow' ? 'identity-based' : 'resource-based'} policy allows the sts:AssumeRole action`);
}

function assumeNeed(input: AssumeRoleCommandInput): Need {
  return {
    action: 'sts:AssumeRole',
    resource: input.RoleArn ?? '',
    context: {
      'sts:rolesessionname': input.RoleSessionName ?? '',
      ...(input.ExternalId === undefined ? {} : { 'sts:externalid': input.ExternalId }),
    },
  };
}

/** 15 minutes to the role's maximum; one hour at most where a role assumes a role. */
function sessionSeconds(input: AssumeRoleCommandInput, call: Call, role: Role): number {
  const seconds = input.DurationSeconds ?? 3600;
  if (seconds < 900) throw validation(`Value '${seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900`);
  if (call.caller.kind === 'role' && seconds > 3600) {
    throw new AwsError('ValidationError', 'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining');
  }
  if (seconds > role.maxSessionSeconds) {
    throw new AwsError('ValidationError', 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  }
  return seconds;
}

function validation(problem: string): AwsError {
  return new AwsError('ValidationError', `1 validation error detected: ${problem}`);
}
