import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IncidentView } from '../core/incident.ts';
import { startStage, type Stage } from '../sandbox/faults/stage.ts';
import { record } from './decide/builders.ts';

/** Principals that are contained while somebody who has their credentials goes on: one account, a principal of its own for each case. */
let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(async () => {
  await stage.stop();
});

const arnOf = (principal: string) => `arn:aws:iam::${stage.account.accounts.home}:${principal}`;
const found = async (principal: string): Promise<IncidentView> => {
  const view = await stage.find(arnOf(principal));
  if (!view) throw new Error(`nobody contains ${principal}`);
  return view;
};

/** Until it holds; time passes as fast as nothing is at work. */
async function until(principal: string, holds: (view: IncidentView) => boolean): Promise<IncidentView> {
  for (let looks = 0; looks < 600; looks++) {
    const view = await stage.find(arnOf(principal));
    if (view && holds(view)) return view;
    await stage.account.clock.sleep(1000);
  }
  throw new Error(JSON.stringify((await found(principal)).incident));
}
const is = (...statuses: readonly string[]) => ({ incident }: IncidentView) => statuses.includes(incident.status);

async function start(principal: string, inputs: object = {}, mode = 'contain'): Promise<void> {
  const answer = await stage.ask('rosa', '/start', { playbook: 'contain-principal', inputs: { principal: arnOf(principal), ...inputs }, mode, reason: 'a test' });
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 202 });
}

async function approve(principal: string): Promise<void> {
  const { incident, approvals } = await until(principal, ({ approvals: all, incident: { executions } }) => all.some(({ state, execution }) => state === 'waiting' && execution === executions.at(-1)));
  expect(await stage.ask('ravi', '/approve', { incident: incident.id, digest: approvals.findLast(({ state }) => state === 'waiting')?.digest })).toMatchObject({ status: 200 });
}

/** What CloudTrail says of a call of IAM, through EventBridge. */
function tell(eventName: string, caller: string, requestParameters: object | null, responseElements: object | null = null): void {
  const account = stage.account.accounts.home;
  const eventTime = new Date(stage.account.clock.now()).toISOString();
  const userIdentity = { type: 'IAMUser', arn: arnOf(`user/${caller}`), accountId: account, userName: caller, accessKeyId: 'AKIAIOSFODNN7EXAMPLE' };
  const id = `${eventName}-${eventTime}`;
  const detail = record('iam', eventName, requestParameters, { userIdentity, responseElements, eventTime, recipientAccountId: account, eventID: id });
  stage.account.events.deliver({ version: '0', id, 'detail-type': 'AWS API Call via CloudTrail', source: 'aws.iam', account, time: eventTime, region: 'us-east-1', resources: [], detail });
}

const newKey = async (UserName: string) => ((await stage.call('iam:CreateAccessKey', { UserName })) as { readonly AccessKey: { readonly AccessKeyId: string } }).AccessKey.AccessKeyId;
const keys = async (UserName: string) => ((await stage.call('iam:ListAccessKeys', { UserName })) as { readonly AccessKeyMetadata: readonly { readonly Status: string }[] }).AccessKeyMetadata.map(({ Status }) => Status);
const user = (name: string) => stage.account.createUser(name, { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] });

describe('an access key that the thief makes', () => {
  it('while the containment waits for an approval is switched off with those of the plan', async () => {
    user('waits');
    await start('user/waits', {}, 'approve');
    await until('user/waits', is('waiting'));
    const made = await newKey('waits');
    await approve('user/waits');
    const { ledger } = await until('user/waits', is('contained', 'unverified', 'failed'));
    expect(await keys('waits')).toEqual(['Inactive', 'Inactive']);
    expect(ledger.filter(({ setting }) => setting === `key:${made}`)).toMatchObject([{ before: 'Active', after: 'Inactive', result: 'done' }]);
  });

  it('after the keys were read keeps it from being proven; one that it switches on without naming itself is told of, and is off again', async () => {
    user('slips');
    let isMade = false;
    stage.account.interrupt(async (service, operation, caller) => {
      if (isMade || service !== 'iam' || operation !== 'UpdateAccessKey' || !('principalArn' in caller) || !caller.principalArn.endsWith('contain-principal-apply')) return;
      isMade = true;
      await newKey('slips');
    });
    await start('user/slips');
    const { incident } = await until('user/slips', is('contained', 'unverified', 'failed'));
    expect(incident).toMatchObject({ status: 'unverified', outcome: expect.stringContaining('key:AKIA') as unknown });
    expect(await keys('slips')).toEqual(['Inactive', 'Inactive']);

    const { AccessKeyMetadata: [first] } = (await stage.call('iam:ListAccessKeys', { UserName: 'slips' })) as { readonly AccessKeyMetadata: readonly { readonly AccessKeyId: string }[] };
    await stage.call('iam:UpdateAccessKey', { UserName: 'slips', AccessKeyId: first?.AccessKeyId, Status: 'Active' });
    tell('UpdateAccessKey', 'slips', { accessKeyId: first?.AccessKeyId, status: 'Active' });
    await until('user/slips', ({ incident: { executions, status } }) => executions.length === 2 && status === 'contained');
    expect(await keys('slips')).toEqual(['Inactive', 'Inactive']);
  });
});

describe('what a principal issues', () => {
  const roleOf = (name: string) => stage.account.createRole(name, { trust: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: arnOf('root') }, Action: 'sts:AssumeRole' }] } });
  const opens = async ({ url }: { readonly url: string }) => (await stage.shares.open(url)).status;
  const revoked = async (id: string) => {
    for (let looks = 0; looks < 600; looks++) {
      const view = await stage.read(id);
      if (view && is('contained', 'unverified', 'failed')(view)) return view;
      await stage.account.clock.sleep(1000);
    }
    throw new Error(`${id} does not end`);
  };

  it('dies with each containment, and so does what was issued until the deny held; of nothing new nothing is handed on', async () => {
    const issuedBy = roleOf('issues');
    const share = async () => await stage.shares.share({ album: 'issues', issuedBy });
    const before = await share();
    // The thief's session works on until IAM has told everybody of the deny: by the second look the first links are swept.
    const late: { readonly url: string }[] = [];
    let looks = 0;
    stage.account.interrupt(async (service, operation) => {
      if (service === 'iam' && operation === 'SimulatePrincipalPolicy' && ++looks === 2) late.push(await share());
    });
    await start('role/issues');
    const { incident: { id }, plans } = await until('role/issues', is('contained', 'unverified', 'failed'));
    expect(plans.at(-1)?.impact['shareLinksIssued']).toMatch(/^1 since /);
    await revoked(`${id}-links-2`);
    expect(late).toHaveLength(1);
    expect(await Promise.all([before, ...late].map(opens))).toEqual([410, 410]);

    const again = await share();
    expect(await opens(again)).toBe(200);
    await start('role/issues');
    await until('role/issues', ({ incident: { executions, status } }) => executions.length === 2 && status === 'contained');
    await revoked(`${id}-links-3`);
    expect(await opens(again)).toBe(410);

    await start('role/issues');
    const { incident, plans: all } = await until('role/issues', ({ incident: { executions, status } }) => executions.length === 3 && status === 'contained');
    expect(all.at(-1)?.impact['shareLinksIssued']).toMatch(/^0 since /);
    expect(incident.related.toSorted()).toEqual([`${id}-links`, `${id}-links-2`, `${id}-links-3`]);
  });

  it('is revoked with the approval of somebody else than who asked for the containment', async () => {
    const issuedBy = roleOf('asks');
    await stage.shares.share({ album: 'asks', issuedBy });
    await start('role/asks', {}, 'approve');
    await approve('role/asks');
    const { incident: { id } } = await until('role/asks', is('contained', 'unverified', 'failed'));
    const asked = async () => {
      for (let looks = 0; looks < 600; looks++) {
        const waits = (await stage.read(`${id}-links`))?.approvals.find(({ state }) => state === 'waiting');
        if (waits) return waits;
        await stage.account.clock.sleep(1000);
      }
      throw new Error('nothing waits');
    };
    const { digest } = await asked();
    expect(await stage.ask('rosa', '/approve', { incident: `${id}-links`, digest })).toMatchObject({ status: 403, body: { why: 'self' } });
    expect(await stage.ask('ravi', '/approve', { incident: `${id}-links`, digest })).toMatchObject({ status: 200 });
    expect((await revoked(`${id}-links`)).incident.status).toBe('contained');
  });
});

it('what stands at everything is not lowered by a start that asks for sessions', async () => {
  user('stands');
  await start('user/stands', { level: 'everything' });
  const { incident: { id } } = await until('user/stands', is('contained'));
  const deny = async () => decodeURIComponent(((await stage.call('iam:GetUserPolicy', { UserName: 'stands', PolicyName: `StopbathContain-${id}` })) as { readonly PolicyDocument: string }).PolicyDocument);
  const before = await deny();
  await start('user/stands', { level: 'sessions' });
  const { plans } = await until('user/stands', ({ incident: { executions, status } }) => executions.length === 2 && status === 'contained');
  expect(await deny()).toBe(before);
  expect(plans.at(-1)).toMatchObject({ level: 'everything', changes: [], notes: expect.arrayContaining([expect.stringContaining('stays there')]) as unknown });
});
