import { AwsError, type World } from '../../service.ts';

export function stateMachineArn(world: World, name: string): string {
  return `arn:aws:states:${world.region}:${world.account}:stateMachine:${name}`;
}

export function executionArn(world: World, stateMachine: string, name: string): string {
  return `arn:aws:states:${world.region}:${world.account}:execution:${stateMachine}:${name}`;
}

/** @throws {AwsError} `InvalidArn` where it is not an ARN at all */
export function arnOf(value: string | undefined): string {
  if (!value?.startsWith('arn:')) throw new AwsError('InvalidArn', `Invalid Arn: 'Invalid ARN prefix: ${value}'`);
  return value;
}

/**
 * 1 to 80 characters, without white space, brackets, wildcards, `" # % \ ^ | ~ \` $ & , ; : /` and control characters.
 *
 * @throws {AwsError} `InvalidName`
 * @see https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
 */
export function nameOf(value: string | undefined): string {
  if (value === undefined || !/^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]{1,80}$/u.test(value)) throw new AwsError('InvalidName', `Invalid Name: '${value}'`);
  return value;
}

/** A page of a list. The token is opaque to callers: the place to go on from. */
export function pageOf<T>(all: readonly T[], token: string | undefined, size: number | undefined): { readonly items: readonly T[]; readonly nextToken: string | undefined } {
  const limit = size === undefined || size === 0 ? 100 : size;
  if (limit > 1000) throw new AwsError('ValidationException', `1 validation error detected: Value '${size}' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000`);
  const from = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString().replace(/^from:/, ''));
  if (!Number.isInteger(from) || from < 0) throw new AwsError('InvalidToken', `Invalid Token: '${token}'`);
  const to = from + limit;
  return { items: all.slice(from, to), nextToken: to < all.length ? Buffer.from(`from:${to}`).toString('base64url') : undefined };
}
