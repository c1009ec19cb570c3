import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../core/bucket.ts';
import { fakeWorld } from './fake-world.ts';

/** What AWS recorded for JSONata state machines; absent in a fresh clone. */
const folder = new URL('../../../../shared/corpora/asl/', import.meta.url);

interface Row {
  readonly id: string;
  readonly definition: object;
  readonly input: Json;
  readonly expected: { readonly status: string; readonly output?: Json; readonly error?: string; readonly cause?: string };
  readonly states_entered: readonly string[];
  readonly task_events?: readonly TaskEvent[];
}

interface TaskEvent {
  readonly type: string;
  readonly taskSucceededEventDetails?: { readonly output: { readonly Payload: Json } };
  readonly taskFailedEventDetails?: { readonly cause: object; readonly error: string };
  readonly lambdaFunctionSucceededEventDetails?: { readonly output: Json };
}

const files = ['jsonata_pure.jsonl', 'jsonata_with_tasks.jsonl'].map((name) => new URL(name, folder));
const rows = files.filter((file) => existsSync(file)).flatMap((file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row),
);
if (rows.length === 0) process.stderr.write('corpora/asl is not here: agreement with what AWS recorded was not tested\n');

/** The functions answer what they answered on AWS, in that order. */
function replay(events: readonly TaskEvent[]) {
  const answers = events.flatMap((event) => {
    if (event.taskSucceededEventDetails) return [{ StatusCode: 200, ExecutedVersion: '$LATEST', Payload: JSON.stringify(event.taskSucceededEventDetails.output.Payload) }];
    if (event.lambdaFunctionSucceededEventDetails) return [{ StatusCode: 200, Payload: JSON.stringify(event.lambdaFunctionSucceededEventDetails.output) }];
    if (event.taskFailedEventDetails) return [{ StatusCode: 200, FunctionError: 'Unhandled', Payload: JSON.stringify(event.taskFailedEventDetails.cause) }];
    return [];
  });
  return () => answers.shift();
}

/** Headers and request ids are AWS's own. */
function comparable(value: Json): Json {
  if (Array.isArray(value)) return value.map(comparable);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, key.startsWith('Sdk') ? {} : comparable(entry as Json)]));
}

describe('agreement with AWS', () => {
  it('has every recorded machine, or none', () => expect([0, 33]).toContain(rows.length));

  for (const row of rows) {
    // JSONPath and JSONata in one machine: this sandbox runs JSONata only, and says so.
    if (row.id.includes('JSONPATH_TO_JSONATA')) {
      it(`knowingly refuses ${row.id.split('::').at(-1)}`, async () => {
        await expect(fakeWorld().execute(row.definition)).rejects.toThrow("set 'QueryLanguage' to 'JSONata'");
      });
      continue;
    }
    it(row.id.split('::').at(-1) ?? row.id, async () => {
      const fake = fakeWorld({ 'lambda.Invoke': replay(row.task_events ?? []) });
      const definition = JSON.parse(JSON.stringify(row.definition)) as { readonly QueryLanguage?: string };
      const execution = await fake.execute({ ...definition }, row.input);
      const { status, error, cause } = execution;
      expect({ status, error, cause }).toEqual({ status: row.expected.status, error: row.expected.error, cause: row.expected.cause });
      if (row.expected.status === 'SUCCEEDED') expect(comparable(JSON.parse(execution.output ?? 'null') as Json)).toEqual(comparable(row.expected.output ?? null));
      const history = await fake.history(execution.executionArn);
      const entered = history.flatMap((event) => (event.type.endsWith('StateEntered') ? [(event['stateEnteredEventDetails'] as { readonly name: string }).name] : []));
      expect(entered).toEqual(row.states_entered);
      const recorded = (row.task_events ?? []).map(({ type }) => type).toSorted();
      const types = new Set(recorded);
      if (recorded.length > 0) expect(history.map(({ type }) => type).filter((type) => types.has(type)).toSorted()).toEqual(recorded);
    });
  }
});
