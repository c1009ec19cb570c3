import { readFunctionFolder, type FunctionFolder } from '../../deploy/functions.ts';
import { DeployError, pascalOf, type PolicyStatement } from '../../deploy/names.ts';
import type { Playbook } from '../../core/playbook.ts';
import { actionsCalled } from './commands.ts';
import type { Problem } from './problem.ts';
import { isRecord, readSource, type Source } from './source.ts';
import type { Tree } from './tree.ts';
import type { StateAt } from './workflow.ts';

interface Own {
  readonly folder: FunctionFolder;
  readonly role: Source;
  readonly name: string;
}

/**
 * Functions of a playbook: those that its workflow calls and that are called as it is, `<playbook>-plan`. Their roles, what their code
 * does before it acts, and whether everything that they change is declared.
 */
export function checkFunctions(tree: Tree, playbook: Playbook, manifest: Source, states: readonly StateAt[], problems: Problem[]): void {
  const names = ownFunctions(tree, playbook.name, states);
  const own = names.map((name) => checkFunction(tree, name, problems)).filter((one) => one !== null);
  for (const { name, role, folder } of own) {
    if (/-(?:plan|verify)$/.test(name)) checkReadOnly(role, folder);
    if (name.endsWith('-apply')) checkApply(tree, name, problems);
    checkCalls(tree, role, folder);
  }
  checkChanges(playbook, manifest, own);
}

/** Those that the workflow calls and whose name begins with its own. */
export function ownFunctions(tree: Tree, playbook: string, states: readonly StateAt[]): readonly string[] {
  const called = new Set(states.map(({ state }) => (isRecord(state['Arguments']) ? state['Arguments']['FunctionName'] : null)));
  return tree.list('functions').filter((name) => name.startsWith(`${playbook}-`) && called.has(`\${${pascalOf(name)}Arn}`));
}

function checkFunction(tree: Tree, name: string, problems: Problem[]): Own | null {
  const folder = `functions/${name}`;
  const handler = tree.read(`${folder}/handler.ts`);
  const report = (file: string, line: number, message: string) => void problems.push({ file, line, column: 1, rule: 'registration', message });
  if (handler === null) report(`${folder}/handler.ts`, 1, 'there is no such file: write it');
  const [whole = '', said] = /name: '([^']*)'/.exec(handler ?? '') ?? [];
  if (handler !== null && said !== name) report(`${folder}/handler.ts`, said === undefined ? 1 : lineOf(handler, whole), `the function calls itself ${JSON.stringify(said ?? null)}: must be '${name}', as its folder`);
  const properties = readSource(tree, `${folder}/function.yml`, 'registration', problems);
  const role = readSource(tree, `${folder}/role.yml`, 'permissions', problems);
  if (properties?.value === undefined || role?.value === undefined) return null;
  try {
    const read = readFunctionFolder(name, properties.value, role.value);
    read.statements.forEach((statement, index) => checkStatement(role, index, statement));
    return { folder: read, role, name };
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    const isRole = error.message.includes('/role.yml');
    const message = error.message.replace(/^functions\/[^:]+: /, '').split('\n').map((part) => part.trim()).join(' ');
    (isRole ? role : properties).report({ line: 1, column: 1 }, isRole ? 'permissions' : 'registration', message);
    return null;
  }
}

/** Lists, and what is about an account: AWS has no resource for these. */
const UNNARROWED = /^(?:cloudfront:ListDistributions|cloudwatch:GetMetricData|s3:(?:GetAccountPublicAccessBlock|ListAccessPoints|GetAccessPoint|ListAllMyBuckets)|ssm:(?:CreateOpsItem|DescribeOpsItems)|lambda:ListFunctions|iam:(?:GetServiceLastAccessedDetails|ListAccountAliases)|kms:ListKeys|ec2:Describe\w+)$/;

function checkStatement({ report, at }: Source, index: number, { Action, Resource, Effect, Condition }: PolicyStatement): void {
  if (Effect === 'Deny') return;
  for (const action of [Action].flat()) if (action.includes('*')) report(at([index, 'Action']), 'permissions', `${action} allows more than the code does: name the actions`);
  const wide = [Action].flat().filter((action) => !UNNARROWED.test(action));
  if (Resource === '*' && wide.length > 0) report(at([index, 'Resource']), 'permissions', `${wide.join(', ')} on every resource: narrow it`);
  if (JSON.stringify(Resource) === '{"Fn::GetAtt":["Table","Arn"]}' && !/^\{"ForAllValues:StringLike":\{"dynamodb:LeadingKeys":.*"Null":\{"dynamodb:LeadingKeys":"false"\}\}$/.test(JSON.stringify(Condition))) {
    report(at([index, 'Resource']), 'permissions', 'on the whole table, where approvals and the kill switch lie: name its partitions, as quarantine-bucket does (dynamodb:LeadingKeys)');
  }
}

const READ = /^[a-z0-9-]+:(?:Get|List|Describe|BatchGet|Query|Scan|Head|Simulate|Generate|Assume)/;

/** What belongs to the suite itself: its table, its evidence, its own parameters and playbooks. */
function isOwn({ Resource }: PolicyStatement): boolean {
  return /"Table"|EvidenceBucket|"Config":"keptSessions"|(?:parameter\/|stateMachine:)\$\{self:custom\.name\}[-/]/.test(JSON.stringify(Resource));
}

function checkReadOnly({ report, at }: Source, { name, statements }: FunctionFolder): void {
  statements.forEach((statement, index) => {
    const writes = isOwn(statement) ? [] : [statement.Action].flat().filter((action) => !READ.test(action));
    if (writes.length > 0) report(at([index, 'Action']), 'permissions', `${name} may ${writes.join(', ')}: a function that plans or verifies changes nothing`);
  });
}

/**
 * What the code calls and what the role allows are the same. What is called as somebody else (nobody, the probe) or stands in the
 * bundle and is never called, a line of role.yml says: `# Not as this role: s3:GetObject`.
 */
function checkCalls(tree: Tree, { text, report, at }: Source, { name, statements, properties }: FunctionFolder): void {
  const called = actionsCalled(tree.root, name);
  const elsewhere = new Set([...text.matchAll(/^# Not as this role: (.*)$/gm)].flatMap(([, list = '']) => list.split(',').map((action) => action.trim())));
  const allowed = new Set(statements.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => [Action].flat()));
  const missing = called.filter((action) => !allowed.has(action) && !elsewhere.has(action) && !(properties.url && action === 'lambda:InvokeFunction'));
  if (missing.length > 0) report(at([]), 'permissions', `the code of ${name} calls ${missing.join(', ')}, which its role does not allow`);
  statements.forEach((statement, index) => {
    const unused = [statement.Action].flat().filter((action) => !called.includes(action) && !ALONGSIDE.has(action));
    if (unused.length > 0 && statement.Effect === 'Allow') report(at([index, 'Action']), 'permissions', `${unused.join(', ')}: the code of ${name} never calls it`);
  });
}

/** Asked for by AWS beside the call itself. */
const ALONGSIDE: ReadonlySet<string> = new Set(['s3:ListBucket', 's3:GetObjectVersion', 'kms:Decrypt', 'kms:GenerateDataKey']);

/** The act is guarded, and its undo stands in the ledger first. */
function checkApply(tree: Tree, name: string, problems: Problem[]): void {
  const files = tree.list(`functions/${name}`).filter((file) => file.endsWith('.ts') && file !== 'handler.ts' && !file.endsWith('.test.ts'));
  const sources = files.map((file) => ({ file: `functions/${name}/${file}`, text: tree.read(`functions/${name}/${file}`) ?? '' }));
  const [main = { file: `functions/${name}/handler.ts`, text: '' }] = sources.toSorted((one, other) => Number(other.text.includes('plannedFor(')) - Number(one.text.includes('plannedFor(')));
  const [asked, intends, acts] = ['assertMayApply(', 'intendAll(', 'acknowledge('].map((call) => main.text.indexOf(call));
  const report = (at: number | undefined, message: string) => void problems.push({ file: main.file, line: at === undefined || at < 0 ? 1 : lineAt(main.text, at), column: 1, rule: 'undo', message });
  if (asked === -1) report(0, 'assertMayApply is never called: kill switch, approvals and budgets would not hold');
  if (intends === -1) report(0, 'intendAll is never called: no undo is written before the act');
  else if (acts !== -1 && Number(acts) < Number(intends)) report(acts, 'a change is acknowledged before intendAll has written its undo');
}

/** Both directions: what is declared can be done and undone, and what can be done is declared. */
function checkChanges({ name, changes }: Playbook, manifest: Source, own: readonly Own[]): void {
  const appliers = own.filter((one) => !/-(?:plan|verify)$/.test(one.name));
  if (appliers.length === 0) return;
  if (Object.keys(changes).length === 0) return manifest.report(manifest.at([]), 'undo', `${name} declares no changes: say in "changes" what it may change and how that is taken back`);
  const allowed = new Set(appliers.flatMap(({ folder }) => folder.statements.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => [Action].flat())));
  for (const [setting, { does, undo }] of Object.entries(changes)) {
    for (const [field, actions] of [['does', does], ['undo', undo]] as const) {
      const missing = actions.filter((action) => !allowed.has(action));
      if (missing.length > 0) manifest.report(manifest.at(['changes', setting, field]), 'permissions', `${setting}: no role of the functions that apply allows ${missing.join(', ')}`);
    }
  }
  const declared = new Set(Object.values(changes).flatMap(({ does, undo }) => [...does, ...undo]));
  for (const { role, folder } of appliers) {
    folder.statements.forEach((statement, index) => {
      const more = isOwn(statement) ? [] : [statement.Action].flat().filter((action) => !READ.test(action) && !declared.has(action));
      if (more.length > 0) role.report(role.at([index, 'Action']), 'undo', `${more.join(', ')}: no change in playbook.json declares it, so nothing says how it is taken back`);
    });
  }
}

function lineOf(text: string, part: string): number {
  return lineAt(text, text.indexOf(part));
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, Math.max(offset, 0)).split('\n').length;
}
