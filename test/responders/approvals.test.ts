import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IncidentView } from '../../core/incident.ts';
import { root, SECOND_LINE, startSuite, type Suite } from './suite.ts';

let suite: Suite;
let bucket = '';
let count = 0;
beforeAll(async () => {
  suite = await startSuite({ protectedBuckets: ['*-protected-*'] });
});
afterAll(() => suite.stop());

/** A bucket of its own, without a block, and a containment of it that waits for an approval. */
async function waiting(by: 'rosa' | 'ravi' = 'rosa', kind = 'extra'): Promise<{ readonly incident: string; readonly digest: string }> {
  const { body } = await suite.respond(by, '/start', { playbook: 'quarantine-bucket', inputs: { bucket: await open(kind) }, reason: 'a test' });
  const view = await suite.until(body.incident, ({ approvals }) => approvals.some(({ state }) => state === 'waiting'));
  return { incident: body.incident, digest: view.approvals[0]?.digest ?? '' };
}

const PROTECTED = 'protected';
const call = async (what: string, input: object): Promise<unknown> => {
  const [service = '', operation = ''] = what.split(':');
  return await suite.account.world.call(service, operation, input, root(suite.account));
};

/** Whom `apply` takes for responders, from its next runtime on. */
async function responders(change: (roles: readonly string[]) => readonly string[]): Promise<void> {
  const FunctionName = 'stopbath-dev-quarantine-bucket-apply';
  const { Environment } = (await call('lambda:GetFunctionConfiguration', { FunctionName })) as { readonly Environment: { readonly Variables: Readonly<Record<string, string>> } };
  const Variables = { ...Environment.Variables, STOPBATH_RESPONDER_ROLES: change((Environment.Variables['STOPBATH_RESPONDER_ROLES'] ?? '').split(',')).join(',') };
  await call('lambda:UpdateFunctionConfiguration', { FunctionName, Environment: { Variables } });
  // Whoever is at work would be killed too, and try again much later.
  for (let looks = 0; looks < 300 && (await suite.running()).some((name) => name.includes('-ticket')); looks++) await suite.account.clock.sleep(100);
  await suite.account.killFunctions();
}

async function open(kind = 'extra'): Promise<string> {
  bucket = `family-${kind}-${++count}-111122223333`;
  const s3 = await suite.photos.s3('admin');
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  await suite.account.world.call('s3', 'DeletePublicAccessBlock', { Bucket: bucket }, root(suite.account));
  s3.destroy();
  return bucket;
}

const refusals = ({ entries }: IncidentView) => entries.flatMap(({ kind, detail }) => (kind === 'approval' ? [Object(detail) as { readonly act: string; readonly why?: string }] : [])).filter(({ act }) => act === 'refused').map(({ why }) => why);
const applied = ({ ledger }: IncidentView) => new Set(ledger.map(({ execution }) => execution)).size;
const settled = ({ incident }: IncidentView) => ['contained', 'unverified', 'rejected', 'failed', 'held'].includes(incident.status);

describe('races', () => {
  it('two approvals at once, by two persons: one counts, the other comes too late, and it is contained once', async () => {
    const ask = await waiting();
    const answers = await Promise.all([suite.respond('ravi', '/approve', ask), suite.respond('remy', '/approve', ask)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    expect(answers.find(({ status }) => status === 409)?.body.why).toBe('ended');
    const view = await suite.until(ask.incident, settled);
    expect(view.incident.status).toBe('contained');
    expect(view.approvals[0]?.votes).toHaveLength(1);
    expect(applied(view)).toBe(1);
  });

  it('two approvals at once, by one person in two sessions: they count once', async () => {
    const ask = await waiting();
    const answers = await Promise.all([suite.respond('ravi', '/approve', ask), suite.respond('ravi', '/approve', ask)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    expect(applied(await suite.until(ask.incident, settled))).toBe(1);
  });

  it('of a protected target: two persons at once are two, one person in two sessions is one', async () => {
    const ask = await waiting('rosa', PROTECTED);
    expect((await suite.view(ask.incident)).approvals[0]?.needed).toBe(2);
    const twice = await Promise.all([suite.respond('ravi', '/approve', ask), suite.respond('ravi', '/approve', ask)]);
    expect(twice.map(({ status, body }) => body.why ?? status)).toEqual(expect.arrayContaining([200, 'same-person']));
    const between = await suite.view(ask.incident);
    expect([between.approvals[0]?.state, between.ledger]).toEqual(['waiting', []]);
    expect((await suite.respond('remy', '/approve', ask)).status).toBe(200);
    expect(applied(await suite.until(ask.incident, settled))).toBe(1);

    const other = await waiting('rosa', PROTECTED);
    const both = await Promise.all([suite.respond('ravi', '/approve', other), suite.respond('remy', '/approve', other)]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    const view = await suite.until(other.incident, settled);
    expect(view.approvals[0]?.votes.map(({ by }) => by.split('/').at(-1)).toSorted((a, b) => String(a).localeCompare(String(b)))).toEqual(['ravi', 'remy']);
    expect([view.incident.status, applied(view)]).toEqual(['contained', 1]);
  });

  it('approve against reject: whichever is first, nothing or all is done, and the other is told', async () => {
    const ask = await waiting();
    const [yes, no] = await Promise.all([suite.respond('ravi', '/approve', ask), suite.respond('rosa', '/reject', { ...ask, reason: 'no' })]);
    expect([yes.status, no.status].toSorted((a, b) => a - b)).toEqual([200, 409]);
    const { incident, ledger, approvals } = await suite.until(ask.incident, settled);
    expect([incident.status, ledger.length > 0, approvals[0]?.state]).toEqual(yes.status === 200 ? ['contained', true, 'approved'] : ['rejected', false, 'rejected']);
  });

  it('two starts on one target at once: one incident, and the other is told whose it is', async () => {
    const ask = { playbook: 'quarantine-bucket', inputs: { bucket: await open() }, reason: 'a test', mode: 'contain' };
    const answers = await Promise.all([suite.respond('rosa', '/start', ask), suite.respond('ravi', '/start', ask)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([202, 409]);
    const started = answers.find(({ status }) => status === 202)?.body.incident ?? '';
    const view = await suite.until(started, settled);
    expect(view.incident.executions).toHaveLength(1);
    expect(view.requests).toHaveLength(1);
  });

  it('a start whose function ended before the execution: whoever asks again goes on from there', async () => {
    suite.account.inject({ service: 'states', operation: 'StartExecution', role: 'stopbath-dev-respond', code: 'AccessDeniedException', message: 'not now' });
    const ask = { playbook: 'quarantine-bucket', inputs: { bucket: await open() }, reason: 'a test', mode: 'contain' };
    expect((await suite.respond('rosa', '/start', ask)).status).toBeGreaterThanOrEqual(500);
    const { status, body } = await suite.respond('rosa', '/start', ask);
    expect(status).toBe(202);
    const view = await suite.until(body.incident, settled);
    expect(view.incident.status).toBe('contained');
    expect(applied(view)).toBe(1);
  });

  it('restore while it is being contained is refused, and possible afterwards', async () => {
    const { body } = await suite.respond('rosa', '/start', { playbook: 'quarantine-bucket', inputs: { bucket: await open() }, reason: 'a test', mode: 'contain' });
    await suite.until(body.incident, ({ incident }) => incident.status === 'containing');
    expect(await suite.respond('rosa', '/restore', { incident: body.incident, reason: 'too early' })).toMatchObject({ status: 409, body: { error: expect.stringContaining('is containing') } });
    await suite.until(body.incident, settled);
    expect((await suite.respond('rosa', '/restore', { incident: body.incident, reason: 'now' })).status).toBe(202);
    expect((await suite.until(body.incident, ({ incident }) => incident.status === 'restored')).incident.restoredAt).not.toBeNull();
  });

  it('a vote of a role that is no responder any more when it comes to act counts nothing', async () => {
    const ask = await waiting('rosa', PROTECTED);
    expect((await suite.respond('remy', '/approve', ask)).status).toBe(200);
    // The role goes off the list between remy's vote and ravi's, as a deployment takes it off.
    await responders((roles) => roles.filter((role) => !role.endsWith(SECOND_LINE)));
    expect((await suite.respond('ravi', '/approve', ask)).status).toBe(200);
    const view = await suite.until(ask.incident, settled);
    await responders((roles) => [...roles, `arn:aws:iam::111122223333:role/${SECOND_LINE}`]);
    expect([view.incident.status, view.ledger]).toEqual(['held', []]);
    expect(view.incident.outcome).toContain('nobody has approved plan');
  });

  it('a responder whose permission was taken away in between cannot approve', async () => {
    const ask = await waiting();
    const { Policy } = (await suite.account.world.call('lambda', 'GetPolicy', { FunctionName: 'stopbath-dev-respond' }, root(suite.account))) as { readonly Policy: string };
    const statements = (JSON.parse(Policy) as { readonly Statement: readonly { readonly Sid: string; readonly Action: string }[] }).Statement;
    const [url] = statements.filter(({ Action }) => Action === 'lambda:InvokeFunctionUrl');
    await suite.account.world.call('lambda', 'RemovePermission', { FunctionName: 'stopbath-dev-respond', StatementId: url?.Sid }, root(suite.account));
    const refused = await suite.respond('ravi', '/approve', ask);
    await suite.account.world.call('lambda', 'AddPermission', { FunctionName: 'stopbath-dev-respond', StatementId: 'back', Action: 'lambda:InvokeFunctionUrl', Principal: suite.photos.roles.responder, FunctionUrlAuthType: 'AWS_IAM' }, root(suite.account));
    expect(refused.status).toBe(403);
    expect((await suite.view(ask.incident)).approvals[0]?.votes).toEqual([]);
    expect((await suite.respond('rosa', '/reject', { ...ask, reason: 'over' })).status).toBe(200);
    expect((await suite.until(ask.incident, settled)).incident.status).toBe('rejected');
  });

  it('a responder whose role is deleted in between cannot approve; the request is still there for another', async () => {
    const ask = await waiting();
    await call('iam:DeleteRole', { RoleName: SECOND_LINE });
    expect((await suite.respond('remy', '/approve', ask)).status).toBe(403);
    expect((await suite.view(ask.incident)).approvals[0]).toMatchObject({ state: 'waiting', votes: [] });
    expect((await suite.respond('ravi', '/approve', ask)).status).toBe(200);
    expect((await suite.until(ask.incident, settled)).incident.status).toBe('contained');
  });
});

describe('tampering', () => {
  it('is refused with the reason, and on record', async () => {
    const [one, other] = [await waiting(), await waiting()];
    expect(await suite.respond('ravi', '/approve', { ...one, digest: other.digest })).toMatchObject({ status: 409, body: { why: 'digest' } });
    expect(await suite.respond('rosa', '/approve', one)).toMatchObject({ status: 403, body: { why: 'self' } });
    expect(await suite.respond('rosa', '/approve', { ...one, by: 'arn:aws:sts::111122223333:assumed-role/stopbath-responder/ravi' })).toMatchObject({ status: 400, body: { error: expect.stringContaining('by') } });
    expect((await suite.respond('ada', '/approve', one)).status).toBe(403);
    expect((await suite.respond('ravi', '/approve', one)).status).toBe(200);
    expect(await suite.respond('ravi', '/approve', one)).toMatchObject({ status: 409, body: { why: 'ended' } });
    const view = await suite.until(one.incident, settled);
    expect(refusals(view).map(String).toSorted((a, b) => a.localeCompare(b))).toEqual(['digest', 'ended', 'request', 'self']);
    expect(applied(view)).toBe(1);
    expect((await suite.respond('ravi', '/reject', { ...other, reason: 'over' })).status).toBe(200);
  });

  it('a direct Invoke with a caller of one’s own invention is refused by AWS', async () => {
    const ask = await waiting();
    const lambda = new LambdaClient({ endpoint: suite.account.endpoint, region: 'us-east-1', credentials: await suite.photos.credentialsOf('rosa') });
    const forged = { rawPath: '/approve', body: JSON.stringify(ask), requestContext: { http: { method: 'POST' }, authorizer: { iam: { userArn: 'arn:aws:sts::111122223333:assumed-role/stopbath-responder/ravi' } } } };
    await expect(lambda.send(new InvokeCommand({ FunctionName: 'stopbath-dev-respond', Payload: JSON.stringify(forged) }))).rejects.toMatchObject({ name: 'AccessDeniedException' });
    lambda.destroy();
    expect((await suite.view(ask.incident)).approvals[0]?.votes).toEqual([]);
    await suite.respond('rosa', '/reject', { ...ask, reason: 'over' });
  });

  it('a second session of the requester’s role is the requester, where names are not pinned', async () => {
    const strict = await startSuite({ sessionNamesPinned: false });
    try {
      const { body } = await strict.respond('rosa', '/start', { playbook: 'quarantine-bucket', inputs: { bucket: 'family-photos-111122223333', level: 'external' }, reason: 'a test' });
      const { approvals } = await strict.until(body.incident, (view) => view.approvals.length > 0);
      const ask = { incident: body.incident, digest: approvals[0]?.digest };
      expect(await strict.respond('ravi', '/approve', ask)).toMatchObject({ status: 403, body: { why: 'self', error: expect.stringContaining('count as one person') } });
      expect(refusals(await strict.view(body.incident))).toEqual(['self']);
      await strict.respond('rosa', '/reject', { ...ask, reason: 'over' });
    } finally {
      await strict.stop();
    }
  });

  it('a token never shows: not in views, entries, plans or answers', async () => {
    const ask = await waiting();
    const item = (await suite.account.world.call('dynamodb', 'Query', { TableName: 'stopbath-dev', KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: `TOKEN#${ask.incident}` } } }, root(suite.account))) as { readonly Items: readonly { readonly token: { readonly S: string } }[] };
    const token = item.Items[0]?.token.S ?? '';
    expect(token.length).toBeGreaterThan(64);
    expect(JSON.stringify(await suite.view(ask.incident))).not.toContain(token.slice(0, 40));
    await suite.respond('rosa', '/reject', { ...ask, reason: 'over' });
    await suite.until(ask.incident, settled);
  });
});

it('nothing hangs', async () => {
  // Of two messages for one ticket at once the later one waits a minute or more for the first: by design, and in nobody's way.
  const playbooks = async () => (await suite.running()).filter((name) => !/-(?:ticket|told)-/.test(name));
  for (let looks = 0; looks < 300 && (await playbooks()).length > 0; looks++) await suite.account.clock.sleep(100);
  expect(await playbooks()).toEqual([]);
});
