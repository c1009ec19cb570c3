import type {
  CreateStateMachineCommandInput,
  CreateStateMachineCommandOutput,
  DeleteStateMachineCommandInput,
  DeleteStateMachineCommandOutput,
  DescribeStateMachineCommandInput,
  DescribeStateMachineCommandOutput,
  ListStateMachinesCommandInput,
  ListStateMachinesCommandOutput,
  UpdateStateMachineCommandInput,
  UpdateStateMachineCommandOutput,
  ValidateStateMachineDefinitionCommandInput,
  ValidateStateMachineDefinitionCommandOutput,
} from '@aws-sdk/client-sfn';
import { AwsError, operation, type Need, type Operation, type World } from '../../service.ts';
import type { Machine } from './definition.ts';
import type { Executions } from './executions.ts';
import { uuid } from './functions.ts';
import { arnOf, nameOf, pageOf, stateMachineArn } from './names.ts';
import { readDefinition } from './schema.ts';

export interface StateMachine {
  readonly arn: string;
  readonly name: string;
  /** The text that was sent. */
  readonly definition: string;
  readonly machine: Machine;
  readonly roleArn: string;
  readonly creationDate: Date;
  readonly revisionId: string | null;
}

export type StateMachines = Map<string, StateMachine>;

/** @throws {AwsError} `StateMachineDoesNotExist` */
export function stateMachineOf(machines: StateMachines, arn: string | undefined): StateMachine {
  const found = machines.get(arnOf(arn));
  if (!found) throw new AwsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
  return found;
}

/**
 * The operations on state machines: standard workflows, without versions, aliases, tags and logging.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html actions and resources
 */
export function machineOperations(world: World, machines: StateMachines, executions: Executions): Readonly<Record<string, Operation>> {
  const passRole = (roleArn: string | undefined): Need[] =>
    roleArn === undefined ? [] : [{ action: 'iam:PassRole', resource: roleArn, context: { 'iam:passedtoservice': 'states.amazonaws.com' } }];
  const on = (action: string, arn: string | undefined): Need => ({ action: `states:${action}`, resource: arn ?? '*' });

  return {
    CreateStateMachine: operation<CreateStateMachineCommandInput, CreateStateMachineCommandOutput>({
      needs: (input) => [on('CreateStateMachine', stateMachineArn(world, input.name ?? '*')), ...passRole(input.roleArn)],
      run: (input) => {
        const name = nameOf(input.name);
        const arn = stateMachineArn(world, name);
        if (input.type === 'EXPRESS') throw new AwsError('StateMachineTypeNotSupported', 'this sandbox runs STANDARD state machines only');
        const machine = definitionOf(input.definition);
        const before = machines.get(arn);
        if (before && (before.definition !== input.definition || before.roleArn !== input.roleArn)) throw new AwsError('StateMachineAlreadyExists', `State Machine Already Exists: '${arn}'`);
        const roleArn = assumable(world, input.roleArn, arn);
        const created = before ?? { arn, name, definition: input.definition ?? '', machine, roleArn, creationDate: new Date(world.clock.now()), revisionId: null };
        machines.set(arn, created);
        return { stateMachineArn: arn, creationDate: created.creationDate };
      },
    }),
    UpdateStateMachine: operation<UpdateStateMachineCommandInput, UpdateStateMachineCommandOutput>({
      needs: (input) => [on('UpdateStateMachine', input.stateMachineArn), ...passRole(input.roleArn)],
      run: (input) => {
        const before = stateMachineOf(machines, input.stateMachineArn);
        if (input.definition === undefined && input.roleArn === undefined) {
          throw new AwsError('MissingRequiredParameter', 'Either the definition, the role ARN, the LoggingConfiguration, the TracingConfiguration or the EncryptionConfiguration must be specified');
        }
        const machine = input.definition === undefined ? before.machine : definitionOf(input.definition);
        const roleArn = input.roleArn === undefined ? before.roleArn : assumable(world, input.roleArn, before.arn);
        const revisionId = uuid(world.random);
        machines.set(before.arn, { ...before, definition: input.definition ?? before.definition, machine, roleArn, revisionId });
        return { updateDate: new Date(world.clock.now()), revisionId };
      },
    }),
    DeleteStateMachine: operation<DeleteStateMachineCommandInput, DeleteStateMachineCommandOutput>({
      needs: (input) => [on('DeleteStateMachine', input.stateMachineArn)],
      // Deleting what is not there succeeds; what still runs is terminated.
      run: (input) => {
        const arn = arnOf(input.stateMachineArn);
        executions.forget(arn);
        machines.delete(arn);
        return {};
      },
    }),
    DescribeStateMachine: operation<DescribeStateMachineCommandInput, DescribeStateMachineCommandOutput>({
      needs: (input) => [on('DescribeStateMachine', input.stateMachineArn)],
      run: (input) => {
        const found = stateMachineOf(machines, input.stateMachineArn);
        return {
          stateMachineArn: found.arn,
          name: found.name,
          status: 'ACTIVE',
          definition: found.definition,
          roleArn: found.roleArn,
          type: 'STANDARD',
          creationDate: found.creationDate,
          loggingConfiguration: { level: 'OFF', includeExecutionData: false },
          tracingConfiguration: { enabled: false },
          ...(found.revisionId === null ? {} : { revisionId: found.revisionId }),
        };
      },
    }),
    ListStateMachines: operation<ListStateMachinesCommandInput, ListStateMachinesCommandOutput>({
      needs: () => [on('ListStateMachines', '*')],
      run: (input) => {
        const { items, nextToken } = pageOf([...machines.values()], input.nextToken, input.maxResults);
        return { stateMachines: items.map(({ arn, name, creationDate }) => ({ stateMachineArn: arn, name, type: 'STANDARD', creationDate })), nextToken };
      },
    }),
    ValidateStateMachineDefinition: operation<ValidateStateMachineDefinitionCommandInput, ValidateStateMachineDefinitionCommandOutput>({
      needs: () => [on('ValidateStateMachineDefinition', '*')],
      run: (input) => {
        const { problems } = readDefinition(input.definition ?? '');
        const limit = input.maxResults === undefined || input.maxResults === 0 ? 100 : input.maxResults;
        const diagnostics = problems.slice(0, limit).map((problem) => ({ ...problem, severity: 'ERROR' as const }));
        return { result: problems.length === 0 ? 'OK' : 'FAIL', diagnostics, truncated: problems.length > limit };
      },
    }),
  };
}

/** @throws {AwsError} `InvalidDefinition` with every problem */
function definitionOf(text: string | undefined): Machine {
  const { machine, problems } = readDefinition(text ?? '');
  if (machine) return machine;
  const list = problems.map(({ code, message, location }) => `${code}: ${message} at ${location}`).join(', ');
  throw new AwsError('InvalidDefinition', `Invalid State Machine Definition: '${list}'`);
}

/** AWS tries the role when it is given. */
function assumable(world: World, roleArn: string | undefined, sourceArn: string): string {
  if (!roleArn?.startsWith('arn:')) throw new AwsError('InvalidArn', `Invalid Role Arn: '${roleArn}'`);
  try {
    world.assume(roleArn, 'create-state-machine', 'states.amazonaws.com', sourceArn);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw new AwsError('AccessDeniedException', 'Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role.');
  }
  return roleArn;
}
