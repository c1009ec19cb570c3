import * as sdk from '@aws-sdk/client-iam';
import type {
  CreateAccessKeyCommandInput,
  CreateAccessKeyCommandOutput,
  CreateRoleCommandInput,
  CreateRoleCommandOutput,
  CreateUserCommandInput,
  CreateUserCommandOutput,
  DeleteRoleCommandInput,
  DeleteRolePolicyCommandInput,
  GetRoleCommandInput,
  GetRoleCommandOutput,
  GetRolePolicyCommandInput,
  GetRolePolicyCommandOutput,
  GetUserCommandInput,
  GetUserCommandOutput,
  ListRolePoliciesCommandInput,
  ListRolePoliciesCommandOutput,
  ListRolesCommandInput,
  ListRolesCommandOutput,
  ListUsersCommandInput,
  ListUsersCommandOutput,
  PutRolePolicyCommandInput,
  PutUserPolicyCommandInput,
  UpdateAssumeRolePolicyCommandInput,
} from '@aws-sdk/client-iam';
import { policyText } from '../auth/directory.ts';
import type { Directory, PolicyText, Role, Store, User } from '../auth/directory.ts';
import { AwsError, operation } from '../service.ts';
import type { Call, CallRecord, Need, Service } from '../service.ts';
import { principalOperations } from './iam-principals.ts';

/** Characters of all inline policies together, and of a trust policy; white space is free. */
const LIMITS = { user: 2048, role: 10_240, trust: 2048 };

/**
 * IAM users and roles with inline policies: what the sandbox's own authorisation reads. Changes apply at once;
 * on AWS they take seconds.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export function createIam(directory: Directory, calls: () => readonly CallRecord[] = () => []): Service {
  const { roles, users } = directory;
  const onRole = (action: string) => (input: { RoleName?: string | undefined }, call: Call) => need(action, call, 'role', roles, input.RoleName);
  const onUser = (action: string) => (input: { UserName?: string | undefined }, call: Call) => need(action, call, 'user', users, input.UserName);

  return {
    name: 'iam',
    sdk,
    protocol: 'query',
    operations: {
      ...principalOperations({ directory, calls, onUser, onRole, userOf: (call, name) => find(users, call, name, 'user'), roleOf: (call, name) => find(roles, call, name, 'role') }),
      CreateRole: operation<CreateRoleCommandInput, CreateRoleCommandOutput>({
        needs: (input, call) => [created('iam:CreateRole', call, 'role', input.Path, input.RoleName)],
        run: (input, call) => {
          const name = validName(input.RoleName, 'roleName');
          refuseExisting(roles, call, name, 'Role');
          const role = directory.createRole(accountOf(call), name, trustOf(input.AssumeRolePolicyDocument), input.Path);
          role.description = input.Description;
          role.maxSessionSeconds = input.MaxSessionDuration ?? 3600;
          input.Tags?.forEach((tag) => role.tags.set(tag.Key ?? '', tag.Value ?? ''));
          return { Role: describeRole(role) };
        },
      }),
      GetRole: operation<GetRoleCommandInput, GetRoleCommandOutput>({
        needs: onRole('iam:GetRole'),
        run: (input, call) => ({ Role: describeRole(find(roles, call, input.RoleName, 'role')) }),
      }),
      ListRoles: operation<ListRolesCommandInput, ListRolesCommandOutput>({
        needs: () => [{ action: 'iam:ListRoles', resource: '*' }],
        run: (input, call) => ({
          Roles: roles.list(accountOf(call)).filter((role) => role.path.startsWith(input.PathPrefix ?? '/')).map(describeRole),
          IsTruncated: false,
        }),
      }),
      DeleteRole: operation<DeleteRoleCommandInput, object>({
        needs: onRole('iam:DeleteRole'),
        run: (input, call) => {
          const role = find(roles, call, input.RoleName, 'role');
          if (role.policies.size > 0) throw new AwsError('DeleteConflict', 'Cannot delete entity, must delete policies first.', 409);
          roles.remove(role);
          return {};
        },
      }),
      UpdateAssumeRolePolicy: operation<UpdateAssumeRolePolicyCommandInput, object>({
        needs: onRole('iam:UpdateAssumeRolePolicy'),
        run: (input, call) => {
          find(roles, call, input.RoleName, 'role').trust = trustOf(input.PolicyDocument);
          return {};
        },
      }),
      PutRolePolicy: operation<PutRolePolicyCommandInput, object>({
        needs: onRole('iam:PutRolePolicy'),
        run: (input, call) => put(find(roles, call, input.RoleName, 'role'), input.PolicyName, input.PolicyDocument),
      }),
      GetRolePolicy: operation<GetRolePolicyCommandInput, GetRolePolicyCommandOutput>({
        needs: onRole('iam:GetRolePolicy'),
        run: (input, call) => {
          const role = find(roles, call, input.RoleName, 'role');
          const document = inlinePolicy(role, input.PolicyName);
          return { RoleName: role.name, PolicyName: input.PolicyName, PolicyDocument: encodeURIComponent(document.text) };
        },
      }),
      DeleteRolePolicy: operation<DeleteRolePolicyCommandInput, object>({
        needs: onRole('iam:DeleteRolePolicy'),
        run: (input, call) => {
          const role = find(roles, call, input.RoleName, 'role');
          inlinePolicy(role, input.PolicyName);
          role.policies.delete(input.PolicyName ?? '');
          return {};
        },
      }),
      ListRolePolicies: operation<ListRolePoliciesCommandInput, ListRolePoliciesCommandOutput>({
        needs: onRole('iam:ListRolePolicies'),
        run: (input, call) => ({ PolicyNames: [...find(roles, call, input.RoleName, 'role').policies.keys()], IsTruncated: false }),
      }),
      // Managed policies are none of the sandbox's: no role has one.
      ListAttachedRolePolicies: operation<sdk.ListAttachedRolePoliciesCommandInput, sdk.ListAttachedRolePoliciesCommandOutput>({
        needs: onRole('iam:ListAttachedRolePolicies'),
        run: (input, call) => {
          find(roles, call, input.RoleName, 'role');
          return { AttachedPolicies: [], IsTruncated: false };
        },
      }),
      CreateUser: operation<CreateUserCommandInput, CreateUserCommandOutput>({
        needs: (input, call) => [created('iam:CreateUser', call, 'user', input.Path, input.UserName)],
        run: (input, call) => {
          const name = validName(input.UserName, 'userName');
          refuseExisting(users, call, name, 'User');
          const user = directory.createUser(accountOf(call), name, input.Path);
          input.Tags?.forEach((tag) => user.tags.set(tag.Key ?? '', tag.Value ?? ''));
          return { User: describeUser(user) };
        },
      }),
      GetUser: operation<GetUserCommandInput, GetUserCommandOutput>({
        needs: onUser('iam:GetUser'),
        run: (input, call) => ({ User: describeUser(find(users, call, input.UserName ?? ownName(call), 'user')) }),
      }),
      ListUsers: operation<ListUsersCommandInput, ListUsersCommandOutput>({
        needs: () => [{ action: 'iam:ListUsers', resource: '*' }],
        run: (_input, call) => ({ Users: users.list(accountOf(call)).map(describeUser), IsTruncated: false }),
      }),
      PutUserPolicy: operation<PutUserPolicyCommandInput, object>({
        needs: onUser('iam:PutUserPolicy'),
        run: (input, call) => put(find(users, call, input.UserName, 'user'), input.PolicyName, input.PolicyDocument),
      }),
      CreateAccessKey: operation<CreateAccessKeyCommandInput, CreateAccessKeyCommandOutput>({
        needs: onUser('iam:CreateAccessKey'),
        run: (input, call) => {
          const user = find(users, call, input.UserName ?? ownName(call), 'user');
          const key = directory.createKey(user);
          return {
            AccessKey: {
              UserName: user.name,
              AccessKeyId: key.accessKeyId,
              Status: 'Active',
              SecretAccessKey: key.secretAccessKey,
              CreateDate: new Date(call.time),
            },
          };
        },
      }),
    },
  };
}

function put(owner: User | Role, name = '', text = ''): object {
  const document = policyText(text);
  const others = [...owner.policies].filter(([other]) => other !== name).map(([, policy]) => policy);
  const size = [...others, document].reduce((sum, policy) => sum + sizeOf(policy), 0);
  if (size > LIMITS[owner.kind]) {
    throw new AwsError('LimitExceeded', `Maximum policy size of ${LIMITS[owner.kind]} bytes exceeded for ${owner.kind} ${owner.name}`, 409);
  }
  owner.policies.set(name, document);
  return {};
}

function trustOf(text = ''): PolicyText {
  const document = policyText(text);
  if (document.policy.statements.some((statement) => statement.resources ?? statement.notResources)) {
    throw new AwsError('MalformedPolicyDocument', 'Has prohibited field Resource');
  }
  if (sizeOf(document) > LIMITS.trust) throw new AwsError('LimitExceeded', `Cannot exceed quota for ACLSizePerRole: ${LIMITS.trust}`, 409);
  return document;
}

function sizeOf(document: PolicyText): number {
  return document.text.replaceAll(/\s/g, '').length;
}

function inlinePolicy(role: Role, name = ''): PolicyText {
  const policy = role.policies.get(name);
  if (!policy) throw new AwsError('NoSuchEntity', `The role policy with name ${name} cannot be found.`, 404);
  return policy;
}

function find<T>(store: Store<T>, call: Call, name: string | undefined, kind: 'user' | 'role'): T {
  const found = store.find(accountOf(call), name ?? '');
  if (!found) throw new AwsError('NoSuchEntity', `The ${kind} with name ${name ?? ''} cannot be found.`, 404);
  return found;
}

function refuseExisting<T>(store: Store<T>, call: Call, name: string, kind: string): void {
  if (store.find(accountOf(call), name)) throw new AwsError('EntityAlreadyExists', `${kind} with name ${name} already exists.`, 409);
}

function validName(name: string | undefined, field: string): string {
  if (name !== undefined && /^[\w+=,.@-]{1,64}$/.test(name)) return name;
  throw new AwsError('ValidationError', `The specified value for ${field} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`);
}

function describeRole(role: Role): NonNullable<GetRoleCommandOutput['Role']> {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: new Date(role.createdAt),
    // IAM returns documents percent-encoded (RFC 3986).
    AssumeRolePolicyDocument: encodeURIComponent(role.trust.text),
    Description: role.description,
    MaxSessionDuration: role.maxSessionSeconds,
    Tags: [...role.tags].map(([Key, Value]) => ({ Key, Value })),
  };
}

function describeUser(user: User): NonNullable<GetUserCommandOutput['User']> {
  return { Path: user.path, UserName: user.name, UserId: user.id, Arn: user.arn, CreateDate: new Date(user.createdAt) };
}

function need(action: string, call: Call, kind: 'user' | 'role', store: Pick<Store<User | Role>, 'find'>, name: string | undefined): readonly Need[] {
  const found = store.find(accountOf(call), name ?? ownName(call));
  return [found ? { action, resource: found.arn } : created(action, call, kind, '/', name)];
}

function created(action: string, call: Call, kind: 'user' | 'role', path = '/', name = ''): Need {
  return { action, resource: `arn:aws:iam::${accountOf(call)}:${kind}${path}${name}` };
}

function accountOf(call: Call): string {
  return 'account' in call.caller ? call.caller.account : call.world.account;
}

function ownName(call: Call): string {
  return call.caller.kind === 'user' ? (call.caller.arn.split('/').at(-1) ?? '') : '';
}
