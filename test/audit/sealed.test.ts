import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GAPS } from '../../core/audit-numbers.ts';
import { startSuite, type Suite } from '../evidence/suite.ts';
import { exportSuite } from './picture.ts';

/** An incident as the deployed functions made, archived and sealed it. */
let suite: Suite;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stopbath-sealed-'));
  suite = await startSuite();
  await suite.photos.attacks['make-public'](suite.photos.family);
  await suite.send('guardduty-bucket-anonymous.json');
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await suite.stop();
});

it('an export before the first seal names the gap', async () => {
  const { numbers, seals } = await exportSuite(suite, join(folder, 'before.html'));
  expect(seals).toEqual([]);
  expect(numbers.gaps.sealMissing.count).toBe(1);
  expect(numbers.gaps.unrecorded.count).toBe(1);
});

it('an export after it names the seal of every record, and no gap', async () => {
  await suite.tick('sweep');
  await suite.tick('seal');
  const { complete, incidents, decisions, records, seals, unknownSeals, numbers } = await exportSuite(suite, join(folder, 'after.html'));
  expect({ complete, incidents, decisions, seals: seals.map(({ number }) => number), unknownSeals }).toEqual({ complete: true, incidents: { exported: 1, expected: 1 }, decisions: 1, seals: [1], unknownSeals: [] });
  expect(records).toBeGreaterThan(2);
  expect(Object.fromEntries(GAPS.map((gap) => [gap, numbers.gaps[gap]]).filter(([, listed]) => typeof listed === 'object' && listed.count > 0))).toEqual({});
  expect(readFileSync(join(folder, 'after.html'), 'utf8')).toMatch(/<td>records\/execution\/[^<]+<\/td><td class="mono">[0-9a-f]{64}<\/td><td>1<\/td>/);
});
