/** What every name begins with; `serverless.yml` says what it stands for: `stopbath-<stage>`. */
export const NAME = '${self:custom.name}';

/** `quarantine-bucket-plan` → `QuarantineBucketPlan` */
export function pascalOf(name: string): string {
  return name.replace(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** The logical id that osls gives a function's resource: a dash is spelled out. */
export function functionLogicalId(name: string): string {
  const spelled = name.replaceAll('-', 'Dash').replaceAll('_', 'Underscore');
  return `${spelled.charAt(0).toUpperCase()}${spelled.slice(1)}LambdaFunction`;
}

export function roleLogicalId(name: string): string {
  return `${pascalOf(name)}Role`;
}

export function workflowLogicalId(name: string): string {
  return `${pascalOf(name)}Workflow`;
}

export const arnOf = (logicalId: string): Intrinsic => ({ 'Fn::GetAtt': [logicalId, 'Arn'] });
export const ref = (logicalId: string): Intrinsic => ({ Ref: logicalId });
export const sub = (text: string): Intrinsic => ({ 'Fn::Sub': text });

/** By name, not by reference: a state machine may start one that is created after it. */
export const workflowArn = (name: string): Intrinsic => sub(`arn:\${AWS::Partition}:states:\${AWS::Region}:\${AWS::AccountId}:stateMachine:${NAME}-${name}`);

export type Intrinsic = { readonly Ref: string } | { readonly 'Fn::GetAtt': readonly [string, string] } | { readonly 'Fn::Sub': string };

/** How long EventBridge tries, a day, and where an event goes then. @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html */
export const DELIVERY = {
  RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
  DeadLetterConfig: { Arn: arnOf('UndeliveredEvents') },
} as const;

export interface Resource {
  readonly Type: string;
  readonly Properties: object;
  readonly Metadata?: object;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: 'Retain';
  readonly UpdateReplacePolicy?: 'Retain';
}

export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
}

/** One statement of an IAM policy. */
export interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: object;
}

/** A deployment that cannot be made from what the folders say. Names the place and what to do. */
export class DeployError extends Error {
  override readonly name = 'DeployError';
}
