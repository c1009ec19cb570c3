import { InvalidArgumentError, Option, type Command } from 'commander';
import { STATUSES } from '../core/incident.ts';
import { withoutPath } from '../core/signal/target.ts';
import { momentOf, WHEN } from './period.ts';

/** The filters that `history` and `export` share, as options. */
export interface FilterOptions {
  readonly since?: string;
  readonly until?: string;
  readonly playbook?: string;
  readonly target?: string;
  readonly actor?: string;
  readonly status?: readonly string[];
  readonly mode?: string;
  readonly drill?: boolean;
}

export function filterOptions(command: Command): Command {
  return command
    .option('--since <when>', `from: ${WHEN.ago}`)
    .option('--until <when>', 'until, the same; a day is included whole')
    .option('--playbook <name>', 'of this playbook', filled)
    .option('--target <target>', "about this target: a bucket's name, or an ARN", filled)
    .option('--actor <who>', 'part of who did it (user, key, address), or joined in later, or of the ARN of who asked', filled)
    .option('--status <status>', `in this status, or one of several with commas: ${STATUSES.join(', ')}`, statuses)
    .addOption(new Option('--mode <mode>', 'in this mode').choices(['observe', 'approve', 'contain']))
    .option('--drill', 'drills only')
    .option('--no-drill', 'without drills');
}

/** The filters as the `audit` URL takes them. */
export function filterQuery(options: FilterOptions, now: number): Readonly<Record<string, string>> {
  const { since, until, target, status, drill, playbook, actor, mode } = options;
  const query = {
    since: since === undefined ? undefined : momentOf('--since', since, now),
    until: until === undefined ? undefined : momentOf('--until', until, now),
    playbook,
    target: target === undefined ? target : target.includes(':') ? withoutPath(target) : `arn:aws:s3:::${target}`,
    actor,
    status: status?.join(','),
    mode,
    drill: drill === undefined ? undefined : String(drill),
  };
  return Object.fromEntries(Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** An empty text is a variable that was not set: it must not look like a question without an answer. */
function filled(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('it is empty: leave the option out, or say what');
  return text;
}

function statuses(text: string): readonly string[] {
  const asked = text.split(',').map((entry) => entry.trim());
  const wrong = asked.find((entry) => !STATUSES.some((known) => known === entry));
  if (wrong !== undefined) throw new InvalidArgumentError(`there is no status ${JSON.stringify(wrong)}: use ${STATUSES.join(', ')}`);
  return asked;
}
