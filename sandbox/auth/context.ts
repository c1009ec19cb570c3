import type { Call, ConditionContext } from '../service.ts';

/**
 * The global condition keys of a call, lower case, each present only where AWS has it in a request; what the call
 * brings itself (`aws:principaltag/…`, `aws:referer`, keys of a service) is laid over them.
 *
 * The sandbox is plain HTTP on loopback and stands for TLS endpoints: `aws:SecureTransport` is true.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
export function contextOf(call: Call): ConditionContext {
  const known = contexts.get(call) ?? makeContext(call);
  contexts.set(call, known);
  return known;
}

/** Each need and each policy of a call asks for it again. */
const contexts = new WeakMap<Call, ConditionContext>();

function makeContext(call: Call): ConditionContext {
  const time = new Date(call.time).toISOString();
  return {
    'aws:currenttime': time,
    'aws:epochtime': String(Math.floor(call.time / 1000)),
    'aws:requestedregion': call.region,
    'aws:securetransport': 'true',
    'aws:viaawsservice': 'false',
    ...(call.userAgent === undefined ? {} : { 'aws:useragent': call.userAgent }),
    ...callerContext(call),
    ...signatureContext(call),
    ...call.context,
  };
}

function callerContext({ caller, sourceIp }: Call): ConditionContext {
  if (caller.kind === 'anonymous') {
    return { 'aws:sourceip': sourceIp, 'aws:principaltype': 'Anonymous', 'aws:principalaccount': 'anonymous' };
  }
  if (caller.kind === 'service') {
    // A service calls from inside AWS: no source address, and the resource it acts for as its source.
    return {
      'aws:principalisawsservice': 'true',
      'aws:principalservicename': caller.service,
      'aws:principalservicenameslist': [caller.service],
      ...(caller.sourceArn === undefined ? {} : { 'aws:sourcearn': caller.sourceArn, ...sourceAccount(caller.sourceArn) }),
    };
  }
  return {
    'aws:sourceip': sourceIp,
    'aws:principalisawsservice': 'false',
    'aws:principalarn': caller.principalArn,
    'aws:principalaccount': caller.account,
    'aws:principaltype': { user: 'User', role: 'AssumedRole', root: 'Account' }[caller.kind],
    'aws:userid': caller.userId,
    ...(caller.kind === 'user' ? { 'aws:username': caller.arn.split('/').at(-1) ?? '' } : {}),
    ...(caller.tokenIssuedAt === undefined
      ? {}
      : { 'aws:tokenissuetime': new Date(caller.tokenIssuedAt).toISOString(), 'aws:multifactorauthpresent': 'false' }),
  };
}

function sourceAccount(arn: string): ConditionContext {
  const account = arn.split(':')[4];
  return account ? { 'aws:sourceaccount': account } : {};
}

/** `s3:authType` and `s3:signatureVersion`: absent for anonymous requests. */
function signatureContext({ authType }: Call): ConditionContext {
  return authType === 'none' ? {} : { 's3:authtype': authType, 's3:signatureversion': 'AWS4-HMAC-SHA256' };
}
