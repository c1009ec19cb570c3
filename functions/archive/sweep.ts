import { ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { sfnOf } from '../../aws/clients.ts';
import type { Tools } from '../../aws/function.ts';
import { loadPlaybooks } from '../../aws/playbooks.ts';
import { get, put, query } from '../../aws/records.ts';
import { archiveExecution, ExecutionGoneError } from './archive.ts';
import { configurationNow } from './configuration.ts';
import { keepDecisions } from './decisions.ts';
import { keepGuard } from './guard.ts';

export interface Swept {
  readonly executions: number;
  readonly decisions: number;
  readonly guard: number;
}

const SWEEP = 'SWEEP';
/** A sweep looks back a little further than the last one reached: clocks differ, and lists lag. */
const OVERLAP_MS = 3_600_000;

/**
 * Finds what no event told the archive: executions that ended (those that run are remembered until they do), decisions, and what
 * was done to the guard. It can be cut off anywhere; what it did stays done, and the next one goes on.
 */
export async function sweep(tools: Tools): Promise<Swept> {
  const begun = tools.now();
  await configurationNow(tools);
  const [decisions, guard] = await Promise.all([keepDecisions(tools), keepGuard(tools)]);
  const cursor = await get(tools, SWEEP, 'CURSOR');
  const since = cursor ? Date.parse(String(cursor['until'])) - OVERLAP_MS : 0;
  const remembered = (await query(tools, SWEEP, 'RUNNING#')).map(({ sk }) => sk.slice('RUNNING#'.length));
  let executions = 0;
  for (const arn of remembered) executions += await look(arn, tools);
  for (const { name } of await loadPlaybooks(tools.settings.LAMBDA_TASK_ROOT)) {
    for await (const arn of startedSince(since, name, tools)) executions += await look(arn, tools);
  }
  await put(tools, { pk: SWEEP, sk: 'CURSOR', until: begun });
  tools.log.info('swept', { executions, decisions, guard });
  return { executions, decisions, guard };
}

/** @returns 1 where it had to be archived */
async function look(arn: string, tools: Tools): Promise<number> {
  const key = { pk: SWEEP, sk: `RUNNING#${arn}` };
  try {
    const found = await archiveExecution(arn, tools);
    if (found === 'runs') {
      await put(tools, key);
      return 0;
    }
    await tools.clients.dynamo.send(new DeleteCommand({ TableName: tools.settings.STOPBATH_TABLE, Key: key }));
    return found === 'archived' ? 1 : 0;
  } catch (error) {
    if (!(error instanceof ExecutionGoneError)) throw error;
    tools.log.error(error.message);
    await tools.clients.dynamo.send(new DeleteCommand({ TableName: tools.settings.STOPBATH_TABLE, Key: key }));
    return 0;
  }
}

/** Newest first, as Step Functions lists them. @param since - ms since the epoch */
async function* startedSince(since: number, playbook: string, { settings, clients }: Tools): AsyncGenerator<string> {
  const stateMachineArn = `arn:aws:states:${settings.AWS_REGION}:${settings.STOPBATH_ACCOUNT}:stateMachine:${settings.STOPBATH_NAME}-${playbook}`;
  let nextToken: string | undefined;
  do {
    const page = await sfnOf(clients).send(new ListExecutionsCommand({ stateMachineArn, maxResults: 1000, ...(nextToken === undefined ? {} : { nextToken }) }));
    for (const { executionArn, startDate } of page.executions ?? []) {
      if ((startDate?.getTime() ?? 0) < since) return;
      if (executionArn !== undefined) yield executionArn;
    }
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
}
