import type { Playbook } from '../../core/playbook.ts';
import { scenarioIssues } from '../../sandbox/scenario/scenario.ts';
import type { Problem } from './problem.ts';
import { isRecord, readSource, type Source } from './source.ts';
import type { Tree } from './tree.ts';
import type { StateAt } from './workflow.ts';

/** Scenarios say in `expect.states` which states they enter, and playing them proves it: so coverage is known without playing. */
export function checkScenarios(tree: Tree, playbook: Playbook, workflow: Source, states: readonly StateAt[], problems: Problem[]): void {
  const folder = `workflows/${playbook.name}/scenarios`;
  const sources = tree.list(folder).filter((file) => file.endsWith('.json')).map((file) => readSource(tree, `${folder}/${file}`, 'scenario', problems)).filter((source) => source !== null);
  for (const source of sources) {
    if (source.value === undefined) continue;
    for (const { path, message } of scenarioIssues(source.value)) source.report(source.at(path), 'scenario', message);
  }
  const claimed = claims(sources);
  const known = new Set(states.map(({ name }) => name));
  for (const { source, index, state } of claimed) {
    const [whose, name] = split(state);
    if (whose === playbook.name && !known.has(name)) source.report(source.at(['expect', 'states', index]), 'scenario', `there is no state ${JSON.stringify(name)} in ${playbook.name}`);
  }
  const visited = new Set([...claimed, ...claims(others(tree, playbook.name))].map(({ state }) => state));
  for (const { name, path } of states) {
    if (!visited.has(`${playbook.name}:${name}`)) workflow.report(workflow.at(path), 'scenario', `no scenario says in expect.states that it enters ${JSON.stringify(`${playbook.name}:${name}`)}`);
  }
  const restores = sources.some(({ value }) => isRecord(value) && Array.isArray(value['steps']) && value['steps'].some((step) => isRecord(step) && 'restore' in step));
  if (Object.keys(playbook.changes).length > 0 && !restores) workflow.report(workflow.at([]), 'scenario', `no scenario in ${folder} restores: what is never taken back in a drill will not be on the day`);
}

function claims(sources: readonly Source[]): readonly { readonly source: Source; readonly index: number; readonly state: string }[] {
  return sources.flatMap((source) => {
    const expect = isRecord(source.value) && isRecord(source.value['expect']) ? source.value['expect']['states'] : [];
    return (Array.isArray(expect) ? expect : []).map((state, index) => ({ source, index, state: String(state) }));
  });
}

/** What every playbook uses (the ticket's) is often visited by another's scenario. */
function others(tree: Tree, playbook: string): readonly Source[] {
  return tree
    .list('workflows')
    .filter((name) => name !== playbook)
    .flatMap((name) => tree.list(`workflows/${name}/scenarios`).filter((file) => file.endsWith('.json') && (tree.read(`workflows/${name}/scenarios/${file}`) ?? '').includes(`"${playbook}:`)).map((file) => readSource(tree, `workflows/${name}/scenarios/${file}`, 'scenario', [])))
    .filter((source) => source !== null);
}

function split(state: string): readonly [string, string] {
  return [state.slice(0, state.indexOf(':')), state.slice(state.indexOf(':') + 1)];
}
