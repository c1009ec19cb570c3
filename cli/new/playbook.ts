import { readPlaybook } from '../../core/playbook.ts';
import { pascalOf } from '../../deploy/names.ts';
import { treeOf, type Tree } from '../check/tree.ts';
import { playbookPage } from '../docs/page.ts';
import { listed } from './registration.ts';

export interface NewPlaybook {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly attack: readonly string[];
}

/**
 * Every file of a playbook that runs: it tags a bucket and takes the tag off again, by the four steps of all others. The workflow is
 * that of quarantine-bucket and the code is type-checked in `cli/template`, so that neither grows old.
 *
 * @returns path to text, `serverless.yml` with its lines and the generated page among them
 */
export function playbookFiles(tree: Tree, playbook: NewPlaybook): ReadonlyMap<string, string> {
  const { name, title } = playbook;
  const functions = ['apply', 'plan', 'verify'].map((step) => `${name}-${step}`);
  const files = new Map<string, string>([
    [`workflows/${name}/playbook.json`, manifest(playbook)],
    [`workflows/${name}/workflow.asl.json`, workflow(tree, name, title)],
    ...scenarios(name),
    ...code(tree, name),
    ['serverless.yml', listed(tree.read('serverless.yml') ?? '', { functions, playbooks: [name] })],
  ]);
  const after = treeOf(tree.root, files);
  files.set(`docs/playbooks/${name}.md`, playbookPage(after, readPlaybook(name, JSON.parse(manifest(playbook))), JSON.parse(workflow(tree, name, title))));
  return files;
}

function manifest({ title, description, attack }: NewPlaybook): string {
  return `${JSON.stringify(
    {
      $schema: '../../docs/schemas/playbook.schema.json',
      title,
      description,
      targets: ['bucket'],
      defaultMode: 'observe',
      attack,
      inputs: { bucket: { description: "The bucket's name.", example: 'family-photos-111122223333', target: 'bucket' } },
      triggers: [],
      changes: {
        tagging: {
          what: 'A tag on the bucket says which incident watches it.',
          does: ['s3:PutBucketTagging'],
          undo: ['s3:PutBucketTagging'],
          undoes: 'The tag goes; tags that others set since stay.',
        },
      },
      never: ['No object, policy or other setting of the bucket is changed.'],
      notes: [],
    },
    null,
    2,
  )}\n`;
}

/** Every action has the same states around its own three functions. */
function workflow(tree: Tree, name: string, title: string): string {
  const text = tree.read('workflows/quarantine-bucket/workflow.asl.json') ?? '';
  return text.replaceAll('${QuarantineBucket', `\${${pascalOf(name)}`).replace(/"Comment": "[^"]*"/, () => `"Comment": ${JSON.stringify(`${title}, or take that back: plan, apply, verify, record. Between plan and apply somebody may have to approve.`)}`);
}

function code(tree: Tree, name: string): readonly (readonly [string, string])[] {
  const pascal = pascalOf(name);
  const template = (file: string) => (tree.read(`cli/template/${file}`) ?? '').replaceAll('NewPlaybook', pascal).replaceAll('new-playbook', name);
  const elsewhere = (text: string) => text.replaceAll("'./tags.ts'", `'../${name}-plan/tags.ts'`);
  const handler = (step: string, run: string, from: string, input: readonly [name: string, from: string], says: string) =>
    [...[`import { defineFunction } from '../../aws/function.ts';`, `import { ${input[0]} } from '../../aws/${input[1]}.ts';`].toSorted((a, b) => (a.split("'")[1] ?? '').localeCompare(b.split("'")[1] ?? '')), `import { ${run} } from './${from}.ts';`, '', `/** ${says} */`, `export const handler = defineFunction({ name: '${name}-${step}', input: ${input[0]}, run: ${run} });`, ''].join('\n');
  const properties = (description: string) => `description: ${description}\ntimeout: 60\nmemorySize: 512\n`;
  const table = (does: 'Read' | 'Write', actions: readonly string[], partitions: readonly string[]) =>
    `- Sid: ${does}Table\n  Effect: Allow\n  Action: [${actions.map((action) => `dynamodb:${action}`).join(', ')}]\n  Resource: { Fn::GetAtt: [Table, Arn] }\n  Condition: { ForAllValues:StringLike: { dynamodb:LeadingKeys: [${partitions.map((name) => (name.includes('#') ? `'${name}'` : name)).join(', ')}] }, 'Null': { dynamodb:LeadingKeys: 'false' } }\n`;
  const buckets = (sid: string, ...actions: readonly string[]) => `- Sid: ${sid}\n  Effect: Allow\n  Action: [${actions.join(', ')}]\n  Resource: 'arn:aws:s3:::*'\n  Condition: { StringEquals: { 'aws:ResourceAccount': { Ref: AWS::AccountId } } }\n`;
  const snapshot = `- Sid: KeepSnapshot\n  Effect: Allow\n  Action: [s3:PutObject]\n  Resource: { Fn::Sub: '\${EvidenceBucket.Arn}/records/snapshot/*' }\n`;
  return [
    [`functions/${name}-plan/function.yml`, properties('Reads a bucket and plans; changes nothing')],
    [`functions/${name}-plan/handler.ts`, handler('plan', `plan${pascal}`, 'plan', ['planInput', 'planning'], 'Reads the target and plans; changes nothing, and has no permission to.')],
    [`functions/${name}-plan/plan.ts`, template('plan.ts')],
    [`functions/${name}-plan/tags.ts`, template('tags.ts')],
    [`functions/${name}-plan/role.yml`, `${table('Read', ['GetItem', 'Query'], [...JUDGED, 'OWNER#*'])}${table('Write', ['PutItem'], ['INCIDENT#*', 'PLAN#*', 'UNSEALED#snapshot', 'ANNOUNCED#records/snapshot/*', 'OWNER#*', 'PSEUDONYM#*'])}${buckets('ReadTags', 's3:GetBucketTagging')}${snapshot}`],
    [`functions/${name}-apply/function.yml`, properties('Makes exactly the changes of a plan, each with its undo written first')],
    [`functions/${name}-apply/handler.ts`, handler('apply', `apply${pascal}`, 'apply', ['applyInput', 'apply'], 'Does exactly the plan with this digest, or nothing.')],
    [`functions/${name}-apply/apply.ts`, elsewhere(template('apply.ts'))],
    [`functions/${name}-apply/role.yml`, `${table('Read', ['GetItem', 'Query'], [...JUDGED, 'PLAN#*'])}${table('Write', ['PutItem', 'UpdateItem'], ['INCIDENT#*', 'LEDGER#*', 'BUDGETS'])}${buckets('ReadTags', 's3:GetBucketTagging')}${buckets('ChangeTags', 's3:PutBucketTagging')}`],
    [`functions/${name}-verify/function.yml`, properties('Looks at what was changed')],
    [`functions/${name}-verify/handler.ts`, handler('verify', `lookAt${pascal}`, 'look', ['lookInput', 'looking'], 'One look at what was changed; the workflow waits between looks.')],
    [`functions/${name}-verify/look.ts`, elsewhere(template('look.ts'))],
    [`functions/${name}-verify/role.yml`, `${table('Read', ['Query'], ['INCIDENT#*', 'PLAN#*', 'LEDGER#*', 'REQUEST#*', 'APPROVAL#*'])}${table('Write', ['PutItem'], ['INCIDENT#*'])}${buckets('ReadTags', 's3:GetBucketTagging')}`],
  ];
}

/** What plan and apply judge by. */
const JUDGED = ['INCIDENT#*', 'LEDGER#*', 'REQUEST#*', 'APPROVAL#*', 'GUARD', 'BUDGETS'];

/** Together they enter every state: the way there and back, and what goes wrong on it. */
function scenarios(name: string): readonly (readonly [string, string])[] {
  const schema = '../../../docs/schemas/scenario.schema.json';
  const start = { start: 'rosa', inputs: { bucket: '${bucket}' }, reason: 'a first try' };
  const at = (...states: readonly string[]) => states.map((state) => `${name}:${state}`);
  const all: Readonly<Record<string, object>> = {
    'there-and-back': {
      title: 'A responder starts it, another approves, and it is taken back byte for byte',
      steps: [start, { approve: 'ravi' }, { await: 'contained' }, { restore: 'rosa', reason: 'it was a try' }, { await: 'restored' }],
      expect: { incidents: [{ status: 'restored', executions: 2, ticket: 'closed' }], changed: [], states: at('Plan', 'Anything to Do?', 'Wait for Approval', 'Apply', 'Open Ticket', 'Look From Outside', 'Settled?', 'Wait for Propagation', 'Record', 'Update Ticket', 'Ended Well?', 'Done') },
    },
    'never-still': {
      title: 'The bucket changes under every plan: given up, and on record',
      meanwhile: [{ call: 'dynamodb:GetItem', by: `${name}-apply`, times: 100, do: { call: 's3:PutBucketTagging', as: 'admin', text: 'tags the bucket again', input: { Bucket: '${bucket}', Tagging: { TagSet: [{ Key: 'run', Value: '${n}' }] } } } }],
      steps: [start, { approve: 'ravi' }, { approve: 'ravi' }, { approve: 'ravi' }],
      expect: { incidents: [{ status: 'failed', outcome: 'StateMovedError', ticket: 'open' }], changed: ['tagging'], states: at('Moved Too Often?', 'Ended by Error') },
    },
    'record-fails': {
      title: 'The function that records is refused: the workflow leaves the reason on the incident itself',
      failures: [{ permission: 'dynamodb:UpdateItem', of: 'record' }],
      steps: [start, { approve: 'ravi' }],
      expect: { incidents: [{ status: 'failed', outcome: 'dynamodb:UpdateItem' }], states: at('Record by Hand') },
    },
    'no-ticket-workflow': {
      title: "The ticket's workflow cannot be started: it goes on all the same",
      failures: [{ call: 'states:StartExecution', by: name, times: 100, code: 'StateMachineDoesNotExist', message: 'State Machine Does Not Exist' }],
      steps: [start, { approve: 'ravi' }],
      expect: { incidents: [{ status: 'contained' }], states: at('Record Ticket Gap') },
    },
  };
  return Object.entries(all).map(([file, scenario]) => [`workflows/${name}/scenarios/${file}.json`, `${JSON.stringify({ $schema: schema, ...scenario }, null, 2)}\n`]);
}
