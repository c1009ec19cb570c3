import { openTracker } from '../../functions/ticket/trackers.ts';
import { TrackerError } from '../../functions/ticket/trackers/port.ts';
import { look, Trouble, type Diagnosis } from './diagnosis.ts';
import type { Site } from './site.ts';

/** Every tracker that is configured, asked what changes nothing, with the secret that the suite uses. */
export async function diagnoseTrackers({ config, clients }: Site): Promise<readonly Diagnosis[]> {
  const tools = { clients, now: () => new Date().toISOString() };
  if (Object.keys(config.trackers).length === 0) {
    return [{ what: 'trackers', state: 'bad', found: 'there is none: nobody is told', todo: 'name one in stopbath.config.json: docs/tickets.md' }];
  }
  return await Promise.all(
    Object.entries(config.trackers).map(([name, tracker]) =>
      look(
        `tracker ${name}`,
        async () => {
          try {
            return await (await openTracker(name, tracker, [], tools)).check();
          } catch (error) {
            // Whoever asks may not read the secret, or AWS refused them: that is no fault of the tracker.
            if (error instanceof TrackerError && !refusedByAws(error)) throw new Trouble(error.message, TODO[error.trouble]);
            throw error;
          }
        },
        'see docs/tickets.md',
      ),
    ),
  );
}

const TODO: Readonly<Record<TrackerError['trouble'], string>> = {
  standing: 'mend it there, or in stopbath.config.json: docs/tickets.md says what the account and the secret need',
  passing: 'it may be down: tickets are tried for twelve hours; ask again',
  unanswered: 'it may be down: tickets are tried for twelve hours; ask again',
};

function refusedByAws(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return /AccessDenied|AuthorizationError|PermissionError/.test(error.name) || refusedByAws(error.cause);
}
