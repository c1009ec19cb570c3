/** Draws docs/pictures/export.png: `node test/audit/picture.ts` plays two attacks in a sandbox, seals the record, exports it and takes a picture. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { readHistory, type HistoryPart } from '../../aws/history.ts';
import { incidentOf, viewWithRecords } from '../../aws/incidents.ts';
import { readDecisions } from '../../aws/decisions.ts';
import type { Item } from '../../aws/records.ts';
import { readSealEntries, readWaiting } from '../../aws/sealed.ts';
import { writeExport } from '../../cli/audit/export.ts';
import { readHistoryFilter } from '../../core/history.ts';
import { sealGaps } from '../../core/seal-gaps.ts';
import { startSuite, type Suite } from '../evidence/suite.ts';

/** The browser's flags for a machine without a display or a network. */
export const CHROMIUM = { executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] };

/** Exports a suite as `stopbath export` does, read from its table. */
export async function exportSuite(suite: Suite, path: string): ReturnType<typeof writeExport> {
  const filter = readHistoryFilter({ order: 'oldest' }, suite.now());
  const items: Item[] = [];
  for (let next: string | null | undefined; next !== null; ) {
    const part: HistoryPart = await readHistory(suite.table, filter, 200, next ?? null);
    items.push(...part.items);
    next = part.next;
  }
  const { decisions } = await readDecisions(suite.table, suite.now().slice(0, 10), 1000, null);
  const { seals } = await readSealEntries(suite.table, filter.since, 1000, 0);
  const waiting = await readWaiting(suite.table);
  return await writeExport(path, 'html', {
    question: { since: `${suite.now().slice(0, 10)}T00:00:00.000Z`, until: filter.until },
    startedAt: suite.now(),
    incidents: (async function* () { for (const item of items) yield await viewWithRecords(suite.table, incidentOf(item).id); })(),
    decisions: (async function* () { yield* decisions.map((decision) => ({ ...decision })); })(),
    count: () => Promise.resolve(items.length),
    seals: () => Promise.resolve({ seals, gaps: sealGaps(seals, waiting, suite.now()) }),
  });
}

if (import.meta.main) {
  const suite = await startSuite();
  const folder = mkdtempSync(join(tmpdir(), 'stopbath-picture-'));
  try {
    await suite.photos.attacks['make-public'](suite.photos.family);
    await suite.send('guardduty-bucket-anonymous.json');
    await suite.send('guardduty-exfiltration.json');
    await suite.send('cloudtrail-put-bucket-policy.json');
    await suite.tick('sweep');
    await suite.tick('seal');
    await exportSuite(suite, join(folder, 'export.html'));
    const browser = await chromium.launch(CHROMIUM);
    const page = await browser.newPage({ viewport: { width: 960, height: 1000 } });
    await page.goto(`file://${join(folder, 'export.html')}`);
    await page.screenshot({ path: join(import.meta.dirname, '../../docs/pictures/export.png') });
    await browser.close();
  } finally {
    rmSync(folder, { recursive: true });
    await suite.stop();
  }
}
