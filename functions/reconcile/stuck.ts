import { ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { sfnOf } from '../../aws/clients.ts';
import type { Tools } from '../../aws/function.ts';
import { loadPlaybooks } from '../../aws/playbooks.ts';

/** Tickets are tried for half a day, and nothing else beside an approval takes that long. */
const WORK_MS = 14 * 3_600_000;

/** Executions that run longer than an approval stands and work takes, by ARN. */
export async function stuckExecutions({ clients, settings, now }: Tools): Promise<readonly string[]> {
  const before = Date.parse(now()) - settings.STOPBATH_APPROVAL_EXPIRY * 1000 - WORK_MS;
  const lists = (await loadPlaybooks(settings.LAMBDA_TASK_ROOT)).map(async ({ name }) => {
    const stateMachineArn = `arn:aws:states:${settings.AWS_REGION}:${settings.STOPBATH_ACCOUNT}:stateMachine:${settings.STOPBATH_NAME}-${name}`;
    // A thousand that run at once are an alarm of their own; newest first, so that old ones may hide behind them.
    const { executions = [] } = await sfnOf(clients).send(new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING', maxResults: 1000 }));
    return executions.flatMap(({ executionArn = '', startDate }) => ((startDate?.getTime() ?? Infinity) < before ? [executionArn] : []));
  });
  return (await Promise.all(lists)).flat();
}
