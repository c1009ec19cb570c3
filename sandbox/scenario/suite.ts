import { GetExecutionHistoryCommand, ListExecutionsCommand, ListStateMachinesCommand, type SFNClient } from '@aws-sdk/client-sfn';
import { DescribeOpsItemsCommand, GetOpsItemCommand, type SSMClient } from '@aws-sdk/client-ssm';
import type { DecisionRecord } from '../../aws/decisions.ts';
import { listIncidents, viewIncident } from '../../aws/incidents.ts';
import { query, type Table } from '../../aws/records.ts';
import type { IncidentView } from '../../core/incident.ts';
import type { ScenarioResult } from './result.ts';

/** What can be read of a deployed suite from outside it: its table, its executions, its tickets. */
export interface SuiteReader {
  /** Every incident there is, oldest first. */
  incidents(): Promise<readonly IncidentView[]>;
  /** What was decided about events that arrived since a day (`2026-11-24`), in the order it was. */
  decisions(since: string): Promise<readonly DecisionRecord[]>;
  executions(): Promise<readonly Execution[]>;
  tickets(): Promise<ScenarioResult['tickets']>;
}

export interface Execution {
  readonly arn: string;
  readonly name: string;
  readonly playbook: string;
  readonly status: string;
  /** The names of the states it entered, in order. */
  states(): Promise<readonly string[]>;
}

/** More incidents than any scenario makes. */
const LIMIT = 100;
const DAY_MS = 86_400_000;

export function suiteReader(from: { readonly table: Table; readonly sfn: SFNClient; readonly ssm: SSMClient; readonly name: string; readonly now: () => number }): SuiteReader {
  const { table, sfn, ssm } = from;
  return {
    incidents: async () => {
      const pages = await Promise.all([listIncidents(table, 'open', LIMIT), listIncidents(table, 'closed', LIMIT)]);
      const incidents = pages.flatMap((page) => page.incidents).toSorted((a, b) => a.receivedAt.localeCompare(b.receivedAt));
      return await Promise.all(incidents.map((incident) => viewIncident(table, incident.id)));
    },
    decisions: async (since) => {
      const days = Math.floor((from.now() - Date.parse(since)) / DAY_MS) + 1;
      const partitions = Array.from({ length: days }, (_, day) => `DECISION#${new Date(Date.parse(since) + day * DAY_MS).toISOString().slice(0, 10)}`);
      const items = (await Promise.all(partitions.map((pk) => query(table, pk)))).flat();
      return items.map((item) => JSON.parse(String(item['json'])) as DecisionRecord).toSorted((a, b) => a.decidedAt.localeCompare(b.decidedAt));
    },
    executions: async () => {
      const { stateMachines = [] } = await sfn.send(new ListStateMachinesCommand({}));
      const lists = stateMachines.map(async ({ stateMachineArn, name = '' }) => {
        const { executions = [] } = await sfn.send(new ListExecutionsCommand({ stateMachineArn, maxResults: 1000 }));
        const playbook = name.replace(`${from.name}-`, '');
        return executions.map(({ executionArn: arn = '', name: execution = '', status = '' }): Execution => ({ arn, name: execution, playbook, status, states: () => statesOf(sfn, arn) }));
      });
      return (await Promise.all(lists)).flat();
    },
    tickets: async () => {
      const { OpsItemSummaries = [] } = await ssm.send(new DescribeOpsItemsCommand({}));
      return await Promise.all(OpsItemSummaries.map(async ({ OpsItemId }) => await ticketOf(ssm, OpsItemId ?? '')));
    },
  };
}

async function ticketOf(ssm: SSMClient, id: string): Promise<ScenarioResult['tickets'][number]> {
  const { OpsItem } = await ssm.send(new GetOpsItemCommand({ OpsItemId: id }));
  return { id, title: OpsItem?.Title ?? '', status: OpsItem?.Status ?? '', description: OpsItem?.Description ?? '' };
}

async function statesOf(sfn: SFNClient, executionArn: string): Promise<readonly string[]> {
  const names: string[] = [];
  let nextToken: string | undefined;
  do {
    const page = await sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000, ...(nextToken === undefined ? {} : { nextToken }) }));
    for (const event of page.events ?? []) if (event.stateEnteredEventDetails?.name !== undefined) names.push(event.stateEnteredEventDetails.name);
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return names;
}
