import { z } from 'zod';
import type { Incident } from '../core/incident.ts';

/**
 * Where a workflow says that the target is, so that it can be read while its incident is: nothing is decided by it, since what was read
 * of another target than the incident's is thrown away. `null` for executions whose input says nothing of it.
 */
export const aheadInput = z.object({ arn: z.string(), name: z.string().min(1), account: z.string(), region: z.string() }).nullish();
export type Ahead = Readonly<z.infer<typeof aheadInput>>;
type Place = Pick<Incident['target'], 'arn' | 'name' | 'account' | 'region'>;

/**
 * Reads a target beside its incident.
 *
 * @param found - the incident as it is being read
 * @returns what was read of the incident's own target, whatever was said
 */
export async function readAhead<T>(ahead: Ahead, found: Promise<{ readonly target: Place }>, read: (target: Place) => Promise<T>): Promise<T> {
  const early = ahead && settled(read(ahead));
  const { target } = await found;
  if (!early || !ahead || !(['arn', 'name', 'account', 'region'] as const).every((field) => ahead[field] === target[field])) return await read(target);
  return (await early)();
}

/** Begun now, and awaited later: a failure waits until somebody asks for the result. Of what nobody asks for it means nothing. */
export async function settled<T>(reading: Promise<T>): Promise<() => T> {
  try {
    const value = await reading;
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
