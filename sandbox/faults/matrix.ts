import { digestOf } from '../../core/canonical.ts';
import { CASES, type Case } from './cases.ts';
import { finished, type Finished } from './finished.ts';
import { playRun, type Run } from './run.ts';
import { startStage, type Stage } from './stage.ts';
import { FAULTS, type Counted, type FaultKind } from './strike.ts';

export interface MatrixOptions {
  readonly playbook?: string;
  readonly direction?: string;
  readonly fault?: string;
  /** Only this call, by its number or what it is. */
  readonly call?: number | string;
  /** Every so manieth run of those that there are; 1 unless told. */
  readonly every?: number;
  /** The `part`-th of `parts`, from 1, of what there is. */
  readonly shard?: { readonly part: number; readonly parts: number };
  /** Ends before the next run once so many seconds have passed. */
  readonly seconds?: number;
  /** A file of runs that ended: those that survived are not played again, and what ends now is added. */
  readonly file?: string;
  readonly onRun?: (of: Case, run: Run) => void;
}

/** All runs of one case and one fault. */
export interface Row {
  readonly playbook: string;
  readonly direction: string;
  readonly fault: FaultKind;
  /** Calls that the fault means anything to, and does nothing to that another one would not do. */
  readonly calls: number;
  readonly runs: number;
  /** Different calls among them, `triage dynamodb:PutItem`, and how many of these were struck: the first layer of the matrix. */
  readonly names: { readonly all: number; readonly struck: number };
  /** Runs in which the call came. What runs side by side, and what is looked at until it is so, comes as often as it does. */
  readonly struck: number;
  readonly survived: number;
  readonly violations: readonly { readonly call: number | string; readonly struck: string | null; readonly what: string; readonly reproduce: string }[];
}

export interface Matrix {
  readonly rows: readonly Row[];
  /** Faults on calls that mean nothing to them, or the same as another. */
  readonly meaningless: number;
  /** Runs that there are and that were not played. */
  readonly left: number;
}

/** After so many runs a new account: records and executions of old runs make reading slow. */
const RUNS_AN_ACCOUNT = 60;
/** Real time: no run takes this long. */
const HANGS_MS = 300_000;

/** One run to play. */
interface Cell {
  readonly of: Case;
  readonly fault: FaultKind;
  readonly call: number | string;
}

/** Every fault on every call of every playbook and direction, or the part of it that is asked for. */
export async function playMatrix({ playbook, direction, fault, call, every = 1, shard = { part: 1, parts: 1 }, seconds = Number.POSITIVE_INFINITY, file, onRun }: MatrixOptions = {}): Promise<Matrix> {
  const began = Date.now();
  const late = () => Date.now() - began > seconds * 1000;
  const cases = CASES.filter((one) => (playbook ?? one.playbook) === one.playbook && (direction ?? one.direction) === one.direction);
  // What went wrong once must not be in the way of the next run.
  const accounts: { stage: Stage | null; runs: number; lost: boolean } = { stage: null, runs: 0, lost: false };
  const play = async ({ of, fault: kind, call: k }: Cell): Promise<Run> => {
    const stage = (accounts.stage ??= await startStage());
    const run = await ended(playRun(stage, of, { kind, call: k }), { kind, call: k });
    accounts.runs++;
    accounts.lost ||= kind === 'denied' && run.struck?.includes(' s3:PutObject#') === true;
    return run.violations.length > 0 || accounts.runs >= RUNS_AN_ACCOUNT ? await closed(stage, run) : run;
  };
  /** The record of all runs in an account is sealed and verified when it is closed. */
  const closed = async (stage: Stage, run: Run): Promise<Run> => {
    const { lost } = accounts;
    Object.assign(accounts, { stage: null, runs: 0, lost: false });
    // What hangs cannot be stopped either.
    if (run.hangs) return run;
    stage.account.around(null);
    const unsealed = await stage.unsealed(lost);
    await stage.stop();
    return { ...run, violations: [...run.violations, ...unsealed.map((text) => `the record of this account does not verify: ${text}`)] };
  };
  try {
    const counted: { readonly of: Case; readonly calls: readonly Counted[] }[] = [];
    if (call === undefined) for (const of of cases) counted.push({ of, calls: (await play({ of, fault: 'error', call: 0 })).calls });
    const all = call === undefined ? cellsOf(counted) : cases.flatMap((of) => FAULTS.map((kind): Cell => ({ of, fault: kind, call })));
    const wanted = all.filter((cell) => (fault ?? cell.fault) === cell.fault).filter((_, index) => index % every === 0 && Math.floor(index / every) % shard.parts === shard.part - 1);
    const done = finished(file);
    const runs = new Map<Cell, Finished>();
    for (const cell of wanted) {
      const before = done.survived(cell);
      if (before) runs.set(cell, before);
    }
    const now = wanted.filter((cell) => !runs.has(cell));
    for (const cell of now) {
      if (late()) break;
      const one = await play(cell);
      // The last one closes the account, so that no record stays unverified.
      const run = (cell === now.at(-1) || late()) && accounts.stage ? await closed(accounts.stage, one) : one;
      const { playbook: of, direction: way } = cell.of;
      const line: Finished = { playbook: of, direction: way, fault: cell.fault, call: cell.call, struck: run.struck, violations: run.violations };
      done.add(line);
      runs.set(cell, line);
      onRun?.(cell.of, run);
    }
    const calls = counted.reduce((sum, one) => sum + one.calls.length, 0);
    return { rows: rowsOf(wanted, runs), meaningless: call === undefined ? calls * FAULTS.length - all.length : 0, left: wanted.length - runs.size };
  } finally {
    await accounts.stage?.stop();
  }
}

/**
 * The runs, those first that teach most: each call that a role makes for the first time struck once, each by another fault, and so on
 * through the faults; reads, which a retry mends, a little later. Only when every fault has struck every such call comes what a role does again,
 * since it is often the same line of code.
 */
function cellsOf(counted: readonly { readonly of: Case; readonly calls: readonly Counted[] }[]): readonly Cell[] {
  const ranked = counted.flatMap(({ of, calls }, at) => {
    const whats = [...new Set(calls.map(({ what }) => what))];
    return calls.flatMap(({ what, nth, faults, reads }) =>
      faults.map((fault) => {
        const call = `${what}#${nth}`;
        const turn = (FAULTS.indexOf(fault) + whats.indexOf(what) + at) % FAULTS.length;
        return { of, fault, call, rank: turn + (nth > 1 ? AGAIN * nth + FIRST_LAYER : 0) + (reads && fault !== 'stale' ? READ : 0), key: digestOf([of.playbook, of.direction, fault, call]) };
      }),
    );
  });
  return ranked.toSorted((a, b) => a.rank - b.rank || a.key.localeCompare(b.key));
}

/** By how many turns a call that was made before comes later each time, and one that changes nothing. */
const AGAIN = 3;
const READ = 4;
/** More turns than what comes for the first time takes. */
const FIRST_LAYER = FAULTS.length + READ;

/** A run that fails by itself, or does not end, is a violation as well. */
async function ended(run: Promise<Run>, strike: Run['strike']): Promise<Run> {
  let timer: NodeJS.Timeout | undefined;
  const never = new Promise<Run>((resolve) => {
    timer = setTimeout(() => resolve({ strike, calls: [], struck: String(strike.call), violations: ['it does not end'], hangs: true }), HANGS_MS);
  });
  try {
    return await Promise.race([run, never]);
  } catch (error) {
    return { strike, calls: [], struck: String(strike.call), violations: [`the run itself failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`] };
  } finally {
    clearTimeout(timer);
  }
}

function rowsOf(wanted: readonly Cell[], runs: ReadonlyMap<Cell, Finished>): readonly Row[] {
  const groups = new Map<string, Cell[]>();
  for (const cell of wanted.toSorted((a, b) => CASES.indexOf(a.of) - CASES.indexOf(b.of) || FAULTS.indexOf(a.fault) - FAULTS.indexOf(b.fault))) {
    const key = `${cell.of.playbook} ${cell.of.direction} ${cell.fault}`;
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  return [...groups.values()].flatMap((cells): readonly Row[] => {
    const [first] = cells;
    if (!first) return [];
    const { of, fault } = first;
    const played = cells.flatMap((cell) => runs.get(cell) ?? []);
    return [
      {
        playbook: of.playbook, direction: of.direction, fault, calls: cells.length, runs: played.length,
        names: { all: new Set(cells.map(({ call }) => nameOf(call))).size, struck: new Set(played.flatMap(({ struck }) => (struck === null ? [] : [nameOf(struck)]))).size },
        struck: played.filter(({ struck }) => struck !== null).length,
        survived: played.filter(({ violations }) => violations.length === 0).length,
        violations: played.flatMap(({ call, struck, violations }) => violations.map((what) => ({ call, struck, what, reproduce: `npm run faults -- --playbook ${of.playbook} --direction ${of.direction} --fault ${fault} --call ${struck === null ? call : `"${struck}"`}` }))),
      },
    ];
  });
}

/** `triage dynamodb:PutItem` of `triage dynamodb:PutItem#2` */
function nameOf(call: number | string): string {
  return String(call).replace(/#\d+$/, '');
}
