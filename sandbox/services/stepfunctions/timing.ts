import type { Clock } from '../../clock.ts';

/**
 * Run something for at most so many seconds of sandbox time; `null` has no limit and sets no timer (a skipping clock
 * would jump to it). What runs is aborted when the time is over, or when the outer signal is.
 *
 * @throws what `onLimit` makes, or the outer signal's reason
 */
export async function within<T>(
  clock: Clock,
  seconds: number | null,
  outer: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
  onLimit: () => Error,
): Promise<T> {
  const own = new AbortController();
  const signal = AbortSignal.any([outer, own.signal]);
  const limit = seconds === null ? [] : [clock.sleep(seconds * 1000, signal).then(() => Promise.reject(onLimit()))];
  try {
    return await Promise.race([untilAborted(run(signal), outer), ...limit]);
  } finally {
    own.abort(new Error('no longer waited for'));
  }
}

/** The promise, or the signal's reason as soon as it is aborted: what cannot be cancelled is left behind. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
