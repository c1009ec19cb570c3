import { createHash, generateKeyPairSync } from 'node:crypto';
import * as sdk from '@aws-sdk/client-kms';
import { p256 } from '@noble/curves/nist.js';
import { readPolicy, type Policy } from '../../core/policy.ts';
import { accessDenied, authorizeByIdentity } from '../auth/authorize.ts';
import { contextOf } from '../auth/context.ts';
import { evaluate } from '../auth/evaluate.ts';
import { AwsError, operation, type Call, type Need, type Operation, type Service, type World } from '../service.ts';

interface Key {
  readonly arn: string;
  readonly id: string;
  /** The scalar: Node signs messages only, and KMS is given digests. */
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
  policy: Policy;
  /** As it was put. */
  policyText: string;
  enabled: boolean;
}

/**
 * KMS, as far as seals need it: real keys on P-256 that sign digests, under key policies. A digest is signed with a key that never
 * leaves this closure, and openssl verifies what comes out.
 *
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html
 */
export function createKms(world: World): Service {
  const keys = new Map<string, Key>();
  const find = (keyId: string | undefined): Key => {
    const key = keys.get(keyId ?? '') ?? [...keys.values()].find(({ id }) => id === keyId);
    if (!key) throw new AwsError('NotFoundException', `Key '${keyId ?? ''}' does not exist`);
    return key;
  };
  const on = (action: string) => (input: { readonly KeyId?: string | undefined }) => [{ action: `kms:${action}`, resource: find(input.KeyId).arn }];

  const operations: Readonly<Record<string, Operation>> = {
    CreateKey: operation<sdk.CreateKeyCommandInput, sdk.CreateKeyCommandOutput>({
      needs: () => [{ action: 'kms:CreateKey', resource: '*' }],
      run: (input) => {
        if (input.KeySpec !== 'ECC_NIST_P256' || input.KeyUsage !== 'SIGN_VERIFY') {
          throw new AwsError('NotImplemented', `kms:CreateKey with KeySpec ${input.KeySpec ?? 'SYMMETRIC_DEFAULT'} and KeyUsage ${input.KeyUsage ?? 'ENCRYPT_DECRYPT'} is not in the sandbox: only ECC_NIST_P256 and SIGN_VERIFY are`, 501);
        }
        const id = keyIdOf(world.account, input.Tags?.find(({ TagKey }) => TagKey === LOGICAL_ID)?.TagValue ?? String(world.random()));
        const arn = `arn:aws:kms:${world.region}:${world.account}:key/${id}`;
        const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        const secret = Buffer.from(pair.privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
        const policyText = input.Policy ?? defaultPolicy(world.account);
        const key: Key = { id, arn, secret, publicKey: pair.publicKey.export({ format: 'der', type: 'spki' }), policy: policyOf(policyText), policyText, enabled: true };
        keys.set(arn, key);
        return { KeyMetadata: describe(key) };
      },
    }),
    PutKeyPolicy: operation<sdk.PutKeyPolicyCommandInput, sdk.PutKeyPolicyCommandOutput>({
      needs: on('PutKeyPolicy'),
      run: (input) => {
        const policyText = input.Policy ?? '';
        Object.assign(find(input.KeyId), { policy: policyOf(policyText), policyText });
        return {};
      },
    }),
    GetKeyPolicy: operation<sdk.GetKeyPolicyCommandInput, sdk.GetKeyPolicyCommandOutput>({
      needs: on('GetKeyPolicy'),
      run: (input) => ({ Policy: find(input.KeyId).policyText, PolicyName: 'default' }),
    }),
    DescribeKey: operation<sdk.DescribeKeyCommandInput, sdk.DescribeKeyCommandOutput>({ needs: on('DescribeKey'), run: (input) => ({ KeyMetadata: describe(find(input.KeyId)) }) }),
    EnableKey: operation<sdk.EnableKeyCommandInput, object>({ needs: on('EnableKey'), run: (input) => enable(find(input.KeyId), true) }),
    DisableKey: operation<sdk.DisableKeyCommandInput, object>({ needs: on('DisableKey'), run: (input) => enable(find(input.KeyId), false) }),
    GetPublicKey: operation<sdk.GetPublicKeyCommandInput, sdk.GetPublicKeyCommandOutput>({
      needs: on('GetPublicKey'),
      run: (input) => {
        const { arn, publicKey } = find(input.KeyId);
        return { KeyId: arn, PublicKey: publicKey, KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', SigningAlgorithms: ['ECDSA_SHA_256'] };
      },
    }),
    Sign: operation<sdk.SignCommandInput, sdk.SignCommandOutput>({
      needs: (input) => on('Sign')(input).map((need) => ({ ...need, context: { 'kms:signingalgorithm': input.SigningAlgorithm ?? '', 'kms:messagetype': input.MessageType ?? 'RAW' } })),
      run: (input) => {
        const { arn, secret, enabled } = find(input.KeyId);
        if (!enabled) throw new AwsError('DisabledException', `${arn} is disabled.`);
        if (input.SigningAlgorithm !== 'ECDSA_SHA_256') throw new AwsError('ValidationException', `Algorithm ${input.SigningAlgorithm ?? ''} is incompatible with key spec ECC_NIST_P256.`);
        if (input.MessageType !== 'DIGEST') throw new AwsError('NotImplemented', `kms:Sign with MessageType ${input.MessageType ?? 'RAW'} is not in the sandbox: only DIGEST is`, 501);
        if (input.Message?.length !== 32) throw new AwsError('ValidationException', 'Digest is invalid length for algorithm ECDSA_SHA_256.');
        return { KeyId: arn, Signature: p256.sign(input.Message, secret, { prehash: false, format: 'der' }), SigningAlgorithm: 'ECDSA_SHA_256' };
      },
    }),
  };
  return {
    name: 'kms',
    sdk,
    protocol: 'json-1.1',
    operations,
    authorize: (name, input, call) => {
      const needs = operations[name]?.needs?.(input, call) ?? [];
      if (name === 'CreateKey') return authorizeByIdentity(call, needs);
      for (const need of needs) assertAllowed(find(need.resource), need, call);
    },
  };
}

function describe({ id, arn, enabled }: Key): sdk.KeyMetadata {
  return { KeyId: id, Arn: arn, KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', KeyState: enabled ? 'Enabled' : 'Disabled', Enabled: enabled, SigningAlgorithms: ['ECDSA_SHA_256'] };
}

function enable(key: Key, enabled: boolean): object {
  key.enabled = enabled;
  return {};
}

/** What CloudFormation tags a resource with; the sandbox derives the key's id from it, so that a template can name it. */
const LOGICAL_ID = 'aws:cloudformation:logical-id';

export function keyIdOf(account: string, logicalId: string): string {
  const hex = createHash('sha256').update(`${account}/${logicalId}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-');
}

/**
 * The key's policy decides. Identity policies count only where it leaves an action to its account.
 *
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
 */
function assertAllowed(key: Key, need: Need, call: Call): void {
  const { caller, world } = call;
  const context = { ...contextOf(call), ...need.context };
  const question = { policies: [key.policy], owner: world.account, action: need.action, resource: need.resource, context };
  const identity = world.identityDecision(call, need);
  const direct = evaluate({ ...question, principal: caller });
  if (identity === 'deny') throw accessDenied(call, need, 'with an explicit deny in an identity-based policy');
  if (direct === 'deny') throw accessDenied(call, need, 'with an explicit deny in a resource-based policy');
  if (direct === 'allow') return;
  const arn = `arn:aws:iam::${world.account}:root`;
  const delegated = evaluate({ ...question, principal: { kind: 'root', account: world.account, principalArn: arn, arn, userId: world.account } });
  if (delegated === 'allow' && identity === 'allow' && 'account' in caller && caller.account === world.account) return;
  throw accessDenied(call, need, `because no ${delegated === 'allow' ? 'identity-based' : 'resource-based'} policy allows the ${need.action} action`);
}

function policyOf(text: string): Policy {
  try {
    return readPolicy(JSON.parse(text));
  } catch (cause) {
    throw new AwsError('MalformedPolicyDocumentException', cause instanceof Error ? cause.message : String(cause));
  }
}

function defaultPolicy(account: string): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'kms:*', Resource: '*' }] });
}
