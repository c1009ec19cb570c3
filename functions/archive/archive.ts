import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { DescribeExecutionCommand, DescribeStateMachineForExecutionCommand, GetExecutionHistoryCommand, type DescribeExecutionCommandOutput, type HistoryEvent } from '@aws-sdk/client-sfn';
import { lambdaOf, sfnOf } from '../../aws/clients.ts';
import { codeOf } from '../../aws/errors.ts';
import { putEvidence, type EvidencePointer } from '../../aws/evidence.ts';
import type { Tools } from '../../aws/function.ts';
import { itemsOf } from '../../aws/incidents.ts';
import { contentOf, get, put, type Item } from '../../aws/records.ts';
import { digestOf } from '../../core/canonical.ts';
import { inParts } from '../../core/parts.ts';
import { configurationNow } from './configuration.ts';
import { endUnfinished } from './unfinished.ts';

/** What became of an execution that was to be archived. */
export type Archived = 'archived' | 'archived before' | 'runs';

/**
 * Puts everything about an execution that ended on record: its input and how it ended, the definition and the functions that ran,
 * the configuration, all that the table has of its incident (plans, ledger, approvals, looks, ticket, …), and its full history.
 * Again is no harm: each record is written once.
 *
 * @throws {ExecutionGoneError} where Step Functions does not know it any more
 */
export async function archiveExecution(arn: string, tools: Tools): Promise<Archived> {
  const execution = await describe(arn, tools);
  if (execution.status === 'RUNNING') return 'runs';
  const redrive = execution.redriveCount ?? 0;
  const marker = await get(tools, markerOf(arn), 'ARCHIVED');
  if (marker && Number(marker['redrive']) >= redrive) return 'archived before';
  await endUnfinished(execution, tools);

  const at = tools.now();
  const [items, workflow, configuration] = await Promise.all([known(execution.input, tools), workflowOf(arn, tools), configurationNow(tools)]);
  const meta = items.find(({ sk }) => sk === 'META');
  const record = { incident: meta ? String(meta['id']) : null, at, drill: meta?.['drill'] === true };
  const id = `${arn.split(':')[6]}/${nameFor(execution.name ?? '')}-r${redrive}`;
  const history = await keepHistory(arn, (part, events) => putEvidence(tools, { ...record, kind: 'history', id: `${id}/${String(part).padStart(4, '0')}`, body: { execution: arn, part, events } }, meta?.['target']), tools);
  const functions = await Promise.all(functionsIn(workflow.definition).map((name) => versionOf(name, execution, tools)));
  const [first = [], ...more] = inParts(items.map(contentOf), PART_BYTES);
  const body = {
    execution: { ...factsOf(execution), arn },
    workflow: { ...workflow, definition: parsed(workflow.definition), sha256: digestOf(parsed(workflow.definition)) },
    functions,
    configuration: { ...configuration, changedSinceStart: configuration.since > (execution.startDate?.toISOString() ?? '') },
    history,
    items: first,
    furtherItems: more.length,
  };
  await Promise.all([
    putEvidence(tools, { ...record, kind: 'execution', id, body }, meta?.['target']),
    ...more.map((part, index) => putEvidence(tools, { ...record, kind: 'execution', id: `${id}/items-${index + 2}`, body: { execution: arn, items: part } }, meta?.['target'])),
  ]);
  await put(tools, { pk: markerOf(arn), sk: 'ARCHIVED', at, redrive });
  return 'archived';
}

/** Step Functions has forgotten the execution: 90 days after it ended, or with its state machine. */
export class ExecutionGoneError extends Error {
  override readonly name = 'ExecutionGoneError';
}

/** A record is held in memory and handed out whole by the audit function, whose answers have at most 6 MB. */
const PART_BYTES = 1_500_000;

function markerOf(arn: string): string {
  return `EXECUTION#${arn}`;
}

async function describe(arn: string, tools: Tools): Promise<DescribeExecutionCommandOutput> {
  try {
    return await sfnOf(tools.clients).send(new DescribeExecutionCommand({ executionArn: arn }));
  } catch (cause) {
    if (codeOf(cause) === 'ExecutionDoesNotExist') throw new ExecutionGoneError(`${arn} is not known to Step Functions any more: its history is lost`, { cause });
    throw cause;
  }
}

function factsOf({ name, stateMachineArn, status, startDate, stopDate, input, output, error, cause, redriveCount, redriveDate }: DescribeExecutionCommandOutput) {
  return { name, stateMachineArn, status, startDate, stopDate, input: parsed(input), output: parsed(output), error, cause, redriveCount, redriveDate };
}

async function workflowOf(executionArn: string, tools: Tools) {
  const { stateMachineArn, name, definition = '{}', roleArn, updateDate, revisionId } = await sfnOf(tools.clients).send(new DescribeStateMachineForExecutionCommand({ executionArn }));
  return { stateMachineArn, name, definition, roleArn, updateDate, revisionId };
}

/** The functions that a definition invokes, with the version where it names one: `stopbath-prod-record:7`. */
function functionsIn(definition: string): readonly string[] {
  return [...new Set([...definition.matchAll(/arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:function:([A-Za-z0-9_-]+(?::\d+)?)/g)].map((match) => match[1] ?? ''))].toSorted();
}

/** What a function is now; Lambda keeps no record of what unpublished code ran, so a later change is said to be one. */
async function versionOf(name: string, { startDate }: DescribeExecutionCommandOutput, tools: Tools) {
  try {
    const { CodeSha256, Version, LastModified, Runtime, RevisionId } = await lambdaOf(tools.clients).send(new GetFunctionConfigurationCommand({ FunctionName: name }));
    return { name, codeSha256: CodeSha256, version: Version, lastModified: LastModified, runtime: Runtime, revisionId: RevisionId, changedSinceStart: Date.parse(LastModified ?? '') > (startDate?.getTime() ?? 0) };
  } catch (error) {
    if (codeOf(error) === 'ResourceNotFoundException') return { name, gone: true };
    throw error;
  }
}

/** All that the table has of the incident that an execution's input names, whatever it is. */
async function known(input: string | undefined, tools: Tools): Promise<readonly Item[]> {
  const read = parsed(input);
  const incident = typeof read === 'object' && read !== null && 'incident' in read && typeof read.incident === 'string' ? read.incident : null;
  return incident === null ? [] : await itemsOf(tools, incident);
}

/** Hands over the events in parts as they come, so that 25,000 of them are never held at once. */
async function keepHistory(executionArn: string, keep: (part: number, events: readonly HistoryEvent[]) => Promise<EvidencePointer>, tools: Tools) {
  const parts: EvidencePointer[] = [];
  let [events, bytes, count]: [HistoryEvent[], number, number] = [[], 0, 0];
  let nextToken: string | undefined;
  do {
    const page = await sfnOf(tools.clients).send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000, includeExecutionData: true, ...(nextToken === undefined ? {} : { nextToken }) }));
    for (const event of page.events ?? []) {
      const size = JSON.stringify(event).length;
      if (bytes + size > PART_BYTES && events.length > 0) {
        parts.push(await keep(parts.length + 1, events));
        [events, bytes] = [[], 0];
      }
      events.push(event);
      bytes += size;
      count++;
    }
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  parts.push(await keep(parts.length + 1, events));
  return { events: count, parts };
}

/** A name that somebody chose in the console may have what a record's key may not. */
function nameFor(name: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name) ? name : `sha256-${digestOf(name)}`;
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return text;
  }
}
