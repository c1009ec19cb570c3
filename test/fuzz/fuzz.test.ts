import { describe, expect, it } from 'vitest';
import { SURFACES } from './surfaces.ts';

/** A sample of `npm run fuzz`, always the same one. */
describe('bad input', () => {
  it.each(SURFACES.map((surface) => ({ name: surface.name, about: surface.about, surface })))('$name: $about', async ({ name, surface }) => {
    const opened = await surface.open();
    try {
      const found = await opened.check({ seed: 20261124, numRuns: name === 'urls' ? 60 : 300 });
      expect(found.violation).toBeNull();
    } finally {
      await opened.close();
    }
  });
});
