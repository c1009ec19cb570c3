import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { announcedIn } from '../aws/partitions.ts';
import { put } from '../aws/records.ts';
import { takeAway } from '../sandbox/scenario/failures.ts';
import { startSuite, type Suite } from './evidence/suite.ts';

/**
 * Each permission of the functions that keep the record, taken away and given back: the function's log names what it lacks, and once it
 * is there again nothing is missing. One account for all: an execution that nobody archived waits in it until the last.
 */
let suite: Suite;
beforeAll(async () => {
  suite = await startSuite();
  await suite.account.world.call('events', 'DisableRule', { Name: 'stopbath-dev-archive' }, admin());
  await suite.photos.attacks['make-public'](suite.photos.family);
  await suite.send('guardduty-bucket-anonymous.json');
});
afterAll(() => suite.stop());

const admin = () => {
  const caller = suite.account.directory.findKey(suite.account.admin.accessKeyId)?.caller;
  if (!caller) throw new Error('the admin has no key');
  return caller;
};
const roleYml = z.array(z.looseObject({ Action: z.array(z.string()) }));
const actionsOf = (name: string) => roleYml.parse(parse(readFileSync(join(import.meta.dirname, '../functions', name, 'role.yml'), 'utf8'))).flatMap(({ Action }) => Action);
/** What a function does once it has archived an execution comes last: until then the execution waits for the others. */
const LAST = ['dynamodb:DeleteItem'];
const inOrder = (name: string) => actionsOf(name).toSorted((a, b) => LAST.indexOf(a) - LAST.indexOf(b));
let events = 0;

async function without(name: 'archive' | 'seal', action: string): Promise<readonly string[]> {
  const { account } = suite;
  const role = account.directory.roles.find(account.accounts.home, `stopbath-dev-${name}`);
  if (!role) throw new Error(`there is no role of ${name}`);
  const before = new Map(role.policies);
  const logged = account.lambda.logs.length;
  await suite.send({ version: '0', id: `e-${++events}`, 'detail-type': 'GuardDuty Finding', source: 'aws.guardduty', account: account.accounts.home, time: suite.now(), region: 'us-east-1', resources: [], detail: { severity: 'very' } });
  // So that what is sealed is there to be sealed.
  if (name === 'seal') await suite.tick('sweep');
  // Announced, and not there yet.
  if (action === 's3:ListBucket') await put(suite.table, { pk: announcedIn('outcome'), sk: 'records/outcome/not-yet.json', kind: 'outcome', id: 'not-yet', incident: null, at: suite.now(), drill: false, sha256: 'a'.repeat(64) });
  takeAway(account, `stopbath-dev-${name}`, action);
  await suite.tick(name === 'archive' ? 'sweep' : 'seal');
  for (const [policy, text] of before) role.policies.set(policy, text);
  return account.lambda.logs.slice(logged).filter(({ function: of, text }) => of === `stopbath-dev-${name}` && text.includes('PermissionError')).map(({ text }) => text);
}

describe.each(['archive', 'seal'] as const)('%s', (name) => {
  it.each(inOrder(name))('without %s says so in its log', async (action) => {
    expect((await without(name, action)).filter((text) => text.includes(action))).not.toEqual([]);
  });

  it('with all of them keeps everything', async () => {
    await suite.tick('sweep');
    await suite.tick('seal');
    expect(await suite.verify()).toMatchObject({ verdict: 'intact', unsealed: 0, problems: [] });
    expect((await suite.keys('records/execution/')).map((key) => key.split('/')[2])).toEqual(expect.arrayContaining(['stopbath-dev-open-ticket', 'stopbath-dev-quarantine-bucket']));
    const decided = await Promise.all((await suite.keys('records/decisions/')).map(suite.record));
    expect(decided.flatMap(({ body }) => z.object({ decisions: z.array(z.object({ event: z.string() })) }).parse(body).decisions).filter(({ event }) => event.startsWith('e-') || event.startsWith('sha256'))).toHaveLength(events);
  });
});
