import { expect, it } from 'vitest';
import { nextRun, runsOf, withRun } from './runs.ts';

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
