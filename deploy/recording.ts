import type { Config } from './config.ts';
import { arnOf, DELIVERY, functionLogicalId, type Intrinsic, NAME, type PolicyStatement, type Resource, roleLogicalId, sub, type Template } from './names.ts';

/** What runs by itself: the end of every execution, the schedules of archive, seal and leases, the keys that sign, and who is called when it stops. */
export function recordingTemplate(config: Config): Template {
  const every = config.sealEveryMinutes === 1 ? 'rate(1 minute)' : `rate(${config.sealEveryMinutes} minutes)`;
  return {
    Resources: {
      ...Object.fromEntries(sealKeyIds(config).map((id, index) => [id, sealKey(index + 1)])),
      ...rule('ExecutionEnded', 'archive', 'archive', 'An execution ended: keeps what Step Functions forgets after 90 days', {
        EventPattern: {
          source: ['aws.states'],
          'detail-type': ['Step Functions Execution Status Change'],
          detail: {
            status: ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'],
            // https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
            stateMachineArn: [{ prefix: sub(`arn:\${AWS::Partition}:states:\${AWS::Region}:\${AWS::AccountId}:stateMachine:${NAME}-`) }],
          },
        },
      }),
      ...rule('SweepSchedule', 'sweep', 'archive', 'Finds what no event told the archive', { ScheduleExpression: every }),
      ...rule('SealSchedule', 'seal', 'seal', 'Seals what came on record', { ScheduleExpression: every }),
      ...rule('LeaseSchedule', 'lease', 'lease', 'Looks for containments whose time is running out', { ScheduleExpression: 'rate(15 minutes)' }),
      ...rule('ReconcileSchedule', 'reconcile', 'reconcile', 'Finds what EventBridge missed', { ScheduleExpression: 'rate(15 minutes)' }),
    },
  };
}

/** Logical ids of the keys that signed and sign, oldest first. */
export function sealKeyIds({ sealKeys }: Pick<Config, 'sealKeys'>): readonly string[] {
  return Array.from({ length: sealKeys }, (_, index) => `SealKey${index + 1}`);
}

/**
 * A key that only the sealing function can sign with: the account may manage it, and has no `kms:Sign` to give away without
 * changing this policy, which CloudTrail shows. Asymmetric keys have no automatic rotation: a further key is a new resource.
 *
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys-manually.html
 */
function sealKey(number: number): Resource {
  return {
    Type: 'AWS::KMS::Key',
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: {
      Description: `Signs the seals of ${NAME}: key ${number}`,
      KeySpec: 'ECC_NIST_P256',
      KeyUsage: 'SIGN_VERIFY',
      PendingWindowInDays: 30,
      KeyPolicy: {
        Version: '2012-10-17',
        Statement: [
          {
            Sid: 'OnlyTheSealerSigns',
            Effect: 'Allow',
            Principal: { AWS: arnOf(roleLogicalId('seal')) },
            Action: ['kms:Sign', 'kms:GetPublicKey'],
            Resource: '*',
          },
          {
            Sid: 'AuditHandsOutThePublicKey',
            Effect: 'Allow',
            Principal: { AWS: arnOf(roleLogicalId('audit')) },
            Action: 'kms:GetPublicKey',
            Resource: '*',
          },
          {
            Sid: 'TheAccountManagesAndReads',
            Effect: 'Allow',
            Principal: { AWS: sub('arn:${AWS::Partition}:iam::${AWS::AccountId}:root') },
            Action: ['kms:CancelKeyDeletion', 'kms:CreateAlias', 'kms:DeleteAlias', 'kms:DescribeKey', 'kms:DisableKey', 'kms:EnableKey', 'kms:GetKeyPolicy', 'kms:GetPublicKey', 'kms:ListAliases', 'kms:ListKeyPolicies', 'kms:ListResourceTags', 'kms:PutKeyPolicy', 'kms:ScheduleKeyDeletion', 'kms:TagResource', 'kms:UntagResource', 'kms:UpdateAlias', 'kms:UpdateKeyDescription', 'kms:Verify'],
            Resource: '*',
          },
        ] satisfies readonly (PolicyStatement & { readonly Principal: { readonly AWS: Intrinsic } })[],
      },
    },
  };
}

/** A rule with one target, and the permission to invoke it. */
function rule(id: string, name: string, target: string, description: string, when: object): Readonly<Record<string, Resource>> {
  const FunctionName = arnOf(functionLogicalId(target));
  return {
    [id]: {
      Type: 'AWS::Events::Rule',
      Properties: { Name: `${NAME}-${name}`, Description: description, State: 'ENABLED', ...when, Targets: [{ Id: target, Arn: FunctionName, ...DELIVERY }] },
    },
    [`${id}Permission`]: {
      Type: 'AWS::Lambda::Permission',
      Properties: { Action: 'lambda:InvokeFunction', FunctionName, Principal: 'events.amazonaws.com', SourceArn: arnOf(id) },
    },
  };
}
