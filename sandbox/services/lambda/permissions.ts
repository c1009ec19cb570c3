import type * as sdk from '@aws-sdk/client-lambda';
import { type Policy, readPolicy } from '../../../core/policy.ts';
import { accessDenied } from '../../auth/authorize.ts';
import { contextOf } from '../../auth/context.ts';
import { evaluate } from '../../auth/evaluate.ts';
import { AwsError, type Call, type ConditionContext, type Decision, type Need, type Operation, operation } from '../../service.ts';
import type { Functions, LambdaFunction } from './functions.ts';

/**
 * Decides about a call by the caller's policies and the function's own. In the function's account either may allow;
 * a caller of another account needs both, and a service only has the function's.
 *
 * @throws {AwsError} `AccessDeniedException`
 * @see https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
 */
export function authorizeLambda(operations: Readonly<Record<string, Operation>>, functions: Functions, name: string, input: unknown, call: Call): void {
  for (const need of operations[name]?.needs?.(input, call) ?? []) {
    assertAllowed(functions.list().find((fn) => fn.arn === need.resource), need, call);
  }
}

/**
 * A function's URL asks for two permissions since October 2025; without authentication the function's policy decides alone.
 *
 * @throws {AwsError} `AccessDeniedException`
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
 */
export function assertUrlAllowed(fn: LambdaFunction, authType: 'AWS_IAM' | 'NONE', call: Call): void {
  if (authType === 'AWS_IAM' && call.caller.kind === 'anonymous') throw new AwsError('AccessDeniedException', 'Forbidden', 403);
  const url: ConditionContext = { 'lambda:functionurlauthtype': authType, 'lambda:functionarn': fn.arn };
  assertAllowed(fn, { action: 'lambda:InvokeFunctionUrl', resource: fn.arn, context: url }, call);
  assertAllowed(fn, { action: 'lambda:InvokeFunction', resource: fn.arn, context: { 'lambda:invokedviafunctionurl': 'true' } }, call);
}

function assertAllowed(fn: LambdaFunction | undefined, need: Need, call: Call): void {
  const { caller, world } = call;
  const policy = fn ? policyOf(fn) : null;
  const context = { ...contextOf(call), ...need.context };
  const resource: Decision = policy
    ? evaluate({ policies: [policy], principal: caller, owner: world.account, action: need.action, resource: need.resource, context })
    : 'none';
  const identity = world.identityDecision(call, need);
  if (identity !== 'deny' && resource !== 'deny') {
    // A list of one's own functions is about nobody else's.
    const foreign = 'account' in caller && caller.account !== world.account && need.resource !== '*';
    if (foreign ? identity === 'allow' && resource === 'allow' : identity === 'allow' || resource === 'allow') return;
  }
  if (identity === 'deny') throw accessDenied(call, need, 'with an explicit deny in an identity-based policy');
  if (resource === 'deny') throw accessDenied(call, need, 'with an explicit deny in a resource-based policy');
  const missing = caller.kind === 'service' || identity === 'allow' ? 'resource-based' : 'identity-based';
  throw accessDenied(call, need, `because no ${missing} policy allows the ${need.action} action`);
}

function policyOf(fn: LambdaFunction): Policy | null {
  return fn.policy.size === 0 ? null : readPolicy(documentOf(fn));
}

function documentOf(fn: LambdaFunction): object {
  return { Version: '2012-10-17', Id: 'default', Statement: [...fn.policy.values()] };
}

/** The operations that write and show a function's policy. */
export function permissionOperations(
  functions: Functions,
  needs: (action: string) => (input: { readonly FunctionName?: string | undefined }) => readonly Need[],
): Readonly<Record<string, Operation>> {
  return {
    AddPermission: operation<sdk.AddPermissionCommandInput, sdk.AddPermissionCommandOutput>({
      needs: needs('AddPermission'),
      run: (input) => {
        const fn = functions.get(input.FunctionName);
        const id = input.StatementId ?? '';
        if (fn.policy.has(id)) {
          const message = `The statement id (${id}) provided already exists. Please provide a new statement id, or remove the existing statement.`;
          throw new AwsError('ResourceConflictException', message, 409, { Type: 'User' });
        }
        const statement = statementOf(input, fn);
        fn.policy.set(id, statement);
        return { Statement: JSON.stringify(statement) };
      },
    }),
    RemovePermission: operation<sdk.RemovePermissionCommandInput, sdk.RemovePermissionCommandOutput>({
      needs: needs('RemovePermission'),
      run: (input) => {
        const fn = functions.get(input.FunctionName);
        if (!fn.policy.delete(input.StatementId ?? '')) throw notFound(`Statement ${input.StatementId ?? ''} is not found in resource policy.`);
        return {};
      },
    }),
    GetPolicy: operation<sdk.GetPolicyCommandInput, sdk.GetPolicyCommandOutput>({
      needs: needs('GetPolicy'),
      run: (input) => {
        const fn = functions.get(input.FunctionName);
        if (fn.policy.size === 0) throw notFound('The resource you requested does not exist.');
        return { Policy: JSON.stringify(documentOf(fn)) };
      },
    }),
  };
}

function statementOf(input: sdk.AddPermissionCommandInput, fn: LambdaFunction): object {
  const condition = {
    ...whereGiven('ArnLike', { 'AWS:SourceArn': input.SourceArn }),
    ...whereGiven('StringEquals', {
      'AWS:SourceAccount': input.SourceAccount,
      'aws:PrincipalOrgID': input.PrincipalOrgID,
      'lambda:FunctionUrlAuthType': input.FunctionUrlAuthType,
    }),
    ...whereGiven('Bool', { 'lambda:InvokedViaFunctionUrl': input.InvokedViaFunctionUrl === undefined ? undefined : String(input.InvokedViaFunctionUrl) }),
  };
  return {
    Sid: input.StatementId,
    Effect: 'Allow',
    Principal: principalOf(input.Principal ?? ''),
    Action: input.Action,
    Resource: fn.arn,
    ...(Object.keys(condition).length === 0 ? {} : { Condition: condition }),
  };
}

function principalOf(principal: string): string | Readonly<Record<string, string>> {
  if (principal === '*') return '*';
  if (principal.endsWith('.amazonaws.com')) return { Service: principal };
  return { AWS: /^\d{12}$/.test(principal) ? `arn:aws:iam::${principal}:root` : principal };
}

function whereGiven(operator: string, keys: Readonly<Record<string, string | undefined>>): Readonly<Record<string, object>> {
  const given = Object.entries(keys).filter(([, value]) => value !== undefined);
  return given.length === 0 ? {} : { [operator]: Object.fromEntries(given) };
}

function notFound(message: string): AwsError {
  return new AwsError('ResourceNotFoundException', message, 404, { Type: 'User' });
}
