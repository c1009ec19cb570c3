import type { Json } from '../../../core/bucket.ts';
import type { Execution } from './execution.ts';
import { callService, isObject } from './call.ts';
import { runtimeFailure, StateFailure } from './failure.ts';
import { parseResource, type Resource } from './resource.ts';
import type { Step } from './run.ts';
import { untilAborted } from './timing.ts';

/**
 * Wait for an execution that a Task started with `.sync` or `.sync:2` (whose `Output` is JSON, not text), and read it as the
 * execution's role may. A parent that stops waiting stops its child.
 *
 * @throws {StateFailure} `States.TaskFailed` where the child did not succeed; the cause is the child, as JSON text
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
 */
export async function awaitChild(step: Step, resource: Resource, started: Json): Promise<Json> {
  const arn = isObject(started) && typeof started['ExecutionArn'] === 'string' ? started['ExecutionArn'] : null;
  const [describe, stop] = ['describeExecution', 'stopExecution'].map((action) => parseResource(`arn:aws:states:::aws-sdk:sfn:${action}`));
  if (arn === null || !describe || !stop) throw runtimeFailure('The execution that was started has no ARN.');
  let child: Execution;
  try {
    child = await untilAborted(step.run.closed(arn), step.signal);
  } catch (error) {
    // Best effort, as on AWS: what ended the parent matters more than why the child could not be stopped.
    await callService(step, stop, { ExecutionArn: arn }).catch(() => {});
    throw error;
  }
  await callService(step, describe, { ExecutionArn: arn });
  if (child.status !== 'SUCCEEDED') throw new StateFailure('States.TaskFailed', JSON.stringify(describedAs(child, false)));
  return describedAs(child, resource.pattern === 'sync:2');
}

function describedAs(child: Execution, parsed: boolean): Json {
  const text = (value: string): Json => (parsed ? (JSON.parse(value) as Json) : value);
  return {
    ...(child.cause === null ? {} : { Cause: child.cause }),
    ...(child.error === null ? {} : { Error: child.error }),
    ExecutionArn: child.arn,
    Input: text(child.input),
    InputDetails: { Included: true },
    Name: child.name,
    ...(child.output === null ? {} : { Output: text(child.output), OutputDetails: { Included: true } }),
    StartDate: child.startDate,
    StateMachineArn: child.stateMachineArn,
    Status: child.status,
    ...(child.stopDate === null ? {} : { StopDate: child.stopDate }),
  };
}
