import { writeFile } from 'node:fs/promises';
import { afterAll, expect, it } from 'vitest';
import { contract } from '../contract.ts';
import { converse, RECORDED, recorded, shapeOf } from './conversation.ts';
import { INSTALL, isInstalled, startRequestTracker } from './server.ts';
import { requestTrackerSubject } from './subject.ts';

if (isInstalled()) {
  const real = await startRequestTracker();
  process.stdout.write(`Request Tracker ${real.version}, SQLite, on ${real.url}\n`);
  afterAll(async () => await real.stop());

  it('answers as it did when the stand-in was made after it', async () => {
    const answers = await converse(real);
    if (process.env['RT_RECORD'] === '1') await writeFile(RECORDED, `${JSON.stringify(answers, null, 2).replaceAll(real.url, 'https://rt.example')}\n`);
    expect(answers.map(shapeOf)).toEqual(recorded().map(shapeOf));
  });

  contract('Request Tracker itself', () => Promise.resolve(requestTrackerSubject({ ...real, stop: () => Promise.resolve() })));
} else {
  process.stdout.write(`not run: the contract of trackers against Request Tracker itself, which is not installed here. On Debian or Ubuntu: ${INSTALL}\n`);
  it.skip('Request Tracker itself keeps the contract');
}
