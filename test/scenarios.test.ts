import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { playScenario } from '../sandbox/scenario/play.ts';
import { readScenario, ROOT, scenarioFiles } from '../sandbox/scenario/scenario.ts';

/** Every scenario of every playbook, on the real engine, with waits skipped. */
const entered = new Set<string>();
const files = scenarioFiles().map((path) => ({ name: readScenario(path).name, path }));

describe('scenarios', () => {
  it.concurrent.each(files)('$name ends as it says', async ({ path }) => {
    const result = await playScenario(path, { clock: 'skipping' });
    for (const state of result.statesEntered) entered.add(state);
    expect(result.expectations.filter(({ held }) => !held)).toEqual([]);
  });

  it('enter every state of every workflow', () => {
    expect(statesOfAllWorkflows().filter((state) => !entered.has(state))).toEqual([]);
  });

  afterAll(() => entered.clear());
});

function statesOfAllWorkflows(): readonly string[] {
  return readdirSync(join(ROOT, 'workflows')).flatMap((playbook) => {
    const workflow = JSON.parse(readFileSync(join(ROOT, 'workflows', playbook, 'workflow.asl.json'), 'utf8')) as { readonly States: Readonly<Record<string, unknown>> };
    return Object.keys(workflow.States).map((state) => `${playbook}:${state}`);
  });
}
