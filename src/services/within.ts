import type { Clock } from '../ports/clock.ts';

/** `late` when it was not done in time; what goes on behind it is told to stop and not waited for. */
export async function within<T, Late>(
  clock: Clock,
  ms: number,
  late: Late,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | Late> {
  const over = new AbortController();
  const done = new AbortController();
  const waited = clock.sleep(ms, done.signal).then((): Late => {
    over.abort();
    return late;
  });
  const working = work(over.signal);
  working.catch(() => undefined); // reason: told below, unless it was late and nobody waits for it
  try {
    return await Promise.race([working, waited]);
  } finally {
    done.abort();
  }
}
