/** `npm run bench -- <name> [its own options]`: runs `bench/<name>.ts`, which prints what it measured and fails where it missed its mark. */
import { readdirSync } from 'node:fs';

const [name, ...more] = process.argv.slice(2);
const benches = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.ts') && file !== 'main.ts').map((file) => file.slice(0, -3));

if (name === undefined || !benches.includes(name)) {
  console.error(`usage: npm run bench -- ${benches.join('|')}`);
  process.exitCode = 2;
} else {
  const bench: { readonly run: (args: readonly string[]) => Promise<boolean> } = await import(`./${name}.ts`);
  // What still waits in a sandbox that was stopped (a ticket's next try, in hours) is not waited for.
  process.exit((await bench.run(more)) ? 0 : 1);
}
