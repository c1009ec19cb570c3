import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { playbookPages } from '../cli/docs.ts';

it('has a page for every playbook that says what its folder says', async () => {
  for (const [path, text] of await playbookPages()) {
    const present = await readFile(join(import.meta.dirname, '..', path), 'utf8').catch(() => '');
    expect(present, `${path}: run npm run stopbath -- docs`).toBe(text);
  }
});
