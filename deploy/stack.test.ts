import { describe, expect, it } from 'vitest';
import { matchesPattern, parsePattern } from '../core/event-pattern.ts';
import { readConfig } from './config.ts';
import { environmentOf, functionEntry, readFunctionFolder, rolesTemplate } from './functions.ts';
import { playbookTemplate } from './playbooks.ts';
import { PATTERN_LIMIT, patternsOf, rulesTemplate } from './rules.ts';

const config = readConfig({});
const surroundings = { config, functions: ['find-cat'], playbooks: ['feed', 'groom'] };
const task = (Resource: string, Arguments: object) => ({ StartAt: 'Go', States: { Go: { Type: 'Task', Resource, Arguments, End: true } } });
const INVOKE = 'arn:aws:states:::lambda:invoke';

describe('a playbook', () => {
  it('gets a role with what its tasks call, those inside Map and Parallel too, once each', () => {
    const find = { Type: 'Task', Resource: INVOKE, Arguments: { FunctionName: '${FindCatArn}' }, End: true };
    const definition = {
      StartAt: 'Both',
      States: {
        Both: { Type: 'Parallel', Branches: [{ StartAt: 'A', States: { A: find } }, { StartAt: 'B', States: { B: find } }], Next: 'Each' },
        Each: { Type: 'Map', ItemProcessor: task('arn:aws:states:::aws-sdk:dynamodb:updateItem', { TableName: '${TableName}' }), Next: 'Then' },
        Then: { Type: 'Task', Resource: 'arn:aws:states:::states:startExecution', Arguments: { StateMachineArn: '${GroomWorkflowArn}' }, End: true },
      },
    };
    const { Resources } = playbookTemplate('feed', definition, surroundings);
    const statements = Reflect.get(Reflect.get(Reflect.get(Resources['FeedWorkflowRole']?.Properties ?? {}, 'Policies')[0], 'PolicyDocument'), 'Statement');
    expect(statements.filter((statement: object) => !('Sid' in statement))).toEqual([
      { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: { 'Fn::GetAtt': ['FindDashcatLambdaFunction', 'Arn'] } },
      { Effect: 'Allow', Action: 'dynamodb:UpdateItem', Resource: { 'Fn::GetAtt': ['Table', 'Arn'] }, Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['INCIDENT#*'] }, Null: { 'dynamodb:LeadingKeys': 'false' } } },
      { Effect: 'Allow', Action: 'states:StartExecution', Resource: { 'Fn::Sub': expect.stringContaining('stateMachine:${self:custom.name}-groom') } },
    ]);
    expect(Resources['FeedWorkflow']?.Properties).toMatchObject({
      StateMachineName: '${self:custom.name}-feed',
      DefinitionString: JSON.stringify(definition),
      DefinitionSubstitutions: { FindCatArn: { 'Fn::GetAtt': ['FindDashcatLambdaFunction', 'Arn'] }, TableName: { Ref: 'Table' } },
    });
  });

  it.each([
    ['add it to deploy/integrations.ts', task('arn:aws:states:::aws-sdk:ec2:terminateInstances', {})],
    ['FunctionName is "cat": must be one of the functions: ${FindCatArn}', task(INVOKE, { FunctionName: 'cat' })],
    ['${FindDogArn} stands for nothing', task(INVOKE, { FunctionName: '${FindDogArn}' })],
    ['TableName is "mine": must be ${TableName}', task('arn:aws:states:::aws-sdk:dynamodb:putItem', { TableName: 'mine' })],
  ])('cannot be built: %s', (message, definition) => {
    expect(() => playbookTemplate('feed', definition, surroundings)).toThrow(`workflows/feed/workflow.asl.json: `);
    expect(() => playbookTemplate('feed', definition, surroundings)).toThrow(message);
  });
});

it('an account that may reserve no concurrency reserves none, whatever a folder says', () => {
  const reservedOf = (name: string, document: object) => {
    const entry = functionEntry(readFunctionFolder(name, { description: 'Looks', timeout: 600, memorySize: 512, ...(name === 'reconcile' ? { reservedConcurrency: 1 } : {}) }, []), readConfig(document));
    return Reflect.get(entry, 'reservedConcurrency');
  };
  const names = ['reconcile', 'triage', 'triage-urgent'];
  expect(names.map((name) => reservedOf(name, {}))).toEqual([1, 100, 50]);
  expect(names.map((name) => reservedOf(name, { eventsAtOnce: null }))).toEqual([undefined, undefined, undefined]);
});

describe('rules', () => {
  const trigger = (name: string, pattern: object) => ({ playbook: 'feed', name, pattern });

  it('match what the triggers match, in patterns that AWS takes', () => {
    const triggers = Array.from({ length: 60 }, (_, index) => trigger(`t${index}`, { source: ['aws.s3'], detail: { eventName: [`Event${index}`.repeat(8)] } }));
    const patterns = patternsOf(triggers);
    expect(patterns.length).toBeGreaterThan(1);
    for (const pattern of patterns) expect(JSON.stringify(pattern).length).toBeLessThanOrEqual(PATTERN_LIMIT);
    const matching = (eventName: string) => patterns.filter((pattern) => matchesPattern(parsePattern(pattern), { source: 'aws.s3', detail: { eventName } })).length;
    for (const index of triggers.keys()) expect(matching(`Event${index}`.repeat(8))).toBe(1);
    expect(matching('Event')).toBe(0);
  });

  it('leave out what another one covers, so that triage is not invoked twice', () => {
    const wide = { source: ['aws.guardduty'], 'detail-type': ['GuardDuty Finding'] };
    const narrow = { ...wide, detail: { type: [{ prefix: 'Policy:S3/' }] } };
    const other = { source: ['aws.s3'], detail: { eventName: ['A', 'B'] } };
    const part = { source: ['aws.s3'], detail: { eventName: ['B'], errorCode: [{ exists: false }] } };
    expect(patternsOf([narrow, wide, part, other, other].map((pattern, index) => trigger(`t${index}`, pattern)))).toEqual([{ $or: [wide, other] }]);
  });

  it.each([null, 'organization'])('send severe findings to places of their own, and each event to one place, on the bus %s too', (eventBus) => {
    const finding = { source: ['aws.guardduty'], 'detail-type': ['GuardDuty Finding'] };
    const triggers = [trigger('wide', finding), trigger('narrow', { ...finding, detail: { type: [{ prefix: 'Policy:S3/' }] } }), trigger('call', { source: ['aws.s3'], detail: { eventName: ['A'] } })];
    const { Resources } = rulesTemplate(triggers, { eventBus, eventArchiveDays: 30, organizationId: 'o-exampleorgid' });
    const rules = Object.values(Resources).flatMap(({ Type, Properties }) => (Type === 'AWS::Events::Rule' && 'EventBusName' in Properties === (eventBus !== null) ? [Properties] : []));
    const targetsOf = (event: object) => rules.filter((rule) => matchesPattern(parsePattern(Reflect.get(rule, 'EventPattern')), event)).map((rule) => Reflect.get(rule, 'Targets')[0].Arn['Fn::GetAtt'][0]);
    const found = (detail: object) => targetsOf({ source: 'aws.guardduty', 'detail-type': 'GuardDuty Finding', detail: { type: 'Policy:S3/BucketAnonymousAccessGranted', ...detail } });
    for (const severity of [7, 8, 9.5]) expect(found({ severity })).toEqual(['TriageDashurgentLambdaFunction']);
    for (const detail of [{ severity: 6.9 }, { severity: 2 }, {}, { severity: 'very' }, { severity: '9' }, { severity: true }, { severity: {} }]) expect(found(detail)).toEqual(['TriageLambdaFunction']);
    expect(targetsOf({ source: 'aws.s3', detail: { eventName: 'A', severity: 9 } })).toEqual(['TriageLambdaFunction']);
  });

  it('cannot be made of a pattern that AWS does not take', () => {
    expect(() => patternsOf([trigger('null', { source: ['null', null] })])).toThrow('trigger null has null');
    expect(patternsOf([trigger('word', { source: ['[null]'] })])).toHaveLength(1);
    expect(() => patternsOf([trigger('large', { source: ['x'.repeat(PATTERN_LIMIT)] })])).toThrow('trigger large has 2063 characters, AWS takes 2048: split the trigger');
  });
});

describe('a function', () => {
  const read = { Effect: 'Allow', Action: ['s3:GetBucketPolicy'], Resource: '*' };
  const folder = (properties: object = {}, name = 'find-cat') => readFunctionFolder(name, { description: 'd', timeout: 30, memorySize: 128, ...properties }, [read]);

  it('is deployed with a role of its own that may what its folder says, and log', () => {
    const statements = JSON.stringify(rolesTemplate([folder()], config).Resources['FindCatRole']);
    expect(statements).toContain(JSON.stringify(read));
    expect(statements).toContain('log-group:/aws/lambda/${self:custom.name}-find-cat:*');
    expect(functionEntry(folder(), config)).toMatchObject({ name: '${self:custom.name}-find-cat', role: { 'Fn::GetAtt': ['FindCatRole', 'Arn'] }, timeout: 30 });
  });

  it('runs under another one\'s role where it is the same code once more', () => {
    const again = readFunctionFolder('find-cat-fast', { description: 'd', timeout: 30, memorySize: 128, role: 'find-cat' }, []);
    const { Resources } = rolesTemplate([folder(), again], config);
    expect(Object.keys(Resources)).not.toContain('FindCatFastRole');
    expect(JSON.stringify(Resources['FindCatRole'])).toContain('log-group:/aws/lambda/${self:custom.name}-find-cat-fast:*');
    const entry = functionEntry(again, config);
    expect(entry).toMatchObject({ name: '${self:custom.name}-find-cat-fast', role: { 'Fn::GetAtt': ['FindCatRole', 'Arn'] } });
  });

  it('may send its failures where it says', () => {
    const roles = JSON.stringify(rolesTemplate([folder({ destinations: { onFailure: 'bury-cat' } })], config));
    expect(roles).toContain('function:${self:custom.name}-bury-cat"');
  });

  it('is called through its URL by the configured roles, and not otherwise', () => {
    const responder = 'arn:aws:iam::111122223333:role/responder';
    const { Resources } = rolesTemplate([folder({ url: { authorizer: 'aws_iam' } }, 'respond')], readConfig({ responderRoles: [responder] }));
    expect([Resources['RespondCaller1Url']?.Properties, Resources['RespondCaller1']?.Properties]).toMatchObject([
      { Principal: responder, Action: 'lambda:InvokeFunctionUrl', FunctionUrlAuthType: 'AWS_IAM' },
      { Principal: responder, Action: 'lambda:InvokeFunction', InvokedViaFunctionUrl: true },
    ]);
    expect(() => rolesTemplate([folder({ url: { authorizer: 'aws_iam' } })], config)).toThrow('nobody is said to call it');
  });

  it.each([
    ['function.yml', { timeout: 1000 }],
    ['function.yml', { timeOut: 3 }],
    ['function.yml', { url: { authorizer: 'none' } }],
  ])('is refused with the place: %s %j', (file, properties) => {
    expect(() => folder(properties)).toThrow(`functions/find-cat/${file}: `);
  });

  it('knows the roles that a full quarantine leaves in', () => {
    const exempt = 'arn:aws:iam::111122223333:role/backup';
    const environment = environmentOf([folder(), readFunctionFolder('other', { description: 'd', timeout: 1, memorySize: 128 }, [])], readConfig({ exemptRoles: [exempt] }));
    expect(environment['STOPBATH_EXEMPT_ROLES']).toEqual({ 'Fn::Sub': `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role/\${self:custom.name}-find-cat,${exempt}` });
  });
});

describe('a configuration', () => {
  it('of a new install only observes', () => {
    expect(config).toMatchObject({ modeCap: 'observe', responderRoles: [], verifyLooks: 3 });
  });

  it.each([
    [{ modecap: 'contain' }, 'modecap'],
    [{ modeCap: 'destroy' }, 'modeCap'],
    [{ responderRoles: ['responder'] }, 'must be the ARN of a role'],
    [{ verifyLooks: 10, verifyMaxLooks: 5 }, 'verifyMaxLooks is 5: must be at least verifyLooks, 10'],
  ])('%j is refused', (document, message) => {
    expect(() => readConfig(document)).toThrow(message);
  });
});
