import { afterAll, beforeAll, expect, it } from 'vitest';
import { savePlan, updateIncident, viewIncident } from '../../aws/incidents.ts';
import { withDigest } from '../../core/plan.ts';
import { applyRevocation } from '../../functions/revoke-share-links-apply/apply.ts';
import { startShareStage, type ShareStage } from './stage.ts';

let stage: ShareStage;
beforeAll(async () => {
  stage = await startShareStage();
});
afterAll(() => stage.stop());

it('says that it may not, also where what it read meanwhile failed, and leaves nothing behind', async () => {
  const incident = await stage.incident('inc-1', { kind: 'album', name: 'summer' }, { albumId: 'summer' });
  const execution = 'inc-1-contain-1';
  await updateIncident(stage.tools, incident.id, { mode: 'observe', executions: [execution] });
  const changes = [{ seq: 1, setting: 'epoch:album', title: 'Raise the epoch', before: { epoch: 0, revoked: [] }, after: { epoch: 1, revoked: [] } }];
  const plan = withDigest({ incident: incident.id, playbook: incident.playbook, direction: 'contain', target: incident.target, level: null, changes, notes: [], impact: {}, plannedAt: stage.tools.now() });
  await savePlan(stage.tools, plan);
  const { STOPBATH_SHARES: shares } = stage.tools.settings;
  const blind = { ...stage.tools, settings: { ...stage.tools.settings, STOPBATH_SHARES: { ...shares, epochs: shares.epochs && { ...shares.epochs, table: 'gone' } } } };
  const before = await viewIncident(stage.tools, incident.id);
  await expect(applyRevocation({ incident: incident.id, direction: 'contain', execution, digest: plan.digest }, blind)).rejects.toThrow('the mode is observe');
  expect(await viewIncident(stage.tools, incident.id)).toEqual(before);
});
