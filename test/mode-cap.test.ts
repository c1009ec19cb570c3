import { expect, it } from 'vitest';
import { readSettings } from '../aws/settings.ts';
import { standingOf } from '../aws/standing.ts';
import { missingGates } from '../core/next.ts';
import { madeView } from './audit/made.ts';

it.each([
  ['approve', ['mode']],
  ['observe', ['mode']],
  ['contain', []],
])('an incident that says contain, under the cap %s, is up for %j', (cap, gates) => {
  const { incident } = madeView(1, '2026-11-01T00:00:00.000Z');
  const settings = readSettings({ AWS_REGION: 'us-east-1', AWS_LAMBDA_FUNCTION_NAME: 'test', STOPBATH_NAME: 'stopbath', STOPBATH_ACCOUNT: '111122223333', STOPBATH_TABLE: 'table', STOPBATH_EVIDENCE_BUCKET: 'evidence', STOPBATH_MODE_CAP: cap });
  const standing = standingOf({ settings }, { ...incident, mode: 'contain' }, `${incident.id}-contain-1`, { guard: { paused: null }, approvals: [], request: null });
  expect(missingGates({ digest: '0'.repeat(64), direction: 'contain' }, standing, { reopens: [] }).map(({ gate }) => gate)).toEqual(gates);
});
