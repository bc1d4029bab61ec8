import type { Clock } from '../ports/clock.ts';

/** Timers fire at once beyond this (2^31 - 1 ms), so that longer waits are made of pieces. */
const timerMsMax = 2_147_483_647;

/** The only place that asks the machine for time, waits, or randomness. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  random: () => Math.random(),
  async sleep(ms, signal) {
    let leftMs = ms;
    do {
      await wait(Math.min(leftMs, timerMsMax), signal);
      leftMs -= timerMsMax;
    } while (leftMs > 0 && signal?.aborted !== true);
  },
};

function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    // Not a timer for "no time at all": that would cost a millisecond each time a long scan makes room for others.
    if (!(ms > 0)) return void setImmediate(resolve);
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}
