import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { pageOf, type Performance } from '../bench/performance.ts';

const kept = { events: 1, seconds: 1, calls: 1, items: { before: 1, after: 1 }, kilobytes: { before: 1, after: 1 }, executions: { before: 1, after: 1 }, tickets: 1, onRecord: 1, heap: 1 };
const took = { ms: 1, steps: 1 };
const way = (playbook: string) => ({ playbook, write: 's3:PutPublicAccessBlock', steps: [{ function: 'triage', call: 'dynamodb:PutItem', beside: 0 }], calls: 1, hops: [], callsMs: 1, wholeMs: 1, proven: { steps: 1, seconds: 1 } });
const MADE_UP: Performance = {
  on: { at: '2026-01-01', commit: 'abc1234', node: '24.0.0', machine: 'one', load: 0 },
  path: { latencyMs: 30, floor: { steps: 3, ms: 1 }, ways: ['quarantine-bucket', 'revoke-share-links', 'contain-principal'].map(way) },
  decided: { events: 1, verdicts: {}, perMinute: 1, slowestMs: 1, megabytes: 1 },
  flood: { repeats: kept, distinct: kept, reopened: { times: 1, contained: 1, severity: 9, kilobytes: 1, executions: 2, tickets: 1 }, decoys: { buckets: 1, contained: 1, held: 0, other: 0, untold: 0, critical: 'contained', alone: took, among: took } },
  bundles: { bare: { cpu: 1, wall: 1 }, functions: [] },
  costs: [{ scenario: 'one', lines: ['Step Functions, state transitions', 'Lambda, requests', 'Lambda, GB-seconds (arm64)', 'DynamoDB, writes', 'DynamoDB, reads', 'S3, PUT and LIST', 'S3, other requests'].map((what) => ({ what, count: 1, dollars: 1, source: '' })), dollars: 1 }],
};

/** Headings, heads of tables and how many columns they have, and which playbooks there are a path of. */
function shapeOf(page: string): readonly string[] {
  const lines = page.split('\n');
  return lines.filter((line, index) => line.startsWith('#') || line.startsWith('<!--') || /^\|[-|]+\|$/.test(line) || /^\|[-|]+\|$/.test(lines[index + 1] ?? '') || /^\| [\w-]+, to /.test(line)).map((line) => line.replace(/^(\| [\w-]+), to .*/, '$1'));
}

it('docs/performance.md is what npm run bench -- performance --write prints', () => {
  const page = readFileSync(join(import.meta.dirname, '../docs/performance.md'), 'utf8');
  expect(shapeOf(page)).toEqual(shapeOf(pageOf(MADE_UP)));
  expect(page).toMatch(/^Measured on \d{4}-\d\d-\d\d at commit [0-9a-f]{7,}, with Node 24\./m);
  expect(page).not.toMatch(/NaN|undefined|Infinity/);
});
