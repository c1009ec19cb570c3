import * as sdk from '@aws-sdk/client-sfn';
import type {
  DescribeExecutionCommandInput,
  DescribeExecutionCommandOutput,
  DescribeStateMachineForExecutionCommandInput,
  DescribeStateMachineForExecutionCommandOutput,
  GetExecutionHistoryCommandInput,
  GetExecutionHistoryCommandOutput,
  ListExecutionsCommandInput,
  ListExecutionsCommandOutput,
  RedriveExecutionCommandInput,
  RedriveExecutionCommandOutput,
  SendTaskFailureCommandInput,
  SendTaskFailureCommandOutput,
  SendTaskHeartbeatCommandInput,
  SendTaskHeartbeatCommandOutput,
  SendTaskSuccessCommandInput,
  SendTaskSuccessCommandOutput,
  StartExecutionCommandInput,
  StartExecutionCommandOutput,
  StopExecutionCommandInput,
  StopExecutionCommandOutput,
} from '@aws-sdk/client-sfn';
import { AwsError, operation, type Need, type Operation, type Service, type World } from '../service.ts';
import type { Json } from '../../core/bucket.ts';
import type { Execution } from './stepfunctions/execution.ts';
import { createExecutions, type Executions } from './stepfunctions/executions.ts';
import { PAYLOAD_LIMIT, StateFailure } from './stepfunctions/failure.ts';
import { uuid } from './stepfunctions/functions.ts';
import { withoutData } from './stepfunctions/history.ts';
import { machineOperations, stateMachineOf, type StateMachines } from './stepfunctions/machines.ts';
import { arnOf, executionArn, nameOf, pageOf } from './stepfunctions/names.ts';
import { reasonOf } from './stepfunctions/task.ts';
import { createTokens, type Tokens } from './stepfunctions/tokens.ts';

/**
 * Step Functions: standard workflows in JSONata, run by an engine that keeps every execution as data and waits on the
 * sandbox's clock only. Tasks call the sandbox's other services under the state machine's role.
 *
 * @see https://docs.aws.amazon.com/step-functions/latest/apireference/API_Operations.html
 */
export function createStepFunctions(world: World): Service {
  const machines: StateMachines = new Map();
  const tokens = createTokens();
  const executions = createExecutions(world, tokens);
  return {
    name: 'states',
    sdk,
    protocol: 'json-1.0',
    operations: {
      ...machineOperations(world, machines, executions),
      ...executionOperations(world, machines, executions),
      ...taskOperations(world, tokens),
    },
  };
}

function executionOperations(world: World, machines: StateMachines, executions: Executions): Readonly<Record<string, Operation>> {
  const on = (action: string, arn: string | undefined): Need[] => [{ action: `states:${action}`, resource: arn ?? '*' }];
  const executionOf = (arn: string | undefined): Execution => {
    const found = executions.find(arnOf(arn));
    if (!found) throw new AwsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
    return found;
  };
  const redriveTokens = new Map<string, string>();

  return {
    StartExecution: operation<StartExecutionCommandInput, StartExecutionCommandOutput>({
      needs: (input) => on('StartExecution', input.stateMachineArn),
      run: (input) => {
        const { arn: stateMachineArn, name: stateMachineName, machine, roleArn, definition, revisionId } = stateMachineOf(machines, input.stateMachineArn);
        const name = nameOf(input.name ?? uuid(world.random));
        const text = input.input ?? '{}';
        checkInput(text);
        const arn = executionArn(world, stateMachineName, name);
        const before = executions.find(arn);
        // The same name and input while it runs is the same execution.
        if (before && (before.status !== 'RUNNING' || before.input !== text)) throw new AwsError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
        const execution = before ?? executions.start({ arn, name, stateMachineArn, stateMachineName, roleArn, machine, definition, revisionId, input: text });
        return { executionArn: arn, startDate: new Date(execution.startDate) };
      },
    }),
    StopExecution: operation<StopExecutionCommandInput, StopExecutionCommandOutput>({
      needs: (input) => on('StopExecution', input.executionArn),
      run: (input) => {
        const execution = executionOf(input.executionArn);
        executions.stop(execution, input.error ?? null, input.cause ?? null);
        return { stopDate: new Date(execution.stopDate ?? world.clock.now()) };
      },
    }),
    DescribeExecution: operation<DescribeExecutionCommandInput, DescribeExecutionCommandOutput>({
      needs: (input) => on('DescribeExecution', input.executionArn),
      run: (input) => describe(executionOf(input.executionArn), executions),
    }),
    DescribeStateMachineForExecution: operation<DescribeStateMachineForExecutionCommandInput, DescribeStateMachineForExecutionCommandOutput>({
      needs: (input) => on('DescribeStateMachineForExecution', input.executionArn),
      run: (input) => {
        const { stateMachineArn, stateMachineName: name, definition, roleArn, startDate, revisionId } = executionOf(input.executionArn);
        return { stateMachineArn, name, definition, roleArn, updateDate: new Date(startDate), ...(revisionId === null ? {} : { revisionId }) };
      },
    }),
    ListExecutions: operation<ListExecutionsCommandInput, ListExecutionsCommandOutput>({
      needs: (input) => on('ListExecutions', input.stateMachineArn),
      run: (input) => {
        const { arn } = stateMachineOf(machines, input.stateMachineArn);
        const all = executions.list().filter(
          ({ stateMachineArn, status, redriveCount }) =>
            stateMachineArn === arn &&
            (input.statusFilter === undefined || status === input.statusFilter) &&
            (input.redriveFilter === undefined || (input.redriveFilter === 'REDRIVEN') === redriveCount > 0),
        );
        const { items, nextToken } = pageOf(all, input.nextToken, input.maxResults);
        return { executions: items.map(summaryOf), nextToken };
      },
    }),
    RedriveExecution: operation<RedriveExecutionCommandInput, RedriveExecutionCommandOutput>({
      needs: (input) => on('RedriveExecution', input.executionArn),
      run: (input) => {
        const execution = executionOf(input.executionArn);
        const again = input.clientToken !== undefined && redriveTokens.get(execution.arn) === input.clientToken;
        if (!again) {
          const reason = executions.notRedrivable(execution);
          if (reason !== null) throw new AwsError('ExecutionNotRedrivable', reason);
          executions.redrive(execution);
          if (input.clientToken !== undefined) redriveTokens.set(execution.arn, input.clientToken);
        }
        return { redriveDate: new Date(execution.redriveDate ?? world.clock.now()) };
      },
    }),
    GetExecutionHistory: operation<GetExecutionHistoryCommandInput, GetExecutionHistoryCommandOutput>({
      needs: (input) => on('GetExecutionHistory', input.executionArn),
      run: (input) => {
        const { events } = executionOf(input.executionArn);
        const { items, nextToken } = pageOf(input.reverseOrder === true ? events.toReversed() : events, input.nextToken, input.maxResults);
        return { events: input.includeExecutionData === false ? items.map(withoutData) : [...items], nextToken };
      },
    }),
  };
}

function taskOperations(world: World, tokens: Tokens): Readonly<Record<string, Operation>> {
  const on = (action: string, token: string | undefined): Need[] => [
    { action: `states:${action}`, resource: tokens.ownerOf(token ?? '') ?? `arn:aws:states:${world.region}:${world.account}:stateMachine:*` },
  ];
  return {
    SendTaskSuccess: operation<SendTaskSuccessCommandInput, SendTaskSuccessCommandOutput>({
      needs: (input) => on('SendTaskSuccess', input.taskToken),
      run: (input) => {
        let output: Json;
        try {
          output = JSON.parse(input.output ?? '') as Json;
        } catch (error) {
          throw new AwsError('InvalidOutput', `Invalid Output: '${(error as SyntaxError).message}'`);
        }
        tokens.settle(input.taskToken ?? '', { output });
        return {};
      },
    }),
    SendTaskFailure: operation<SendTaskFailureCommandInput, SendTaskFailureCommandOutput>({
      needs: (input) => on('SendTaskFailure', input.taskToken),
      run: (input) => {
        tokens.settle(input.taskToken ?? '', { failure: new StateFailure(input.error ?? null, input.cause ?? null) });
        return {};
      },
    }),
    SendTaskHeartbeat: operation<SendTaskHeartbeatCommandInput, SendTaskHeartbeatCommandOutput>({
      needs: (input) => on('SendTaskHeartbeat', input.taskToken),
      run: (input) => {
        tokens.heartbeat(input.taskToken ?? '');
        return {};
      },
    }),
  };
}

function checkInput(text: string): void {
  if (Buffer.byteLength(text) > PAYLOAD_LIMIT) {
    throw new AwsError('ValidationException', "1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have length less than or equal to 262144");
  }
  try {
    JSON.parse(text);
  } catch (error) {
    const reason = text === '' ? 'Invalid execution input.' : (error as SyntaxError).message;
    throw new AwsError('InvalidExecutionInput', `Invalid State Machine Execution Input: '${reason}'`);
  }
}

function summaryOf(execution: Execution) {
  const { arn, name, stateMachineArn, status, startDate, stopDate, redriveCount, redriveDate } = execution;
  return {
    executionArn: arn,
    stateMachineArn,
    name,
    status,
    startDate: new Date(startDate),
    ...(stopDate === null ? {} : { stopDate: new Date(stopDate) }),
    redriveCount,
    ...(redriveDate === null ? {} : { redriveDate: new Date(redriveDate) }),
  };
}

function describe(execution: Execution, executions: Executions): Omit<DescribeExecutionCommandOutput, '$metadata'> {
  const reason = executions.notRedrivable(execution);
  return {
    ...summaryOf(execution),
    input: execution.input,
    inputDetails: { included: true },
    ...(execution.output === null ? {} : { output: execution.output, outputDetails: { included: true } }),
    ...reasonOf(execution),
    redriveStatus: reason === null ? 'REDRIVABLE' : 'NOT_REDRIVABLE',
    ...(reason === null ? {} : { redriveStatusReason: reason }),
  };
}
