import { z } from 'zod';
import type { Json } from '../../../core/bucket.ts';
import type { Machine, Scope, State } from './definition.ts';
import { problemsOf, type Problem } from './validate.ts';

/** What is wrong with a definition, in the words of `ValidateStateMachineDefinition`. Empty `problems`: `machine` is there. */
export function readDefinition(text: string): { readonly machine: Machine | null; readonly problems: readonly Problem[] } {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return { machine: null, problems: [{ code: 'INVALID_JSON_DESCRIPTION', message: (error as SyntaxError).message, location: '/' }] };
  }
  const jsonPath = jsonPathStates(document, '');
  if (jsonPath.length > 0) return { machine: null, problems: jsonPath };
  const parsed = machineSchema.safeParse(document);
  if (!parsed.success) return { machine: null, problems: parsed.error.issues.flatMap((issue) => schemaProblems(issue)) };
  const problems = problemsOf(parsed.data);
  return { machine: problems.length === 0 ? parsed.data : null, problems };
}

const json: z.ZodType<Json> = z.json();
const text = z.string();
const name = z.string().min(1).max(80);
const count = z.union([z.number().int().min(0), z.string()]);
const seconds = z.union([z.number().int().min(1).max(99_999_999), z.string()]);

const common = { Comment: text.optional(), QueryLanguage: z.literal('JSONata').optional() };
const leaving = { Output: json.optional(), Assign: z.record(z.string(), json).optional() };
const flow = { ...common, ...leaving, Next: name.optional(), End: z.boolean().optional() };

const retrier = z.strictObject({
  Comment: text.optional(),
  ErrorEquals: z.array(text).min(1),
  IntervalSeconds: z.number().int().min(1).max(99_999_999).optional(),
  MaxAttempts: z.number().int().min(0).max(99_999_999).optional(),
  BackoffRate: z.number().min(1).optional(),
  MaxDelaySeconds: z.number().int().min(1).max(31_622_400).optional(),
  JitterStrategy: z.enum(['FULL', 'NONE']).optional(),
});
const catcher = z.strictObject({ Comment: text.optional(), ErrorEquals: z.array(text).min(1), Next: name, ...leaving });
const guarded = { ...flow, Retry: z.array(retrier).optional(), Catch: z.array(catcher).optional() };

const scope: z.ZodType<Scope> = z.lazy(() => z.strictObject({ Comment: text.optional(), StartAt: name, States: z.record(name, state) }));
const processor: z.ZodType<Scope> = z.lazy(() =>
  z.strictObject({
    Comment: text.optional(),
    ProcessorConfig: z.strictObject({ Mode: z.literal('INLINE', { error: "only 'INLINE' is run by this sandbox" }).optional() }).optional(),
    StartAt: name,
    States: z.record(name, state),
  }),
);

const state: z.ZodType<State> = z.discriminatedUnion('Type', [
  z.strictObject({ Type: z.literal('Pass'), ...flow }),
  z.strictObject({
    Type: z.literal('Task'),
    ...guarded,
    Resource: text,
    Arguments: json.optional(),
    TimeoutSeconds: seconds.optional(),
    HeartbeatSeconds: seconds.optional(),
  }),
  z.strictObject({
    Type: z.literal('Choice'),
    ...common,
    ...leaving,
    Choices: z.array(z.strictObject({ Comment: text.optional(), Condition: z.union([text, z.boolean()]), Next: name, ...leaving })).min(1),
    Default: name.optional(),
  }),
  z
    .strictObject({ Type: z.literal('Wait'), ...flow, Seconds: z.union([z.number().int().min(0).max(99_999_999), text]).optional(), Timestamp: text.optional() })
    .refine((wait) => (wait.Seconds === undefined) !== (wait.Timestamp === undefined), { error: 'exactly one of [Seconds, Timestamp] is required' }),
  z.strictObject({ Type: z.literal('Succeed'), ...common, Output: json.optional() }),
  z.strictObject({ Type: z.literal('Fail'), ...common, Error: text.optional(), Cause: text.optional() }),
  z.strictObject({ Type: z.literal('Parallel'), ...guarded, Branches: z.array(scope).min(1), Arguments: json.optional() }),
  z.strictObject({
    Type: z.literal('Map'),
    ...guarded,
    ItemProcessor: processor,
    Items: json.optional(),
    ItemSelector: json.optional(),
    MaxConcurrency: count.optional(),
    ToleratedFailureCount: count.optional(),
    ToleratedFailurePercentage: z.union([z.number().min(0).max(100), text]).optional(),
  }),
]);

const machineSchema: z.ZodType<Machine> = z.strictObject({
  Comment: text.optional(),
  Version: text.optional(),
  QueryLanguage: z.literal('JSONata').optional(),
  TimeoutSeconds: z.number().int().min(1).max(99_999_999).optional(),
  StartAt: name,
  States: z.record(name, state),
});

/** AWS's texts for an unknown and for a missing field; zod's own for the rest. */
function schemaProblems(issue: z.core.$ZodIssue): Problem[] {
  const location = `/${issue.path.map(String).join('/').replace(/\/(\d+)(?=\/|$)/g, '[$1]')}`;
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => problem(`Field '${key}' is not supported`, location));
  if (issue.code === 'invalid_type' && issue.input === undefined) {
    const parent = location.slice(0, location.lastIndexOf('/')) || '/';
    return [problem(`These fields are required: [${String(issue.path.at(-1))}]`, parent)];
  }
  return [problem(issue.message, location)];
}

function problem(message: string, location: string): Problem {
  return { code: 'SCHEMA_VALIDATION_FAILED', message, location };
}

/** JSONPath is another language altogether: refused by name, before its fields are complained about one by one. */
function jsonPathStates(document: unknown, path: string, machineLanguage = 'JSONPath'): Problem[] {
  if (!isRecord(document)) return [];
  const language = path === '' && typeof document['QueryLanguage'] === 'string' ? document['QueryLanguage'] : machineLanguage;
  const states = isRecord(document['States']) ? Object.entries(document['States']) : [];
  return states.flatMap(([stateName, entry]): Problem[] => {
    if (!isRecord(entry)) return [];
    const at = `${path}/States/${stateName}`;
    const own = typeof entry['QueryLanguage'] === 'string' ? entry['QueryLanguage'] : language;
    const branches = Array.isArray(entry['Branches']) ? entry['Branches'] : [];
    const inner = [
      ...branches.flatMap((branch: unknown, index) => jsonPathStates(branch, `${at}/Branches[${index}]`, language)),
      ...jsonPathStates(entry['ItemProcessor'], `${at}/ItemProcessor`, language),
    ];
    if (own === 'JSONata') return inner;
    const message =
      language === 'JSONata'
        ? "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"
        : "this sandbox runs JSONata only: set 'QueryLanguage' to 'JSONata' for the whole state machine";
    return [problem(message, at), ...inner];
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
