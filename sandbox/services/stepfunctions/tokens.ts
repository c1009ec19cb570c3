import { AwsError } from '../../service.ts';
import type { Json } from '../../../core/bucket.ts';
import type { Clock } from '../../clock.ts';
import { StateFailure } from './failure.ts';
import { untilAborted } from './timing.ts';

/**
 * The tokens of tasks that wait for somebody. The first answer counts; whoever comes later, or with a token of a task
 * that ended otherwise, is told that the task timed out, as AWS does.
 */
export interface Tokens {
  /** A new token for a task of this state machine. */
  readonly issue: (stateMachineArn: string, random: () => number) => Waiting;
  /** Answers; throws `TaskTimedOut` or `InvalidToken`. */
  readonly settle: (token: string, outcome: Outcome) => void;
  readonly heartbeat: (token: string) => void;
  /** Whose task it is; `null` for a token that was never issued. */
  readonly ownerOf: (token: string) => string | null;
}

export type Outcome = { readonly output: Json } | { readonly failure: StateFailure };

export interface Waiting {
  readonly token: string;
  /** The answer. A heartbeat must come every so many seconds, unless `null`. */
  readonly outcome: (clock: Clock, heartbeatSeconds: number | null, signal: AbortSignal) => Promise<Json>;
  /** No answer is taken from now on. */
  readonly close: () => void;
}

interface Task {
  readonly stateMachineArn: string;
  answer: (outcome: Outcome) => void;
  beat: () => void;
  open: boolean;
}

export function createTokens(): Tokens {
  const tasks = new Map<string, Task>();

  const find = (token: string): Task => {
    const task = tasks.get(token);
    if (!task) throw new AwsError('InvalidToken', "Invalid Token: 'Invalid token'");
    if (!task.open) throw new AwsError('TaskTimedOut', "Task Timed Out: 'Provided task does not exist anymore'");
    return task;
  };

  return {
    issue: (stateMachineArn, random) => {
      const token = `AQC${Buffer.from(Array.from({ length: 96 }, () => Math.floor(random() * 256))).toString('base64')}`;
      const answered = Promise.withResolvers<Outcome>();
      const task: Task = { stateMachineArn, answer: answered.resolve, beat: () => {}, open: true };
      tasks.set(token, task);
      return {
        token,
        close: () => {
          task.open = false;
        },
        outcome: async (clock, heartbeatSeconds, signal) => {
          const outcome = await (heartbeatSeconds === null
            ? untilAborted(answered.promise, signal)
            : listen(task, answered.promise, clock, heartbeatSeconds, signal));
          if ('failure' in outcome) throw outcome.failure;
          return outcome.output;
        },
      };
    },
    settle: (token, outcome) => {
      const task = find(token);
      task.open = false;
      task.answer(outcome);
    },
    heartbeat: (token) => find(token).beat(),
    ownerOf: (token) => tasks.get(token)?.stateMachineArn ?? null,
  };
}

/**
 * Recorded on AWS: a missed heartbeat is reported as `States.Timeout`; the guide lets `States.HeartbeatTimeout` catch it.
 */
async function listen(task: Task, answered: Promise<Outcome>, clock: Clock, seconds: number, signal: AbortSignal): Promise<Outcome> {
  for (;;) {
    const pause = new AbortController();
    const beaten = Promise.withResolvers<'beat'>();
    task.beat = () => beaten.resolve('beat');
    const missed = clock.sleep(seconds * 1000, AbortSignal.any([signal, pause.signal])).then((): 'missed' => 'missed');
    try {
      const event = await untilAborted(Promise.race([answered, beaten.promise, missed]), signal);
      if (event === 'missed') throw new StateFailure('States.Timeout', null, { aliases: ['States.HeartbeatTimeout'] });
      if (event !== 'beat') return event;
    } finally {
      pause.abort(new Error('the task was heard of'));
    }
  }
}
