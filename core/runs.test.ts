import { expect, it } from 'vitest';
import { askedFor, nextRun, runsOf, withRun } from './runs.ts';

it('lists the last containments and every restore, and goes on counting', () => {
  let incident: { readonly id: string; readonly executions: readonly string[] } = { id: 'inc-1', executions: [] };
  const run = (direction: 'contain' | 'restore') => void (incident = { ...incident, executions: withRun(incident, nextRun(incident, direction)) });
  run('contain');
  run('restore');
  for (let again = 0; again < 200; again++) run('contain');
  expect(incident.executions).toHaveLength(51);
  expect(incident.executions.filter((name) => name.includes('restore'))).toEqual(['inc-1-restore-1']);
  expect(incident.executions.at(-1)).toBe('inc-1-contain-201');
  expect([nextRun(incident, 'contain'), nextRun(incident, 'restore')]).toEqual(['inc-1-contain-202', 'inc-1-restore-2']);
  expect(runsOf(incident)).toBe(202);
});

it('counts what people ask for with the others, and names it by what was asked', () => {
  const seen = { id: 'inc-1', executions: ['inc-1-contain-1'] };
  const word = { direction: 'contain', by: 'rosa', at: '2026-01-01T00:00:00.000Z', reason: 'r', digest: null, newer: 'keep' } as const;
  const { execution } = askedFor(seen, word);
  expect(execution).toMatch(/^inc-1-contain-2-[0-9a-f]{12}$/);
  expect(askedFor(seen, { ...word, by: 'ravi' }).execution).not.toBe(execution);
  const next = { id: 'inc-1', executions: withRun(seen, execution) };
  expect([nextRun(next, 'contain'), runsOf(next)]).toEqual(['inc-1-contain-3', 2]);
});
