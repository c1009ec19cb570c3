import { AwsError } from '../service.ts';
import type { Call, Caller, Need } from '../service.ts';

/**
 * Let a call pass where the caller's identity policies allow everything that it needs, on resources of the caller's
 * own account: the rule for services whose resources have no policy of their own.
 *
 * @throws {AwsError} AWS's access-denied error at the first need that is not met
 */
export function authorizeByIdentity(call: Call, needs: readonly Need[]): void {
  for (const need of needs) {
    const decision = call.world.identityDecision(call, need);
    if (decision === 'deny') throw accessDenied(call, need, 'with an explicit deny in an identity-based policy');
    if (decision === 'none') throw accessDenied(call, need, `because no identity-based policy allows the ${need.action} action`);
    const owner = need.resource.split(':')[4] ?? '';
    const account = 'account' in call.caller ? call.caller.account : '';
    if (owner !== '' && owner !== account) throw accessDenied(call, need, `because no resource-based policy allows the ${need.action} action`);
  }
}

/**
 * AWS's words for a refusal: `User: … is not authorized to perform: … on resource: … because no … allows the … action`.
 *
 * @param reason - from `because` or `with an explicit deny in` on
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 */
export function accessDenied(call: Call, need: Pick<Need, 'action' | 'resource'>, reason: string): AwsError {
  const service = need.action.split(':')[0] ?? '';
  const resource = service === 's3' ? `"${need.resource}"` : need.resource;
  const message = `User: ${nameOf(call.caller)} is not authorized to perform: ${need.action} on resource: ${resource} ${reason}`;
  if (['s3', 'iam', 'sts', 'cloudfront'].includes(service)) return new AwsError('AccessDenied', message, 403);
  return new AwsError('AccessDeniedException', message, service === 'lambda' ? 403 : 400);
}

/** How messages and call records name a caller. */
export function nameOf(caller: Caller): string {
  if (caller.kind === 'anonymous') return 'anonymous';
  return caller.kind === 'service' ? caller.service : caller.arn;
}
