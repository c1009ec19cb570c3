import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Runs where the suite's functions run, and says what is left on their heap behind a collection, megabytes. */
export function handler(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}
