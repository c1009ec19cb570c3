import { afterAll, beforeAll, expect, it } from 'vitest';
import { epochKind } from '../../aws/share/epochs.ts';
import type { ShareContext } from '../../aws/share/kind.ts';
import { startShareStage, type ShareStage } from './stage.ts';

let stage: ShareStage;
beforeAll(async () => void (stage = await startShareStage()));
afterAll(() => stage.stop());

it('an epoch is raised and its range taken out again, each only where the scope is as it was planned', async () => {
  const incidents = await Promise.all(['inc-1', 'inc-2'].map((id) => stage.incident(id, {})));
  const of = (index: number): ShareContext => {
    const incident = incidents[index];
    if (!incident) throw new Error(`no incident ${index}`);
    return { incident, direction: 'contain', execution: `${incident.id}-contain-1`, scope: { kind: 'album', albumId: 'summer' }, reach: [], reachComplete: true };
  };
  const planned = async (index: number) => (await epochKind.plan(of(index), stage.tools)).changes;
  const read = async () => await epochKind.read('epoch:album', stage.tools, of(0));

  const [first] = await planned(0);
  if (!first) throw new Error('nothing is planned');
  await epochKind.write(first, of(0), stage.tools);
  // Once more is no harm; of another state it is refused.
  await epochKind.write(first, of(0), stage.tools);
  await expect(epochKind.write({ ...first, after: { epoch: 5, revoked: [] } }, of(0), stage.tools)).rejects.toThrow('changed by somebody else');
  const [second] = await planned(1);
  if (!second) throw new Error('nothing is planned');
  await epochKind.write(second, of(1), stage.tools);
  expect(await read()).toEqual({ epoch: 2, revoked: [{ through: 0, incident: 'inc-1' }, { through: 1, incident: 'inc-2' }] });

  const entry = { ...first, seq: 1, incident: 'inc-1', direction: 'contain' as const, execution: 'inc-1-contain-1', digest: 'd', intendedAt: '', doneAt: '', result: 'done' as const };
  const present = await read();
  await epochKind.write({ setting: first.setting, before: present, after: epochKind.takeBack(entry, present).value }, of(0), stage.tools);
  expect(await read()).toEqual({ epoch: 2, revoked: [{ through: 1, incident: 'inc-2' }] });
});
