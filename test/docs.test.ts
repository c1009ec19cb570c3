import { join } from 'node:path';
import { expect, it } from 'vitest';
import { treeOf } from '../cli/check/tree.ts';
import { playbookPages } from '../cli/docs.ts';

it('has a page for every playbook that says what its folder says', () => {
  const tree = treeOf(join(import.meta.dirname, '..'));
  for (const [path, text] of playbookPages(tree)) expect(tree.read(path), `${path}: run npm run stopbath -- docs`).toBe(text);
});
