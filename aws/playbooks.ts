import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readPlaybook, type Playbook } from '../core/playbook.ts';

/**
 * Every playbook that was shipped: `<root>/workflows/<name>/playbook.json`, the same files that the rules were made of.
 *
 * @param root - the function's own folder (`LAMBDA_TASK_ROOT`)
 */
export async function loadPlaybooks(root: string): Promise<readonly Playbook[]> {
  const rooms = join(root, 'workflows');
  const folders = (await readdir(rooms, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return await Promise.all(
    folders.toSorted().map(async (folder) => readPlaybook(folder, JSON.parse(await readFile(join(rooms, folder, 'playbook.json'), 'utf8')))),
  );
}
