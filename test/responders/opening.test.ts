import { afterAll, beforeAll, expect, it } from 'vitest';
import { claimAndOpen, readClaim } from '../../aws/claims.ts';
import type { Incident } from '../../core/incident.ts';
import { manualIncident } from '../../core/manual.ts';
import { beginNew, wordOf } from '../../functions/respond/incident.ts';
import { openBucket, startSuite, toolsOf, type Suite } from './suite.ts';

/** A start by hand is one write: claim, incident, who asked for what, and the run that it counts for. */
let suite: Suite;
let count = 0;
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.stop());

const open = async () => await openBucket(suite, `family-opened-${++count}-111122223333`);

const start = (bucket: string, more: object = {}) => ({ playbook: 'quarantine-bucket', inputs: { bucket }, mode: 'contain', reason: 'a test', ...more });
const ROSA = 'arn:aws:sts::111122223333:assumed-role/stopbath-responder/rosa';
/** As long as the SDK tries. */
const TRIES = 4;

it('a start whose write failed leaves nothing behind', async () => {
  const bucket = await open();
  suite.account.inject({ service: 'dynamodb', operation: 'TransactWriteItems', role: `${suite.deployment.name}-respond`, times: TRIES, code: 'InternalServerError', status: 500 });
  expect((await suite.respond('rosa', '/start', start(bucket))).status).toBe(502);
  expect([await readClaim(toolsOf(suite), `arn:aws:s3:::${bucket}`), (await suite.incidents()).filter(({ target }) => target.name === bucket)]).toEqual([null, []]);
  const { body } = await suite.respond('ravi', '/start', start(bucket));
  const { requests, incident } = await suite.until(body.incident, (view) => view.incident.status === 'contained');
  expect([requests.map(({ execution }) => execution), incident.requestedBy]).toEqual([incident.executions, expect.stringMatching(/\/ravi$/)]);
});

it('of two who start on one target at the same moment one has started, and the other\'s word counts for nothing', async () => {
  const bucket = await open();
  const answers = await Promise.all([suite.respond('rosa', '/start', start(bucket)), suite.respond('ravi', '/start', start(bucket, { mode: 'approve' }))]);
  expect(answers.map(({ status }) => status)).toEqual(expect.arrayContaining([202, 409]));
  const [who, mode] = answers[0].status === 202 ? ['rosa', 'contain'] : ['ravi', 'approve'];
  const id = answers.find(({ status }) => status === 202)?.body.incident ?? '';
  const { incident, requests } = await suite.until(id, (view) => ['contained', 'waiting'].includes(view.incident.status));
  expect([incident.mode, incident.requestedBy.split('/').at(-1), incident.executions.length, requests.map(({ by }) => by.split('/').at(-1))]).toEqual([mode, who, 1, [who]]);
});

it('who comes too late for what another has started is refused, and frees nobody\'s target', async () => {
  const bucket = await open();
  let before = true;
  suite.account.around(async ({ operation }, run) => {
    if (operation === 'TransactWriteItems' && before) {
      before = false;
      // The same incident of the same day; its run waits for an approval by then.
      const { body } = await suite.respond('rosa', '/start', start(bucket, { mode: 'approve' }));
      await suite.until(body.incident, (view) => view.incident.status === 'waiting');
    }
    return await run();
  });
  const late = await suite.respond('ravi', '/start', start(bucket, { mode: 'approve' }));
  suite.account.around(null);
  const claim = await readClaim(toolsOf(suite), `arn:aws:s3:::${bucket}`);
  expect([late.status, claim?.closedAt]).toEqual([409, null]);
});

it('what a person opened and did not begin is begun as theirs, with what they asked for', async () => {
  const bucket = await open();
  const target: Incident['target'] = { kind: 'bucket', name: bucket, arn: `arn:aws:s3:::${bucket}`, account: '111122223333', region: 'us-east-1' };
  const at = new Date(suite.account.clock.now()).toISOString();
  const incident = manualIncident({ playbook: 'quarantine-bucket', target, recordedAs: target.arn, inputs: { level: 'public' }, mode: 'contain', reason: 'a test', by: ROSA, at }, null, 'contain');
  const word = { act: 'start', text: 'start', reason: 'a test', by: ROSA, change: {}, was: wordOf(incident) } as const;
  const lost = beginNew(incident, word, async (listed, request) => {
    expect(await claimAndOpen(toolsOf(suite), listed, { id: `manual/${ROSA}`, time: at }, [], request)).toBe(true);
    throw new Error('it ended here');
  }, toolsOf(suite));
  await expect(lost).rejects.toThrow('it ended here');
  expect((await suite.respond('ravi', '/start', start(bucket, { mode: 'observe' }))).status).toBe(409);
  const { incident: present, requests } = await suite.until(incident.id, (view) => view.incident.status === 'contained');
  expect([present.requestedBy, present.executions.length, requests.map(({ by, execution }) => [by, execution])]).toEqual([ROSA, 1, [[ROSA, present.executions[0]]]]);
});
