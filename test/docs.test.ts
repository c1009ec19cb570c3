import { join } from 'node:path';
import { expect, it } from 'vitest';
import { treeOf } from '../cli/check/tree.ts';
import { generatedDocs } from '../cli/docs.ts';

it('has a page for every playbook that says what its folder says, and the schemas that editors read', () => {
  const tree = treeOf(join(import.meta.dirname, '..'));
  for (const [path, text] of generatedDocs(tree)) expect(tree.read(path), `${path}: run npm run stopbath -- docs`).toBe(text);
});
