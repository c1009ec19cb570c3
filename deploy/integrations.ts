import { arnOf, DeployError, functionLogicalId, type PolicyStatement, sub, NAME, workflowArn } from './names.ts';

/** A Task of a workflow and where it stands. */
export interface Task {
  readonly state: string;
  readonly resource: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** What there is to refer to, by the placeholder's name: `TriageArn` → `triage`, `OpenTicketWorkflowArn` → `open-ticket`. */
export interface Referents {
  readonly functions: ReadonlyMap<string, string>;
  readonly workflows: ReadonlyMap<string, string>;
}

/**
 * What a state machine's role must be allowed for one task, and no more.
 *
 * @throws {DeployError} for an integration that is not listed here, or one whose target is no placeholder
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/service-integration-iam-templates.html
 */
export function statementsOf(task: Task, referents: Referents): readonly PolicyStatement[] {
  const [, service, operation, pattern] = /^arn:aws:states:::((?:aws-sdk:)?[a-z0-9]+):([A-Za-z]+)(?:\.([A-Za-z]+(?::2)?))?$/.exec(task.resource) ?? [];
  if (service === 'lambda' && operation === 'invoke') {
    const name = referent(task, 'FunctionName', referents.functions, 'function');
    return [allow('lambda:InvokeFunction', arnOf(functionLogicalId(name)))];
  }
  if (service === 'states' && operation === 'startExecution') {
    const name = referent(task, 'StateMachineArn', referents.workflows, 'workflow');
    const start = allow('states:StartExecution', workflowArn(name));
    return pattern === 'sync:2' ? [start, ...WATCH(name)] : [start];
  }
  if (service === 'aws-sdk:dynamodb' && operation !== undefined && DYNAMODB.has(operation)) {
    if (task.arguments['TableName'] !== '${TableName}') throw unresolved(task, 'TableName', '${TableName}');
    return [{ ...allow(`dynamodb:${operation.charAt(0).toUpperCase()}${operation.slice(1)}`, arnOf('Table')), Condition: INCIDENTS }];
  }
  if (service === 'sqs' && operation === 'sendMessage') {
    if (task.arguments['QueueUrl'] !== '${UndeliveredTicketsUrl}') throw unresolved(task, 'QueueUrl', '${UndeliveredTicketsUrl}');
    return [allow('sqs:SendMessage', arnOf('UndeliveredTickets'))];
  }
  throw new DeployError(
    `state ${JSON.stringify(task.state)}: Resource is ${JSON.stringify(task.resource)}, whose permissions are not known: add it to deploy/integrations.ts`,
  );
}

/**
 * What a workflow writes by itself is its incident: whoever starts one chooses its input, and no key in it leads to what people said.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html (dynamodb:LeadingKeys)
 */
const INCIDENTS = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['INCIDENT#*'] }, Null: { 'dynamodb:LeadingKeys': 'false' } };

const DYNAMODB = new Set(['getItem', 'putItem', 'updateItem', 'deleteItem', 'query']);

/** How Step Functions follows an execution that it waits for. */
const WATCH = (workflow: string): readonly PolicyStatement[] => [
  allow(['states:DescribeExecution', 'states:StopExecution'], sub(`arn:\${AWS::Partition}:states:\${AWS::Region}:\${AWS::AccountId}:execution:${NAME}-${workflow}:*`)),
  allow(
    ['events:PutTargets', 'events:PutRule', 'events:DescribeRule'],
    sub('arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule'),
  ),
];

function allow(action: string | readonly string[], resource: unknown): PolicyStatement {
  return { Effect: 'Allow', Action: action, Resource: resource };
}

function referent(task: Task, argument: string, known: ReadonlyMap<string, string>, kind: string): string {
  const value = task.arguments[argument];
  const placeholder = typeof value === 'string' ? /^\$\{(\w+)\}$/.exec(value)?.[1] : undefined;
  const name = placeholder === undefined ? undefined : known.get(placeholder);
  if (name === undefined) throw unresolved(task, argument, `one of the ${kind}s: ${[...known.keys()].map((key) => `\${${key}}`).join(', ')}`);
  return name;
}

function unresolved(task: Task, argument: string, expected: string): DeployError {
  return new DeployError(`state ${JSON.stringify(task.state)}: ${argument} is ${JSON.stringify(task.arguments[argument])}: must be ${expected}`);
}
