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
  process.exit(await bench.run(more).then((held) => (held ? 0 : 1), refused));
}

/** An option that is none is said in a line; any other failure is a bench's own, and is shown whole. */
function refused(error: unknown): number {
  const isOption = error instanceof RangeError || (error instanceof Error && error.name === 'ScenarioError') || (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  if (!isOption || !(error instanceof Error)) throw error;
  console.error(`bench ${name ?? ''}: ${error.message}`);
  return 2;
}
