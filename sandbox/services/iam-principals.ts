import { randomUUID } from 'node:crypto';
import * as sdk from '@aws-sdk/client-iam';
import type { Directory, Role, User } from '../auth/directory.ts';
import { evaluate } from '../auth/evaluate.ts';
import { AwsError, operation } from '../service.ts';
import type { Call, CallRecord, ConditionContext, Need, Operations } from '../service.ts';

export interface PrincipalParts {
  readonly directory: Directory;
  /** Everything that was called so far: what services somebody used. */
  readonly calls: () => readonly CallRecord[];
  readonly onUser: (action: string) => (input: { UserName?: string | undefined }, call: Call) => readonly Need[];
  readonly onRole: (action: string) => (input: { RoleName?: string | undefined }, call: Call) => readonly Need[];
  readonly userOf: (call: Call, name: string | undefined) => User;
  readonly roleOf: (call: Call, name: string | undefined) => Role;
}

/**
 * What containing a principal calls: a user's keys, password and policies, what uses it, and what its policies say to a request.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
 */
export function principalOperations({ directory, calls, onUser, onRole, userOf, roleOf }: PrincipalParts): Operations {
  const reports = new Map<string, { readonly arn: string; readonly at: number }>();
  const byArn = (arn: string | undefined) => ({ action: (name: string): readonly Need[] => [{ action: name, resource: arn ?? '' }] });
  const ownerOf = (arn = ''): User | Role => {
    const account = arn.split(':')[4] ?? '';
    const name = arn.split('/').at(-1) ?? '';
    const found = arn.includes(':role/') ? directory.roles.find(account, name) : directory.users.find(account, name);
    if (found?.arn !== arn) throw new AwsError('NoSuchEntity', `The entity with ARN ${arn} cannot be found.`, 404);
    return found;
  };

  return {
    ListAccessKeys: operation<sdk.ListAccessKeysCommandInput, sdk.ListAccessKeysCommandOutput>({
      needs: onUser('iam:ListAccessKeys'),
      run: (input, call) => {
        const user = userOf(call, input.UserName);
        return { AccessKeyMetadata: directory.keysOf(user).map((key) => ({ UserName: user.name, AccessKeyId: key.id, Status: key.status, CreateDate: new Date(key.createdAt) })), IsTruncated: false };
      },
    }),
    UpdateAccessKey: operation<sdk.UpdateAccessKeyCommandInput, object>({
      needs: onUser('iam:UpdateAccessKey'),
      run: (input, call) => {
        const key = directory.keysOf(userOf(call, input.UserName)).find(({ id }) => id === input.AccessKeyId);
        if (!key) throw new AwsError('NoSuchEntity', `The Access Key with id ${input.AccessKeyId ?? ''} cannot be found.`, 404);
        key.status = input.Status === 'Active' ? 'Active' : 'Inactive';
        return {};
      },
    }),
    CreateLoginProfile: operation<sdk.CreateLoginProfileCommandInput, sdk.CreateLoginProfileCommandOutput>({
      needs: onUser('iam:CreateLoginProfile'),
      run: (input, call) => {
        const user = userOf(call, input.UserName);
        if (user.hasPassword) throw new AwsError('EntityAlreadyExists', `Login Profile for user ${user.name} already exists.`, 409);
        user.hasPassword = true;
        return { LoginProfile: { UserName: user.name, CreateDate: new Date(call.time), PasswordResetRequired: false } };
      },
    }),
    GetLoginProfile: operation<sdk.GetLoginProfileCommandInput, sdk.GetLoginProfileCommandOutput>({
      needs: onUser('iam:GetLoginProfile'),
      run: (input, call) => {
        const user = userOf(call, input.UserName);
        if (!user.hasPassword) throw new AwsError('NoSuchEntity', `Login Profile for User ${user.name} cannot be found.`, 404);
        return { LoginProfile: { UserName: user.name, CreateDate: new Date(user.createdAt), PasswordResetRequired: false } };
      },
    }),
    ListUserPolicies: operation<sdk.ListUserPoliciesCommandInput, sdk.ListUserPoliciesCommandOutput>({
      needs: onUser('iam:ListUserPolicies'),
      run: (input, call) => ({ PolicyNames: [...userOf(call, input.UserName).policies.keys()], IsTruncated: false }),
    }),
    GetUserPolicy: operation<sdk.GetUserPolicyCommandInput, sdk.GetUserPolicyCommandOutput>({
      needs: onUser('iam:GetUserPolicy'),
      run: (input, call) => {
        const user = userOf(call, input.UserName);
        const policy = user.policies.get(input.PolicyName ?? '');
        if (!policy) throw missingPolicy(input.PolicyName);
        return { UserName: user.name, PolicyName: input.PolicyName, PolicyDocument: encodeURIComponent(policy.text) };
      },
    }),
    DeleteUserPolicy: operation<sdk.DeleteUserPolicyCommandInput, object>({
      needs: onUser('iam:DeleteUserPolicy'),
      run: (input, call) => {
        if (!userOf(call, input.UserName).policies.delete(input.PolicyName ?? '')) throw missingPolicy(input.PolicyName);
        return {};
      },
    }),
    /** The sandbox has no instances. */
    ListInstanceProfilesForRole: operation<sdk.ListInstanceProfilesForRoleCommandInput, sdk.ListInstanceProfilesForRoleCommandOutput>({
      needs: onRole('iam:ListInstanceProfilesForRole'),
      run: (input, call) => {
        roleOf(call, input.RoleName);
        return { InstanceProfiles: [], IsTruncated: false };
      },
    }),
    /** Done at once; on AWS it takes seconds. */
    GenerateServiceLastAccessedDetails: operation<sdk.GenerateServiceLastAccessedDetailsCommandInput, sdk.GenerateServiceLastAccessedDetailsCommandOutput>({
      needs: (input) => byArn(input.Arn).action('iam:GenerateServiceLastAccessedDetails'),
      run: (input, call) => {
        const JobId = randomUUID();
        reports.set(JobId, { arn: ownerOf(input.Arn).arn, at: call.time });
        return { JobId };
      },
    }),
    GetServiceLastAccessedDetails: operation<sdk.GetServiceLastAccessedDetailsCommandInput, sdk.GetServiceLastAccessedDetailsCommandOutput>({
      needs: () => [{ action: 'iam:GetServiceLastAccessedDetails', resource: '*' }],
      run: (input) => {
        const report = reports.get(input.JobId ?? '');
        if (!report) throw new AwsError('NoSuchEntity', `Job ${input.JobId ?? ''} cannot be found.`, 404);
        const used = calls().filter(({ principalArn }) => principalArn === report.arn);
        const services = [...new Map(used.map(({ service, time }) => [service, time]))];
        const ServicesLastAccessed = services.map(([service, time]) => ({ ServiceName: service, ServiceNamespace: service, LastAuthenticated: new Date(time), LastAuthenticatedEntity: report.arn, TotalAuthenticatedEntities: 1 }));
        return { JobStatus: 'COMPLETED', JobCreationDate: new Date(report.at), JobCompletionDate: new Date(report.at), ServicesLastAccessed, IsTruncated: false };
      },
    }),
    SimulatePrincipalPolicy: operation<sdk.SimulatePrincipalPolicyCommandInput, sdk.SimulatePrincipalPolicyCommandOutput>({
      needs: (input) => byArn(input.PolicySourceArn).action('iam:SimulatePrincipalPolicy'),
      run: (input) => {
        const named = [...ownerOf(input.PolicySourceArn).policies].map(([name, { policy }]) => ({ name, policy }));
        const policies = named.map(({ policy }) => policy);
        const context: ConditionContext = Object.fromEntries((input.ContextEntries ?? []).map(({ ContextKeyName = '', ContextKeyValues = [] }) => [ContextKeyName.toLowerCase(), ContextKeyValues[0] ?? '']));
        const resources = input.ResourceArns ?? ['*'];
        return {
          EvaluationResults: (input.ActionNames ?? []).flatMap((action) =>
            resources.map((resource) => {
              const decision = evaluate({ policies, action, resource, context });
              const matched = named.filter(({ policy }) => decision !== 'none' && evaluate({ policies: [policy], action, resource, context }) === decision);
              return { EvalActionName: action, EvalResourceName: resource, EvalDecision: DECISIONS[decision], MatchedStatements: matched.map(({ name }) => ({ SourcePolicyId: name })) };
            }),
          ),
          IsTruncated: false,
        };
      },
    }),
  };
}

const DECISIONS = { allow: 'allowed', deny: 'explicitDeny', none: 'implicitDeny' } as const;

function missingPolicy(name = ''): AwsError {
  return new AwsError('NoSuchEntity', `The user policy with name ${name} cannot be found.`, 404);
}
