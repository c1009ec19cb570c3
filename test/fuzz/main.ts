/**
 * `npm run fuzz`: bad input at every surface, by a seed that is printed. Exit code 1 where something was violated; each violation comes with
 * the smallest case that shows it and the command that plays it again.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { say, tell } from '../../cli/terminal.ts';
import { SURFACES } from './surfaces.ts';

const USAGE = `usage: npm run fuzz -- [--cases 100000] [--seed <number>] [--surface ${SURFACES.map(({ name }) => name).join('|')}] [--path <where a violation was found>]`;
/** A case that takes this long has hung. Real time: a loop that never ends yields to no clock of ours. */
const HANG_MS = 60_000;

const { values } = parseArgs({ options: { cases: { type: 'string', default: '100000' }, seed: { type: 'string' }, surface: { type: 'string' }, path: { type: 'string' } } });
const [cases, seed] = [Number(values.cases), values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed)];
const chosen = SURFACES.filter(({ name }) => values.surface === undefined || values.surface === name);
if (!Number.isSafeInteger(cases) || cases < 1 || !Number.isSafeInteger(seed) || chosen.length === 0 || (values.path !== undefined && chosen.length !== 1)) {
  tell(USAGE);
  process.exit(2);
}

const table = new Table({ head: ['surface', 'what', 'cases', 'a second', 'violation'], style: { head: [], border: [] } });
const violations: string[] = [];
for (const { name, about, open } of chosen) {
  const opened = await open();
  const started = performance.now();
  let last = started;
  const watchdog = setInterval(() => {
    if (performance.now() - last < HANG_MS) return;
    tell(`${name}: a case has not ended after ${HANG_MS / 1000} s (seed ${seed})`);
    process.exit(1);
  }, 1_000).unref();
  const onCase = () => {
    last = performance.now();
  };
  const found = await opened.check({ seed, numRuns: Math.ceil(cases / chosen.length), ...(values.path === undefined ? {} : { path: values.path }), onCase });
  clearInterval(watchdog);
  await opened.close();
  const rate = Math.round(found.cases / ((performance.now() - started) / 1000));
  table.push([name, about, found.cases, rate, found.violation ? 'yes' : '']);
  if (found.violation) violations.push(`${name}: ${found.violation.why}\n  case: ${JSON.stringify(found.violation.case)?.slice(0, 4000)}\n  again: npm run fuzz -- --surface ${name} --seed ${seed} --path ${found.violation.path}`);
}
say(`seed ${seed}`, table.toString(), ...violations.map((violation) => `\n${violation}`));
say(violations.length === 0 ? '\nNothing crashed, hung, told a secret or acted.' : `\n${violations.length} surface${violations.length === 1 ? '' : 's'} violated.`);
// What a case has started may wait for days.
process.exit(violations.length === 0 ? 0 : 1);
