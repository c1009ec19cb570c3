import { DescribeRuleCommand, ListTargetsByRuleCommand } from '@aws-sdk/client-eventbridge';
import { GetPolicyCommand } from '@aws-sdk/client-lambda';
import { DescribeStateMachineCommand } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { lambdaOf, sfnOf } from '../../aws/clients.ts';
import { same } from '../../core/quarantine/levels.ts';
import { DEPLOY, look, Trouble, type Diagnosis } from './diagnosis.ts';
import { resourcesOf, type Site } from './site.ts';

/** What brings events in and what runs by itself: every rule as the files have it, and every workflow. */
export async function diagnoseEvents(site: Site): Promise<readonly Diagnosis[]> {
  const resources = Object.values(resourcesOf(site));
  const rules = resources.flatMap(({ Type, Properties }) => (Type === 'AWS::Events::Rule' ? [rule.parse(site.deployed(Properties))] : []));
  const machines = resources.flatMap(({ Type, Properties }) => (Type === 'AWS::StepFunctions::StateMachine' ? [machine.parse(site.deployed(Properties))] : []));
  return await Promise.all([...rules.map((wanted) => diagnoseRule(wanted, site)), ...machines.map((wanted) => diagnoseMachine(wanted, site))]);
}

const target = z.looseObject({ Id: z.string(), Arn: z.string(), DeadLetterConfig: z.looseObject({ Arn: z.string() }).optional() });
const rule = z.looseObject({ Name: z.string(), EventPattern: z.unknown().optional(), ScheduleExpression: z.string().optional(), Targets: z.array(target) });

async function diagnoseRule(wanted: z.infer<typeof rule>, { clients }: Site): Promise<Diagnosis> {
  const { Name } = wanted;
  return await look(`rule ${Name}`, async () => {
    const there = await clients.events.send(new DescribeRuleCommand({ Name }));
    if (there.State !== 'ENABLED') throw new Trouble(`is ${there.State ?? 'not there'}: nothing comes of it`, `aws events enable-rule --name ${Name}`);
    if (!same(there.EventPattern === undefined ? null : JSON.parse(there.EventPattern), wanted.EventPattern ?? null)) throw new Trouble("its pattern is not the files': what arrives is not what triage was tested with", DEPLOY);
    if ((there.ScheduleExpression ?? null) !== (wanted.ScheduleExpression ?? null)) throw new Trouble(`runs at ${there.ScheduleExpression ?? 'no time'}, and the files say ${wanted.ScheduleExpression ?? 'no time'}`, DEPLOY);
    const { Targets = [] } = await clients.events.send(new ListTargetsByRuleCommand({ Rule: Name }));
    for (const { Id, Arn, DeadLetterConfig } of wanted.Targets) {
      const found = Targets.find((one) => one.Id === Id);
      if (found?.Arn !== Arn) throw new Trouble(`its target is ${found?.Arn ?? 'nothing'}, not ${Arn}`, DEPLOY);
      if ((found.DeadLetterConfig?.Arn ?? null) !== (DeadLetterConfig?.Arn ?? null)) throw new Trouble(`what cannot be delivered goes to ${found.DeadLetterConfig?.Arn ?? 'nowhere'}, not to ${DeadLetterConfig?.Arn ?? 'nowhere'}`, DEPLOY);
      const { Policy = '{}' } = await lambdaOf(clients).send(new GetPolicyCommand({ FunctionName: Arn }));
      if (!Policy.includes(`"${there.Arn ?? Name}"`)) throw new Trouble('may not invoke its target: every event is lost on the way', DEPLOY);
    }
    return wanted.ScheduleExpression ?? `goes to ${wanted.Targets.map(({ Id }) => Id).join(', ')}`;
  });
}

const machine = z.looseObject({ StateMachineName: z.string(), DefinitionString: z.string(), DefinitionSubstitutions: z.record(z.string(), z.coerce.string()).default({}), RoleArn: z.unknown() });

async function diagnoseMachine({ StateMachineName, DefinitionString, DefinitionSubstitutions }: z.infer<typeof machine>, { clients, region, account }: Site): Promise<Diagnosis> {
  return await look(`workflow ${StateMachineName}`, async () => {
    const { status, definition = 'null' } = await sfnOf(clients).send(new DescribeStateMachineCommand({ stateMachineArn: `arn:aws:states:${region}:${account}:stateMachine:${StateMachineName}` }));
    if (status !== undefined && status !== 'ACTIVE') throw new Trouble(`is ${status}`, DEPLOY);
    const wanted = DefinitionString.replaceAll(/\$\{(\w+)\}/g, (text, name: string) => (Object.hasOwn(DefinitionSubstitutions, name) ? JSON.stringify(DefinitionSubstitutions[name]).slice(1, -1) : text));
    if (!same(JSON.parse(definition), JSON.parse(wanted))) throw new Trouble("is not the file's: other states, or other times to wait than stopbath.config.json says", DEPLOY);
    return 'as in its file';
  });
}
