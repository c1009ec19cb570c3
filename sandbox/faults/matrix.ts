import { CASES, type Case } from './cases.ts';
import { playRun, type Run } from './run.ts';
import { startStage, type Stage } from './stage.ts';
import { FAULTS, type FaultKind } from './strike.ts';

export interface MatrixOptions {
  readonly playbook?: string;
  readonly direction?: string;
  readonly fault?: string;
  /** Only this call, by its number or what it is. */
  readonly call?: number | string;
  /** Every so manieth call, beginning at another one for each fault; 1 unless told. */
  readonly every?: number;
  /** Ends before the next run once so many seconds have passed. */
  readonly seconds?: number;
  readonly onRun?: (of: Case, run: Run) => void;
}

/** All runs of one case and one fault. */
export interface Row {
  readonly playbook: string;
  readonly direction: string;
  readonly fault: FaultKind;
  readonly calls: number;
  readonly runs: number;
  /** Runs whose call the fault means something to. */
  readonly struck: number;
  readonly survived: number;
  readonly violations: readonly { readonly call: number | string; readonly struck: string | null; readonly what: string; readonly reproduce: string }[];
}

export interface Matrix {
  readonly rows: readonly Row[];
  /** False where time ran out. */
  readonly whole: boolean;
}

/** After so many runs a new account: records and executions of old runs make reading slow. */
const RUNS_AN_ACCOUNT = 60;

/** Every fault on every call of every playbook and direction, or the part of it that is asked for. */
export async function playMatrix({ playbook, direction, fault, call, every = 1, seconds = Number.POSITIVE_INFINITY, onRun }: MatrixOptions = {}): Promise<Matrix> {
  const began = Date.now();
  const late = () => Date.now() - began > seconds * 1000;
  const rows: Row[] = [];
  // What went wrong once must not be in the way of the next run.
  const accounts: { stage: Stage | null; runs: number } = { stage: null, runs: 0 };
  const play = async (of: Case, kind: FaultKind, k: number | string): Promise<Run> => {
    const stage = (accounts.stage ??= await startStage());
    const run = await playRun(stage, of, { kind, call: k });
    accounts.runs++;
    return run.violations.length > 0 || accounts.runs >= RUNS_AN_ACCOUNT ? await closed(stage, run) : run;
  };
  /** The record of all runs in an account is sealed and verified when it is closed. */
  const closed = async (stage: Stage, run: Run): Promise<Run> => {
    const unsealed = await stage.unsealed();
    await stage.stop();
    Object.assign(accounts, { stage: null, runs: 0 });
    return { ...run, violations: [...run.violations, ...unsealed.map((text) => `the record does not verify: ${text}`)] };
  };
  try {
    for (const of of CASES.filter((one) => (playbook ?? one.playbook) === one.playbook && (direction ?? one.direction) === one.direction)) {
      const { calls } = await play(of, 'error', 0);
      for (const [index, kind] of FAULTS.entries()) {
        if ((fault ?? kind) !== kind) continue;
        const played: Run[] = [];
        const ks = call === undefined ? Array.from({ length: calls }, (_, at) => at + 1).filter((k) => k % every === index % every) : [call];
        for (const k of ks) {
          if (late()) break;
          const one = await play(of, kind, k);
          // The last one closes the account, so that no record stays unverified.
          const run = k === ks.at(-1) && accounts.stage ? await closed(accounts.stage, one) : one;
          onRun?.(of, run);
          played.push(run);
        }
        rows.push(rowOf(of, kind, calls, played));
      }
    }
    return { rows, whole: !late() };
  } finally {
    await accounts.stage?.stop();
  }
}

function rowOf({ playbook, direction }: Case, fault: FaultKind, calls: number, runs: readonly Run[]): Row {
  const struck = runs.filter((run) => run.struck !== null);
  return {
    playbook, direction, fault, calls, runs: runs.length, struck: struck.length,
    survived: runs.filter(({ violations }) => violations.length === 0).length,
    violations: runs.flatMap((run) => run.violations.map((what) => ({ call: run.strike.call, struck: run.struck, what, reproduce: `npm run faults -- --playbook ${playbook} --direction ${direction} --fault ${fault} --call ${run.struck === null ? run.strike.call : `"${run.struck}"`}` }))),
  };
}
