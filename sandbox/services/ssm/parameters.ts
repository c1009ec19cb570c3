import type {
  DeleteParameterCommandInput,
  DeleteParameterCommandOutput,
  GetParameterCommandInput,
  GetParameterCommandOutput,
  ParameterType,
  PutParameterCommandInput,
  PutParameterCommandOutput,
} from '@aws-sdk/client-ssm';
import { AwsError, operation, type Call, type Need, type Operation } from '../../service.ts';

interface Parameter {
  readonly name: string;
  readonly type: ParameterType;
  readonly value: string;
  readonly version: number;
  readonly modifiedAt: number;
  /** When Parameter Store deletes it by itself, ms. */
  readonly expiresAt: number;
}

/** Bytes. https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html */
const LIMITS = { Standard: 4 * 1024, Advanced: 8 * 1024, 'Intelligent-Tiering': 8 * 1024 } as const;
const TYPES: readonly string[] = ['String', 'StringList', 'SecureString'] satisfies readonly ParameterType[];

/**
 * Parameter Store: parameters are written, read and deleted. A SecureString is encrypted under `alias/aws/ssm`, which asks
 * for no permission of its own; without `WithDecryption` its ciphertext is returned.
 *
 * @see https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
 */
export function parameterOperations(): Readonly<Record<string, Operation>> {
  const parameters = new Map<string, Parameter>();
  const find = (call: Call, name = ''): Parameter => {
    const parameter = parameters.get(arnOf(call, name));
    // AWS deletes it bit by bit, soon after: here at that moment.
    if (!parameter || parameter.expiresAt <= call.time) throw new AwsError('ParameterNotFound', '');
    return parameter;
  };
  return {
    PutParameter: operation<PutParameterCommandInput, PutParameterCommandOutput>({
      needs: onParameter('PutParameter'),
      run: ({ Name: name = '', Value: value = '', Type: given, Overwrite, Tier: tier = 'Standard', Policies: policies }, call) => {
        const stored = parameters.get(arnOf(call, name));
        const before = stored && stored.expiresAt > call.time ? stored : undefined;
        const type = given ?? before?.type;
        if (!/^\/?[\w.-]+(\/[\w.-]+){0,14}$/.test(name) || /^\/?(aws|ssm)/i.test(name)) throw new AwsError('ValidationException', `Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive); letters, numbers and .-_ with / between: ${name}`);
        if (type === undefined || !TYPES.includes(type)) throw new AwsError('ValidationException', 'A parameter type is required when you create a parameter.');
        if (value === '') throw new AwsError('ValidationException', "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1");
        if (Buffer.byteLength(value) > LIMITS[tier]) throw new AwsError('ValidationException', `${tier} tier parameters support a maximum parameter value of ${LIMITS[tier]} characters.`);
        if (before && Overwrite !== true) throw new AwsError('ParameterAlreadyExists', 'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.');
        if (policies !== undefined && tier !== 'Advanced') throw new AwsError('ValidationException', 'Parameter policies are available for parameters of the Advanced tier only.');
        const version = (before?.version ?? 0) + 1;
        parameters.set(arnOf(call, name), { name, type, value, version, modifiedAt: call.time, expiresAt: expiryOf(policies) });
        return { Version: version, Tier: tier };
      },
    }),
    GetParameter: operation<GetParameterCommandInput, GetParameterCommandOutput>({
      needs: onParameter('GetParameter'),
      run: ({ Name, WithDecryption }, call) => {
        const { name, type, value, version, modifiedAt } = find(call, Name);
        const shown = type === 'SecureString' && WithDecryption !== true ? `AQICAHh${Buffer.from(`${name} ${version}`).toString('base64')}` : value;
        return { Parameter: { Name: name, Type: type, Value: shown, Version: version, LastModifiedDate: new Date(modifiedAt), ARN: arnOf(call, name), DataType: 'text' } };
      },
    }),
    DeleteParameter: operation<DeleteParameterCommandInput, DeleteParameterCommandOutput>({
      needs: onParameter('DeleteParameter'),
      run: ({ Name }, call) => {
        parameters.delete(arnOf(call, find(call, Name).name));
        return {};
      },
    }),
  };
}

/** The one policy that something here uses. https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-policies.html */
function expiryOf(policies: string | undefined): number {
  if (policies === undefined) return Number.POSITIVE_INFINITY;
  const [policy, ...more]: readonly { readonly Type?: string; readonly Version?: string; readonly Attributes?: { readonly Timestamp?: string } }[] = JSON.parse(policies);
  const at = Date.parse(policy?.Attributes?.Timestamp ?? '');
  if (policy?.Type !== 'Expiration' || policy.Version !== '1.0' || more.length > 0 || Number.isNaN(at)) throw new AwsError('InvalidPolicyAttributeException', `The sandbox knows one Expiration policy with its Timestamp, not ${policies}`);
  return at;
}

function onParameter(action: string): (input: { readonly Name: string | undefined }, call: Call) => readonly Need[] {
  return ({ Name }, call) => [{ action: `ssm:${action}`, resource: arnOf(call, Name ?? '') }];
}

/** The leading slash of a name is the one after `parameter`. */
function arnOf(call: Call, name: string): string {
  const account = 'account' in call.caller ? call.caller.account : call.world.account;
  return `arn:aws:ssm:${call.region}:${account}:parameter/${name.replace(/^\//, '')}`;
}
