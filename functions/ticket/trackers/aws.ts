import { codeOf, classified, PermissionError, TransientError } from '../../../aws/errors.ts';
import { TrackerError } from './port.ts';

/**
 * A call to an AWS service that stands in for a tracker, its failures said as those of trackers are.
 *
 * @param unsure - whether a failure of the network or of the service leaves open if the call took effect and does harm twice
 * @throws {TrackerError}
 */
export async function fromAws<T>(name: string, unsure: boolean, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const known = classified(error, name);
    const message = known instanceof Error ? known.message : String(known);
    if (known instanceof TransientError) throw new TrackerError(unsure ? 'unanswered' : 'passing', message, { cause: error });
    if (known instanceof PermissionError || codeOf(error) !== null) throw new TrackerError('standing', message.startsWith(name) ? message : `${name}: ${codeOf(error)}: ${message}`, { cause: error });
    throw error;
  }
}
