import type { Config } from './config.ts';
import { type Referents, statementsOf, type Task } from './integrations.ts';
import {
  arnOf,
  DeployError,
  functionLogicalId,
  NAME,
  pascalOf,
  type PolicyStatement,
  ref,
  type Resource,
  sub,
  type Template,
  workflowArn,
  workflowLogicalId,
} from './names.ts';

/** What a playbook's definition may refer to. */
export interface Surroundings {
  readonly config: Config;
  readonly functions: readonly string[];
  readonly playbooks: readonly string[];
}

/**
 * The resources of one playbook: its state machine, a role with exactly what its tasks call, and its log.
 *
 * @param name - the folder's name
 * @param definition - `workflow.asl.json`, parsed
 * @throws {DeployError} where the definition refers to something that does not exist
 */
export function playbookTemplate(name: string, definition: unknown, surroundings: Surroundings): Template {
  const id = workflowLogicalId(name);
  try {
    return {
      Resources: {
        [id]: stateMachine(name, definition, surroundings),
        [`${id}Role`]: role(name, definition, surroundings),
        [`${id}Log`]: {
          Type: 'AWS::Logs::LogGroup',
          Properties: { LogGroupName: `/aws/vendedlogs/states/${NAME}-${name}`, RetentionInDays: 365 },
        },
      },
    };
  } catch (cause) {
    if (!(cause instanceof DeployError)) throw cause;
    throw new DeployError(`workflows/${name}/workflow.asl.json: ${cause.message}`, { cause });
  }
}

function stateMachine(name: string, definition: unknown, surroundings: Surroundings): Resource {
  const id = workflowLogicalId(name);
  return {
    Type: 'AWS::StepFunctions::StateMachine',
    // cfn-lint does not know that TimeoutSeconds may be JSONata; asl-validator does, and looks at every workflow.
    // https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html
    Metadata: { 'cfn-lint': { config: { ignore_checks: ['E3601'] } } },
    Properties: {
      StateMachineName: `${NAME}-${name}`,
      StateMachineType: 'STANDARD',
      RoleArn: arnOf(`${id}Role`),
      // As text: CloudFormation takes no null, and workflows set variables to it.
      DefinitionString: JSON.stringify(definition),
      DefinitionSubstitutions: substitutions(definition, surroundings),
      // The history holds the data; the log says that and how an execution ended.
      LoggingConfiguration: {
        Level: 'ERROR',
        IncludeExecutionData: false,
        Destinations: [{ CloudWatchLogsLogGroup: { LogGroupArn: arnOf(`${id}Log`) } }],
      },
      TracingConfiguration: { Enabled: true },
    },
  };
}

/** An execution waits so many seconds beyond the expiry: a vote that came in time is written and told by then. */
const APPROVAL_GRACE = 60;

/** Only those that the definition uses. */
function substitutions(definition: unknown, { config, functions, playbooks }: Surroundings): Readonly<Record<string, unknown>> {
  const known: Readonly<Record<string, unknown>> = {
    ...Object.fromEntries(functions.map((name) => [`${pascalOf(name)}Arn`, arnOf(functionLogicalId(name))])),
    ...Object.fromEntries(playbooks.map((name) => [`${pascalOf(name)}WorkflowArn`, workflowArn(name)])),
    TableName: ref('Table'),
    ApprovalSeconds: String(Math.round(config.approvalHours * 3600) + APPROVAL_GRACE),
    UndeliveredTicketsUrl: ref('UndeliveredTickets'),
    VerifyIntervalSeconds: String(config.verifyIntervalSeconds),
    VerifyLooks: String(config.verifyLooks),
    VerifyMaxLooks: String(config.verifyMaxLooks),
  };
  const used = new Set([...JSON.stringify(definition).matchAll(/\$\{(\w+)\}/g)].map((match) => match[1] ?? ''));
  return Object.fromEntries(
    [...used].toSorted().map((placeholder) => {
      const value = known[placeholder];
      if (value === undefined) {
        throw new DeployError(`\${${placeholder}} stands for nothing: use one of ${Object.keys(known).map((key) => `\${${key}}`).join(', ')}`);
      }
      return [placeholder, value];
    }),
  );
}

function role(name: string, definition: unknown, { functions, playbooks }: Surroundings): Resource {
  const referents: Referents = {
    functions: new Map(functions.map((entry) => [`${pascalOf(entry)}Arn`, entry])),
    workflows: new Map(playbooks.map((entry) => [`${pascalOf(entry)}WorkflowArn`, entry])),
  };
  const statements = tasksOf(definition).flatMap((task) => statementsOf(task, referents));
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      RoleName: `${NAME}-${name}`,
      Description: `What the playbook ${name} calls`,
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: 'states.amazonaws.com' },
            Action: 'sts:AssumeRole',
            // https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html#prevent-cross-service-confused-deputy
            Condition: {
              StringEquals: { 'aws:SourceAccount': ref('AWS::AccountId') },
              ArnLike: { 'aws:SourceArn': sub(`arn:\${AWS::Partition}:states:\${AWS::Region}:\${AWS::AccountId}:stateMachine:${NAME}-${name}`) },
            },
          },
        ],
      },
      Policies: [{ PolicyName: 'tasks', PolicyDocument: { Version: '2012-10-17', Statement: [...merged(statements), ...OBSERVABILITY] } }],
    },
  };
}

/** Log delivery and traces have no resource-level permissions. @see https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html */
const OBSERVABILITY: readonly PolicyStatement[] = [
  {
    Sid: 'Logs',
    Effect: 'Allow',
    Action: [
      'logs:CreateLogDelivery',
      'logs:GetLogDelivery',
      'logs:UpdateLogDelivery',
      'logs:DeleteLogDelivery',
      'logs:ListLogDeliveries',
      'logs:PutResourcePolicy',
      'logs:DescribeResourcePolicies',
      'logs:DescribeLogGroups',
    ],
    Resource: '*',
  },
  { Sid: 'Traces', Effect: 'Allow', Action: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords', 'xray:GetSamplingRules', 'xray:GetSamplingTargets'], Resource: '*' },
];

/** Tasks often ask for the same thing. */
function merged(statements: readonly PolicyStatement[]): readonly PolicyStatement[] {
  return [...new Map(statements.map((statement) => [JSON.stringify(statement), statement])).values()];
}

/** Every Task, those inside Map and Parallel too. */
export function tasksOf(definition: unknown): readonly Task[] {
  if (!isRecord(definition) || !isRecord(definition['States'])) return [];
  return Object.entries(definition['States']).flatMap(([name, state]) => {
    if (!isRecord(state)) return [];
    const inner = [...(Array.isArray(state['Branches']) ? state['Branches'] : []), state['ItemProcessor']].flatMap(tasksOf);
    if (state['Type'] !== 'Task') return inner;
    return [{ state: name, resource: String(state['Resource']), arguments: isRecord(state['Arguments']) ? state['Arguments'] : {} }];
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
