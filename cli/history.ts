import { InvalidArgumentError, type Command } from 'commander';
import type { Incident } from '../core/incident.ts';
import { historyPage, type Person } from './api.ts';
import { filterOptions, filterQuery, type FilterOptions } from './history-filter.ts';
import { table } from './table.ts';
import { ink, jsonText, say, tell } from './terminal.ts';
import { actorName, toned } from './timeline.ts';
import { count, duration, instant, statusWords } from './words.ts';

interface Options extends Person, FilterOptions {
  readonly limit: number;
  readonly cursor?: string;
  readonly oldest?: true;
  readonly all?: true;
  readonly json?: true;
}

/** `stopbath history`: incidents of all times and states, filtered. */
export function register(program: Command): void {
  filterOptions(program.command('history').description('search incidents of all times and states'))
    .option('--limit <n>', 'rows of a page, 1 to 200', rows, 50)
    .option('--cursor <cursor>', 'go on where a page ended, with the same filters')
    .option('--oldest', 'oldest first')
    .option('--all', 'all pages')
    .option('--json', 'print { incidents, cursor } as JSON')
    .option('--as <person>', 'sign as a person of the sandbox: rosa, ravi, ada')
    .addHelpText('after', '\nExamples:\n  $ stopbath history --since 7d --as ada\n  $ stopbath history --since 2026-10-01 --until 2026-12-31 --status failed,unverified --no-drill\n  $ stopbath history --target family-photos-111122223333 --json | jq .incidents[].id\n\nReads through STOPBATH_AUDIT_URL, signed with your AWS credentials.')
    .action(async (options: Options) => {
      const query = { ...filterQuery(options, Date.now()), ...(options.oldest ? { order: 'oldest' } : {}) };
      let cursor = options.cursor ?? null;
      let shown = 0;
      if (options.json) say('{"incidents": [');
      do {
        const page = await filled(query, options.all ? 200 : options.limit, cursor, options);
        cursor = page.cursor;
        // Row by row: all of a long history does not fit into one text.
        if (options.json) for (const [index, incident] of page.incidents.entries()) say(`${shown + index === 0 ? ' ' : ','}${jsonText(incident)}`);
        else if (page.incidents.length > 0) say(tableOf(page.incidents));
        shown += page.incidents.length;
      } while (options.all && cursor !== null);
      if (options.json) return say(`], "cursor": ${jsonText(cursor)}}`);
      if (shown === 0) return say('no incidents match');
      tell('', cursor === null ? `${count(shown, 'incident')}, that is all` : `${count(shown, 'incident')}; more: the same with --cursor ${cursor}`);
    });
}

/** A filter that matches little makes pages that are short or empty: asks on until one is full. */
async function filled(query: Readonly<Record<string, string>>, limit: number, from: string | null, person: Person): ReturnType<typeof historyPage> {
  const incidents: Incident[] = [];
  let cursor = from;
  do {
    const page = await historyPage({ ...query, limit: String(limit - incidents.length), ...(cursor === null ? {} : { cursor }) }, person);
    incidents.push(...page.incidents);
    cursor = page.cursor;
  } while (cursor !== null && incidents.length < limit);
  return { incidents, cursor };
}

function tableOf(incidents: readonly Incident[]): string {
  const head = ['received', 'incident', 'status', 'mode', 'target', 'proven after', 'asked by', 'what'];
  const tones = new Map(incidents.map(({ status }) => [statusWords(status).words, statusWords(status).tone]));
  const cells = incidents.map((incident) => [
    instant(incident.receivedAt),
    incident.id,
    statusWords(incident.status).words,
    incident.mode,
    incident.target.name,
    incident.verifiedAt === null ? '' : duration(Date.parse(incident.verifiedAt) - Date.parse(incident.eventTime)),
    actorName(incident.requestedBy),
    `${incident.drill ? '[drill] ' : ''}${incident.reason}`,
  ]);
  return table(head, cells, (text, column) => (column === 2 ? toned(tones.get(text) ?? 'neutral', text) : column === 0 ? ink.dim(text) : text));
}

function rows(text: string): number {
  const value = Number(text);
  if (!/^\d{1,3}$/.test(text) || value < 1 || value > 200) throw new InvalidArgumentError('use a whole number from 1 to 200');
  return value;
}
