import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { STATUSES } from '../../core/incident.ts';

/** The repository: where `workflows/` and the files that scenarios name are. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const LINKS = ['album', 'picture', 'other', 'expired', 'ended'] as const;
const text = z.string().min(1);
const apiCall = z
  .string()
  .regex(/^[a-z0-9-]+:[A-Z][A-Za-z0-9]+$/, 'must be <service>:<Operation>, as in s3:PutBucketPolicy')
  .describe('A service by its signing name and an operation as the SDK names it: s3:PutBucketPolicy, states:StartExecution, lambda:Invoke.');
const functionName = text.describe('Whose calls: a function or a playbook by its folder.');
const input = z.record(z.string(), z.json()).describe('The operation’s input as the SDK takes it. ${bucket}, ${account}, ${region}, ${now} stand for themselves.');

const callStep = z.strictObject({
  call: apiCall,
  as: text.describe('A person or role of the photos seed: admin, deploy-bot, photo-service, mallory, …; or the name that stolen credentials have.'),
  input,
  text: text.describe('What the timeline says: puts its own policy again'),
  refused: z.boolean().default(false).describe('The call has to be refused: AccessDenied, or a key that is not known any more.'),
});

const answers = z.number().int().default(202).describe('The HTTP status that is expected.');

const step = z.union([
  z.strictObject({ attack: z.literal('make-public').describe('An attack of the photos seed, by real API calls.') }),
  callStep,
  z.strictObject({
    event: text.describe('A file with an EventBridge event, from the root of the repository: test/events/guardduty-bucket-anonymous.json.'),
    with: z.record(z.string(), z.json()).optional().describe('A JSON merge patch (RFC 7396) over the file.'),
    times: z.number().int().min(1).max(100).default(1).describe('How often it is delivered at once.'),
  }),
  z.strictObject({
    await: z.union([z.enum(STATUSES), z.literal('settled')]).describe('Until the newest incident has this status; settled: until nothing runs any more.'),
    withinSeconds: z.number().positive().default(120).describe('Sandbox time.'),
  }),
  z.strictObject({
    restore: text.describe('The responder who asks, through the respond URL: rosa, ravi.'),
    reason: text,
    answers,
    approvedBy: text.nullable().optional().describe('Who approves it, where it waits for that: the other responder unless told; null: nobody.'),
  }),
  z.strictObject({
    start: text.describe('The responder who starts a playbook by hand.'),
    playbook: text.optional().describe('Its own unless told.'),
    inputs: z.record(z.string(), text).describe('${bucket} stands for itself.'),
    reason: text,
    mode: z.enum(['observe', 'approve', 'contain']).default('approve'),
    planned: z.boolean().default(false).describe('Plans first, and asks for exactly that plan.'),
    meanwhile: callStep.optional().describe('What somebody does between the plan and the start.'),
    answers,
  }),
  z.strictObject({ steal: text.describe('What the stolen credentials are called from here on: by "as" of a call.'), from: text.describe('Whose they are: a user’s key, or the session that a role has now.') }),
  z.strictObject({ tick: text.describe('A rule that runs on a schedule, whose time comes now: lease.') }),
  z.strictObject({ release: text.describe('The responder who asks again for the containment of what was held, observed or not approved.'), reason: text, answers }),
  z.strictObject({ approve: text.describe('The person who approves what waits, once it does.'), digest: text.optional().describe('Another digest than that of the plan.'), answers: answers.default(200) }),
  z.strictObject({ reject: text.describe('The person who rejects what waits, once it does.'), reason: text, answers: answers.default(200) }),
  z.strictObject({ pass: z.number().positive().describe('Seconds of sandbox time to let pass.') }),
  z.strictObject({
    respond: z.string().regex(/^\/[a-z-]+$/, 'must be a path of the respond URL: /release').describe('A path of the respond URL: /release, /resume, /suppress.'),
    as: text.describe('The responder who asks: rosa, ravi.'),
    body: z.record(z.string(), z.json()).describe('What is asked. ${incident} stands for the newest incident, beside the names of calls.'),
    answers: z.number().int().default(200).describe('The HTTP status that is expected.'),
  }),
  z.strictObject({
    reads: text.describe('Who asks for a picture of the bucket: anonymous, or a person of the photos seed.'),
    through: text.optional().describe('The access point by which; the bucket itself unless told.'),
    presigned: z.boolean().default(false).describe('By a URL that this person signed, sent by nobody in particular.'),
    answers: z.number().int().describe('The HTTP status that is expected.'),
  }),
  z.strictObject({
    share: text.describe('Somebody shares now; what the link is called here. An outsider follows it from then on.'),
    album: text,
    objectKey: text.optional().describe('A link to one picture of it.'),
  }),
  z.strictObject({ fill: z.number().int().min(1).describe('So many links more, a second apart, until now.'), album: text, objectKey: text.optional() }),
  z.strictObject({ mint: text.describe('Somebody with a stolen session of the signer role signs a URL; what it is called here. An outsider fetches it from then on: "presigned <name>".'), objectKey: text }),
  z.strictObject({ end: text.describe('The link that its owner ends.') }),
  z.strictObject({ pause: text.describe('The reason for which a responder pauses all containment.') }),
]);

/** Which calls of the suite a failure or an interruption is about. */
const addressed = { call: apiCall, by: functionName, from: z.number().int().min(1).default(1).describe('The first call it is about, counted from 1.') };
const failure = z.union([
  z.strictObject({
    ...addressed,
    times: z.number().int().min(1).default(1),
    code: text.describe('AWS’s error code: ThrottlingException, InternalError.'),
    status: z.number().int().min(400).max(599).default(400),
    message: text.optional(),
    when: z.enum(['before', 'after']).default('before').describe('after: the call takes effect and its answer is lost.'),
  }),
  z.strictObject({ permission: text.describe('An IAM action that the role does not have: s3:PutBucketPolicy.'), of: functionName }),
]);

const expectation = z.strictObject({
  incidents: z
    .array(
      z.strictObject({
        target: text.optional().describe('The bucket or account it is about; needed where one event opens several.'),
        status: z.enum(STATUSES),
        outcome: text.optional().describe('A part of the sentence on record.'),
        mode: z.enum(['observe', 'approve', 'contain']).optional(),
        level: z.enum(['public', 'external', 'full']).optional(),
        executions: z.number().int().optional().describe('How many were started of the incident’s playbook.'),
        ticket: z.enum(['open', 'closed', 'pending', 'none']).optional(),
        ticketGap: text.optional().describe('A part of the reason why the ticket’s workflow gave up.'),
        related: z.number().int().optional().describe('How many others it points at.'),
        severity: z.number().optional(),
        actors: z.number().int().optional().describe('How many were named.'),
        notes: z.array(text).optional().describe('Parts of what the plans say is kept or not done.'),
      }),
    )
    .describe('All there are, oldest first, or each by its target.'),
  decisions: z.array(z.strictObject({ decision: text, reason: text.optional() })).optional().describe('One a distinct event, in the order they were taken; reason: a part of it.'),
  tickets: z.number().int().optional(),
  outsider: z.array(z.number().int()).optional().describe('The HTTP statuses that the outsider saw; equal ones in a row are one. Old and new mixed while settings propagate count as the old.'),
  fetches: z.record(text, z.array(z.number().int())).optional().describe('The same for whoever follows a link: "link album" the link itself, "presigned album" and "cloudfront album" the URLs that it handed out when it was first opened.'),
  revoked: z.number().int().optional().describe('How many share links stand as revoked in the end.'),
  record: z.enum(['intact', 'late', 'broken']).optional().describe('What verifying the evidence bucket says in the end. A sweep and a seal come first: tick them.'),
  forgotten: z.array(text).optional().describe('Words that neither the table nor a record says in the end: an owner who was erased.'),
  changed: z.array(text).optional().describe('Settings that in the end are not what they were when the first event arrived, byte for byte but for lists that S3 gives in any order: [] after a restore.'),
  states: z.array(text).optional().describe('States that some execution enters, as <playbook>:<state>.'),
});

const schema = z.strictObject({
  $schema: z.string().optional(),
  title: text,
  given: z
    .strictObject({
      bucket: text.default('family-photos-111122223333').describe('The bucket that ${bucket} stands for and that the outsider reads.'),
      principalsIn: z.string().regex(/^\d{12}$/).optional().describe('The account that deploy-bot and the role that signs URLs belong to; the suite’s own unless told.'),
      follows: z.array(z.enum(LINKS)).default([]).describe('Links of the photos seed that an outsider fetches all through; then the account has a share service.'),
      propagationMs: z.number().int().nonnegative().default(0).describe('How long S3’s settings take to reach every request.'),
      skipTime: z.boolean().default(false).describe('Hours pass in it: time is skipped even in a drill, which runs in real time otherwise.'),
      config: z.record(z.string(), z.json()).default({}).describe('What differs from stopbath.config.json as the sandbox has it: { "modeCap": "observe" }.'),
    })
    .prefault({}),
  failures: z.array(failure).default([]).describe('What goes wrong; in force from the first event on.'),
  meanwhile: z
    .array(z.strictObject({ ...addressed, times: z.number().int().min(1).default(1), do: callStep.describe('${n} in its input is 1 the first time, then 2, …') }))
    .default([])
    .describe('What somebody does right before a call of the suite.'),
  steps: z.array(step).min(1),
  expect: expectation,
});

/** A scenario file, `workflows/<playbook>/scenarios/<name>.json`, checked. */
export interface Scenario extends Readonly<Omit<z.infer<typeof schema>, '$schema'>> {
  /** `<playbook>/<name>` */
  readonly name: string;
  readonly playbook: string;
}
export type Step = z.infer<typeof step>;
export type CallStep = z.infer<typeof callStep>;
export type Failure = z.infer<typeof failure>;
export type Expected = z.infer<typeof expectation>;

/** A scenario file that is not one. Names the file, the field and what is wrong with it. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
}

/** @throws {ScenarioError} */
export function readScenario(path: string): Scenario {
  const playbook = basename(dirname(dirname(path)));
  const name = `${playbook}/${basename(path, '.json')}`;
  const parsed = schema.safeParse(parseFile(path));
  if (!parsed.success) throw new ScenarioError(`${relative(ROOT, path)}: ${z.prettifyError(parsed.error)}`);
  const { $schema: _, ...scenario } = parsed.data;
  return { ...scenario, name, playbook };
}

/** What is wrong with a scenario's JSON, and where in it; nothing where it is one. */
export function scenarioIssues(document: unknown): readonly { readonly path: readonly (string | number)[]; readonly message: string }[] {
  const issues = schema.safeParse(document).error?.issues ?? [];
  return issues.map((issue) => {
    const path = issue.path.filter((part) => typeof part !== 'symbol');
    const [key] = issue.code === 'unrecognized_keys' ? issue.keys : [];
    return { path: key === undefined ? path : [...path, key], message: `${path.join('.') || 'the scenario'}: ${issue.message}` };
  });
}

/** The files of all scenarios of all playbooks, by name. */
export function scenarioFiles(root = ROOT): readonly string[] {
  return readdirSync(join(root, 'workflows'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((folder) => jsonFiles(join(root, 'workflows', folder.name, 'scenarios')))
    .toSorted((a, b) => a.localeCompare(b));
}

/** The JSON Schema that editors read: `scenario.schema.json` beside this file. */
export function scenarioJsonSchema(): object {
  return z.toJSONSchema(schema, { io: 'input' });
}

/** @throws {ScenarioError} where the file does not exist or is not JSON */
export function parseFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new ScenarioError(`${relative(ROOT, path)}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function jsonFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith('.json')).map((file) => join(folder, file));
  } catch {
    return [];
  }
}
