import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkPlaybooks } from './check/check.ts';
import { RULES, type Rule } from './check/problem.ts';
import { treeOf } from './check/tree.ts';

const ROOT = join(import.meta.dirname, '..');
const shipped = treeOf(ROOT);

it('has nothing to say of the shipped playbooks', () => {
  expect(checkPlaybooks(shipped, shipped.list('workflows'))).toEqual([]);
});

const [WORKFLOW, PLAYBOOK] = ['workflows/quarantine-bucket/workflow.asl.json', 'workflows/quarantine-bucket/playbook.json'];
const [PLAN_ROLE, APPLY_ROLE] = ['functions/quarantine-bucket-plan/role.yml', 'functions/quarantine-bucket-apply/role.yml'];
const APPLY = 'functions/quarantine-bucket-apply/apply.ts';
const SCENARIO = 'workflows/quarantine-bucket/scenarios/public-bucket.json';
const OPEN_TICKET = 'workflows/open-ticket/playbook.json';

type Json = Record<string, unknown>;
interface Mistake {
  readonly what: string;
  readonly file: string;
  /** A text that stands there, and what somebody made of it. */
  readonly from?: string | RegExp;
  readonly to?: string;
  /** Or what somebody did to the parsed file. */
  readonly edit?: (document: Json) => void;
  readonly rule: Rule;
  /** A part of the message. */
  readonly says: string;
  /** A text that the line holds which is named; the file's beginning where there is none. */
  readonly line?: string;
}

const states = (document: Json): Record<string, Json> => document['States'] as Record<string, Json>;
const state = (document: Json, name: string): Json => states(document)[name] ?? {};
const trigger = (document: Json, change: Json): void => {
  (document['triggers'] as Json[]).push({ name: 'new-one', pattern: { source: ['aws.s3'], 'detail-type': ['AWS API Call via CloudTrail'], detail: { eventSource: ['s3.amazonaws.com'], eventName: ['PutBucketAccelerateConfiguration'] } }, mode: 'approve', why: 'something new', ...change });
};
const finding = (type: unknown): Json => ({ pattern: { source: ['aws.guardduty'], 'detail-type': ['GuardDuty Finding'], detail: { type: [type] } } });

const MISTAKES: readonly Mistake[] = [
  { what: 'a comma is missing', file: WORKFLOW, from: '"QueryLanguage": "JSONata",', to: '"QueryLanguage": "JSONata"', rule: 'json', says: '', line: 'TimeoutSeconds' },
  { what: 'a state stands twice', file: WORKFLOW, from: '"Settled?": {', to: '"Done": { "Type": "Succeed" },\n    "Settled?": {', rule: 'json', says: 'unique' },
  { what: 'a field that ASL has not', file: WORKFLOW, from: '"Type": "Wait",', to: '"Type": "Wait",\n      "Secondz": 3,', rule: 'asl', says: 'Secondz' },
  { what: 'a transition to nowhere', file: WORKFLOW, from: '"Next": "Anything to Do?"', to: '"Next": "Anything?"', rule: 'asl', says: "Missing 'Next' target: Anything?", line: '"Next": "Anything?"' },
  { what: 'a state that nothing leads to', file: WORKFLOW, edit: (document) => (states(document)['Alone'] = { Type: 'Succeed' }), rule: 'asl', says: '"Alone" is not reachable', line: '"Alone"' },
  { what: 'JSONPath in place of JSONata', file: WORKFLOW, from: '"QueryLanguage": "JSONata"', to: '"QueryLanguage": "JSONPath"', rule: 'asl', says: 'must be "JSONata"', line: 'QueryLanguage' },
  { what: 'JSONata that does not parse', file: WORKFLOW, from: "{% $plan.next = 'apply' %}", to: "{% $plan.next = 'apply %}", rule: 'jsonata', says: '', line: "'apply %}" },
  { what: 'JSONata that reads a context that is not there', file: WORKFLOW, from: "{% $plan.next = 'apply' %}", to: "{% plan.next = 'apply' %}", rule: 'jsonata', says: "Reference to 'plan'", line: '{% plan.next' },
  { what: 'a Choice that asks nothing', file: WORKFLOW, from: /Settled\?/g, to: 'Settled', rule: 'names', says: 'end it with ?', line: '"Settled": {' },
  { what: 'a state in lower case', file: WORKFLOW, from: /Wait for Propagation/g, to: 'wait for propagation', rule: 'names', says: 'Title Case', line: '"wait for propagation": {' },
  { what: 'a Task without Retry', file: WORKFLOW, edit: (document) => delete state(document, 'Plan')['Retry'], rule: 'retry', says: '"Plan" has no Retry', line: '"Plan": {' },
  { what: 'a Retry that gives up on a crowded Lambda', file: WORKFLOW, from: '            "Lambda.TooManyRequestsException",\n', to: '', rule: 'retry', says: 'Lambda.TooManyRequestsException', line: '"Retry"' },
  { what: 'a Task without Catch', file: WORKFLOW, edit: (document) => delete state(document, 'Look From Outside')['Catch'], rule: 'catch', says: '"Look From Outside" does not catch States.ALL', line: '"Look From Outside": {' },
  { what: 'a Catch of one error only', file: WORKFLOW, edit: (document) => (state(document, 'Record')['Catch'] = [{ ErrorEquals: ['States.Timeout'], Next: 'Record by Hand' }]), rule: 'catch', says: '"Record" does not catch States.ALL', line: '"Catch"' },
  { what: 'a Catch that ends without a record', file: WORKFLOW, edit: (document) => (state(document, 'Plan')['Catch'] = [{ ErrorEquals: ['States.ALL'], Next: 'Done' }]), rule: 'catch', says: 'nothing is put on record' },
  { what: 'a Task without a time-out', file: WORKFLOW, edit: (document) => delete state(document, 'Apply')['TimeoutSeconds'], rule: 'timeout', says: '"Apply" has no TimeoutSeconds', line: '"Apply": {' },
  { what: 'a wait for a token without a time-out', file: WORKFLOW, edit: (document) => delete state(document, 'Wait for Approval')['TimeoutSeconds'], rule: 'timeout', says: 'waits for a token', line: '"Wait for Approval": {' },
  { what: 'a workflow without a time-out', file: WORKFLOW, edit: (document) => delete document['TimeoutSeconds'], rule: 'timeout', says: 'holds its target' },
  { what: 'an ARN written out', file: WORKFLOW, from: '"${RecordArn}"', to: '"arn:aws:lambda:us-east-1:111122223333:function:record"', rule: 'placeholder', says: 'written out', line: 'function:record' },
  { what: 'a function that there is not', file: WORKFLOW, from: '${RecordArn}', to: '${RecrodArn}', rule: 'placeholder', says: 'RecrodArn', line: '${RecrodArn}' },
  { what: 'a service whose permissions nobody knows', file: WORKFLOW, from: 'arn:aws:states:::aws-sdk:dynamodb:updateItem', to: 'arn:aws:states:::aws-sdk:ec2:stopInstances', rule: 'permissions', says: 'not known' },
  { what: 'a misspelt key', file: PLAYBOOK, from: '"defaultMode"', to: '"defaultmode"', rule: 'playbook', says: 'defaultmode', line: 'defaultmode' },
  { what: 'a technique that is none', file: PLAYBOOK, from: '"T1537"', to: '"1537"', rule: 'playbook', says: 'ATT&CK', line: '"1537"' },
  { what: 'a pattern that is none', file: PLAYBOOK, edit: (document) => trigger(document, { pattern: { source: 'aws.s3' } }), rule: 'trigger', says: 'new-one', line: '"name": "new-one"' },
  { what: 'a finding type that GuardDuty has not', file: PLAYBOOK, edit: (document) => trigger(document, finding('Policy:S3/BucketPublicAcessGranted')), rule: 'trigger', says: 'no finding type "Policy:S3/BucketPublicAcessGranted"' },
  { what: 'a finding about something else than its target', file: PLAYBOOK, edit: (document) => trigger(document, finding('UnauthorizedAccess:IAMUser/TorIPCaller')), rule: 'trigger', says: 'is about principal' },
  { what: 'an event that the suite cannot read', file: PLAYBOOK, edit: (document) => trigger(document, { pattern: { source: ['aws.health'], 'detail-type': ['AWS Health Event'] } }), rule: 'trigger', says: 'AWS Health Event' },
  { what: 'a source and an event source that never meet', file: PLAYBOOK, edit: (document) => trigger(document, { pattern: { source: ['aws.s3'], 'detail-type': ['AWS API Call via CloudTrail'], detail: { eventSource: ['iam.amazonaws.com'] } } }), rule: 'trigger', says: 'never in one event' },
  { what: 'a call that only reads', file: PLAYBOOK, edit: (document) => trigger(document, { pattern: { source: ['aws.s3'], 'detail-type': ['AWS API Call via CloudTrail'], detail: { eventName: ['GetBucketAcl'] } } }), rule: 'trigger', says: 'GetBucketAcl only reads' },
  { what: 'an input that is not declared', file: PLAYBOOK, edit: (document) => trigger(document, { inputs: { depth: 'public' } }), rule: 'trigger', says: 'has no input "depth"' },
  { what: 'a level that there is not', file: PLAYBOOK, edit: (document) => trigger(document, { inputs: { level: 'total' } }), rule: 'trigger', says: 'must be one of public, external, full' },
  { what: 'a pattern longer than a rule takes', file: PLAYBOOK, edit: (document) => trigger(document, { pattern: { source: ['aws.s3'], detail: { eventName: ['x'.repeat(2100)] } } }), rule: 'trigger', says: 'AWS takes 2048' },
  { what: 'the same events as another playbook', file: PLAYBOOK, edit: (document) => trigger(document, { ...finding({ prefix: 'Object:S3/' }), targets: ['object'] }), rule: 'overlap', says: 'revoke-share-links/malicious-object' },
  { what: 'the same events, in observe, as the ticket that everything gets', file: PLAYBOOK, edit: (document) => trigger(document, { ...finding('Stealth:S3/ServerAccessLoggingDisabled'), mode: 'observe' }), rule: 'overlap', says: 'ties with open-ticket/finding' },
  { what: 'no changes declared', file: PLAYBOOK, edit: (document) => delete document['changes'], rule: 'undo', says: 'declares no changes' },
  { what: 'a change without its undo', file: PLAYBOOK, edit: (document) => delete ((document['changes'] as Json)['tagging'] as Json)['undo'], rule: 'playbook', says: 'changes.tagging.undo', line: '"tagging": {' },
  { what: 'an undo that no role allows', file: APPLY_ROLE, from: 's3:DeleteBucketPolicy, ', to: '', rule: 'permissions', says: 'policy: no role of the functions that apply allows s3:DeleteBucketPolicy' },
  { what: 'a power that no change needs', file: APPLY_ROLE, from: 's3:PutBucketTagging', to: 's3:PutBucketTagging, s3:PutBucketCORS', rule: 'undo', says: 's3:PutBucketCORS: no change', line: 's3:PutBucketCORS' },
  { what: 'a plan that may write', file: PLAN_ROLE, from: 's3:GetBucketAcl', to: 's3:PutBucketAcl, s3:GetBucketAcl', rule: 'permissions', says: 'changes nothing', line: 's3:PutBucketAcl' },
  { what: 'a wildcard among the actions', file: APPLY_ROLE, from: 's3:PutBucketTagging', to: 's3:Put*', rule: 'permissions', says: 's3:Put* allows more', line: 's3:Put*' },
  { what: 'a change of every resource', file: APPLY_ROLE, from: "  Action: [s3:DeleteBucketPolicy, s3:PutBucketPolicy, s3:PutBucketPublicAccessBlock, s3:PutBucketTagging, s3:PutLifecycleConfiguration]\n  Resource: 'arn:aws:s3:::*'", to: "  Action: [s3:DeleteBucketPolicy, s3:PutBucketPolicy, s3:PutBucketPublicAccessBlock, s3:PutBucketTagging, s3:PutLifecycleConfiguration]\n  Resource: '*'", rule: 'permissions', says: 'on every resource' },
  { what: 'a role that may write whatever lies in the table', file: APPLY_ROLE, from: /(?<=UpdateItem\]\n.*\n)  Condition: .*\n/, to: '', rule: 'permissions', says: 'name its partitions', line: 'Table, Arn' },
  { what: 'a call that the role does not allow', file: APPLY_ROLE, from: 's3:GetBucketCORS, ', to: '', rule: 'permissions', says: 's3:GetBucketCORS' },
  { what: 'an act before its undo is written', file: APPLY, from: 'intendAll(tools', to: 'intentsOf(tools', rule: 'undo', says: 'intendAll is never called' },
  { what: 'an act that nobody guards', file: APPLY, from: 'await assertMayApply(', to: 'await mayApply(', rule: 'undo', says: 'assertMayApply is never called' },
  { what: 'a function under another name', file: 'functions/quarantine-bucket-apply/handler.ts', from: "name: 'quarantine-bucket-apply'", to: "name: 'quarantine-apply'", rule: 'registration', says: 'as its folder', line: 'quarantine-apply' },
  { what: 'a function that is not listed', file: 'serverless.yml', from: '  quarantine-bucket-apply: ${file(deploy/stack.cjs):functions.quarantine-bucket-apply}\n', to: '', rule: 'registration', says: 'quarantine-bucket-apply is not listed', line: 'functions:' },
  { what: 'a playbook that is not listed', file: 'serverless.yml', from: '  - ${file(deploy/stack.cjs):playbooks.quarantine-bucket}\n', to: '', rule: 'registration', says: 'quarantine-bucket is not listed', line: 'resources:' },
  { what: 'a scenario with a step that is none', file: SCENARIO, from: '"attack": "make-public"', to: '"atack": "make-public"', rule: 'scenario', says: 'steps.0', line: 'atack' },
  { what: 'a scenario of a state that there is not', file: 'workflows/quarantine-bucket/scenarios/no-ticket-workflow.json', from: 'quarantine-bucket:Settled?', to: 'quarantine-bucket:Setled?', rule: 'scenario', says: 'there is no state "Setled?"', line: 'Setled?' },
  { what: 'a state that no scenario visits', file: 'workflows/quarantine-bucket/scenarios/no-ticket-workflow.json', from: '"quarantine-bucket:Settled?", ', to: '', rule: 'scenario', says: 'quarantine-bucket:Settled?' },
  { what: 'a page of yesterday', file: 'docs/playbooks/quarantine-bucket.md', from: '# Quarantine a bucket', to: '# Close a bucket', rule: 'docs', says: 'npm run stopbath -- docs', line: '# Close a bucket' },
  { what: 'nothing said of what it never touches', file: PLAYBOOK, edit: (document) => delete document['never'], rule: 'docs', says: 'never is missing' },
];

describe('a seeded mistake is found', () => {
  it.each(MISTAKES)('$what', ({ file, from, to, edit, rule, says, line }) => {
    const before = readFileSync(join(ROOT, file), 'utf8');
    const after = edit ? edited(before, edit) : before.replace(from ?? '', () => to ?? '');
    expect(after).not.toBe(before);
    const found = checkPlaybooks(treeOf(ROOT, new Map([[file, after]])), ['quarantine-bucket']).filter((problem) => problem.rule === rule && problem.message.includes(says));
    expect(found, 'what was found').not.toEqual([]);
    if (line === undefined) return;
    const [{ file: where, line: row } = { file: '', line: 0 }] = found;
    expect(where).toBe(file);
    expect(after.split('\n')[row - 1]).toContain(line);
  });

  it('by every rule that there is', () => {
    const seeded = new Set(MISTAKES.map(({ rule }) => rule));
    expect(Object.keys(RULES).filter((rule) => !seeded.has(rule as Rule))).toEqual([]);
    expect(MISTAKES.length).toBeGreaterThanOrEqual(30);
  });
});

it('a missing folder or file is said, and nothing throws', () => {
  for (const file of [WORKFLOW, PLAYBOOK, PLAN_ROLE, APPLY, 'functions/quarantine-bucket-plan/handler.ts', 'docs/playbooks/quarantine-bucket.md', OPEN_TICKET]) {
    const problems = checkPlaybooks(treeOf(ROOT, new Map([[file, null]])), ['quarantine-bucket']);
    if (file !== OPEN_TICKET) expect(problems.map((problem) => problem.file), file).toContain(file === APPLY ? 'functions/quarantine-bucket-apply/handler.ts' : file);
  }
});

it('a second validator agrees that the workflows are ASL', () => {
  // It compiles its schemas anew each time, and does not know seconds that are an expression.
  const validate = createRequire(import.meta.url)('asl-validator') as (definition: unknown) => { readonly isValid: boolean; readonly errors: readonly unknown[] };
  const definition = JSON.parse(readFileSync(join(ROOT, WORKFLOW), 'utf8').replaceAll(/"(TimeoutSeconds|Seconds)": "[^"]*"/g, '"$1": 60')) as unknown;
  expect(validate(definition).errors).toEqual([]);
});

function edited(text: string, edit: (document: Json) => void): string {
  const document = JSON.parse(text) as Json;
  edit(document);
  return `${JSON.stringify(document, null, 2)}\n`;
}
