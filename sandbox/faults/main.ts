import { parseArgs } from 'node:util';
import { CASES } from './cases.ts';
import { deliverDay } from './delivery.ts';
import { startStage } from './stage.ts';
import { playMatrix, type Matrix, type Row } from './matrix.ts';
import { FAULTS } from './strike.ts';

const HELP = `Usage: npm run faults -- [options]

Plays every playbook in every direction in a sandbox, and strikes each call of AWS's that the suite makes with each fault. After the fault, and
again after what an operator would do (send again, redrive, ask again), everything is held against what must be true.

  --playbook <name>    ${[...new Set(CASES.map(({ playbook }) => playbook))].join(', ')}
  --direction <way>    contain, restore
  --fault <kind>       ${FAULTS.join(', ')}
  --call <k|what>      only the k-th call, or one by what it is: "triage dynamodb:PutItem#2"
  --every <n>          every n-th run
  --shard <i/n>        the i-th of n equal parts
  --seconds <n>        stop before the next run after so long
  --file <path>        add each run that ends to this file, and play none again that survived in it
  --delivery           instead: a day's events, each three times, shuffled, by skewed clocks, from two regions, and replayed
  --seed <n>           the order of the deliveries; made up and printed unless told
  --json               print { rows, meaningless, left } as JSON, or { delivered }

Exit codes: 0 all survived; 1 something did not hold, with the command that plays it again; 2 wrong options`;

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`faults: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof TypeError && 'code' in error ? 2 : 1;
}

async function main(): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { playbook: text, direction: text, fault: text, call: text, every: text, shard: text, seconds: text, file: text, seed: text, delivery: { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help) return done(HELP, 0);
  const wrong = problemWith(values);
  if (wrong !== null) return done(`faults: ${wrong}; see npm run faults -- --help`, 2);
  if (values.delivery) return await deliver(Number(values.seed ?? Date.now() % 100_000), values.json === true);
  const options = {
    ...(values.playbook === undefined ? {} : { playbook: values.playbook }),
    ...(values.direction === undefined ? {} : { direction: values.direction }),
    ...(values.fault === undefined ? {} : { fault: values.fault }),
    ...(values.call === undefined ? {} : { call: /^\d+$/.test(values.call) ? Number(values.call) : values.call }),
    ...(values.every === undefined ? {} : { every: Number(values.every) }),
    ...(values.shard === undefined ? {} : { shard: { part: Number(values.shard.split('/')[0]), parts: Number(values.shard.split('/')[1]) } }),
    ...(values.seconds === undefined ? {} : { seconds: Number(values.seconds) }),
    ...(values.file === undefined ? {} : { file: values.file }),
  };
  const matrix = await playMatrix({
    ...options,
    onRun: (of, run) => {
      for (const what of run.violations) process.stderr.write(`${of.playbook} ${of.direction}, ${run.strike.kind} on call ${run.strike.call} (${run.struck ?? 'nothing'}): ${what}\n`);
      for (const line of run.story ?? []) process.stderr.write(`    ${line}\n`);
    },
  });
  if (values.json) process.stdout.write(`${JSON.stringify(matrix, null, 2)}\n`);
  else for (const line of linesOf(matrix)) process.stdout.write(`${line}\n`);
  return matrix.rows.every(({ violations }) => violations.length === 0) ? 0 : 1;
}

async function deliver(seed: number, json: boolean): Promise<number> {
  const stage = await startStage();
  try {
    const delivered = await deliverDay(stage, { buckets: 8, seed });
    const violations = [...delivered.violations, ...(await stage.unsealed()).map((text) => `the record does not verify: ${text}`)];
    if (json) process.stdout.write(`${JSON.stringify({ delivered: { ...delivered, violations } }, null, 2)}\n`);
    else for (const line of [`${delivered.events} events, ${delivered.deliveries} deliveries and a replay, seed ${seed}: ${violations.length === 0 ? 'each bucket contained once, one incident, one ticket' : `${violations.length} things did not hold`}`, ...violations.map((what) => `  ${what}`), ...(violations.length === 0 ? [] : [`  $ npm run faults -- --delivery --seed ${seed}`])]) process.stdout.write(`${line}\n`);
    return violations.length === 0 ? 0 : 1;
  } finally {
    await stage.stop();
  }
}

function linesOf({ rows, meaningless, left }: Matrix): readonly string[] {
  const sum = (of: (row: Row) => number) => rows.reduce((total, row) => total + of(row), 0);
  const cells = [['playbook', 'direction', 'fault', 'names', 'struck', 'calls', 'runs', 'struck', 'survived'], ...rows.map((row) => [row.playbook, row.direction, row.fault, ...[row.names.all, row.names.struck, row.calls, row.runs, row.struck, row.survived].map(String)])];
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) ?? [];
  const violations = rows.flatMap((row) => row.violations);
  return [
    ...cells.map((row) => row.map((cell, column) => (column < 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')),
    '',
    `${sum(({ names }) => names.struck)} of ${sum(({ names }) => names.all)} pairs of a call's name and a fault were struck`,
    `${sum(({ runs }) => runs)} runs, ${sum(({ struck }) => struck)} of them struck, ${sum(({ survived }) => survived)} survived; ${left} left to play${meaningless === 0 ? '' : `; ${meaningless} would mean nothing to the call, or the same as another`}`,
    ...violations.flatMap(({ struck, what, reproduce }) => ['', `${struck ?? 'nothing struck'}: ${what}`, `  $ ${reproduce}`]),
  ];
}

function problemWith(values: Readonly<Record<string, string | boolean | undefined>>): string | null {
  const { playbook, direction, fault } = values;
  if (playbook !== undefined && !CASES.some((one) => one.playbook === playbook)) return `--playbook is ${String(playbook)}: there is ${[...new Set(CASES.map((one) => one.playbook))].join(', ')}`;
  if (direction !== undefined && direction !== 'contain' && direction !== 'restore') return `--direction is ${String(direction)}: give contain or restore`;
  if (fault !== undefined && !FAULTS.some((kind) => kind === fault)) return `--fault is ${String(fault)}: there is ${FAULTS.join(', ')}`;
  const bad = (['every', 'seconds', 'seed'] as const).find((name) => values[name] !== undefined && !/^[1-9]\d{0,5}$/.test(String(values[name])));
  const { call, shard } = values;
  const [part = 0, parts = 0] = /^\d{1,4}\/\d{1,4}$/.test(String(shard)) ? String(shard).split('/').map(Number) : [];
  if (shard !== undefined && !(part >= 1 && part <= parts)) return `--shard is ${String(shard)}: give one of the parts and how many there are, 2/5`;
  if (call !== undefined && !/^([1-9]\d*|[\w.-]+ [\w-]+:\w+(#[1-9]\d*)?)$/.test(String(call))) return `--call is ${String(call)}: give a number from 1, or "triage dynamodb:PutItem#2"`;
  return bad === undefined ? null : `--${bad} is ${String(values[bad])}: give a whole number from 1`;
}

function done(text: string, code: number): number {
  (code === 0 ? process.stdout : process.stderr).write(`${text}\n`);
  return code;
}
