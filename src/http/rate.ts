import type { Clock } from '../ports/clock.ts';

/** So many at once, and so many a second after that: a flood of pages must not keep files from being sent. */
export class Rate {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #perSecond: number;
  readonly #atOnce: number;
  #left: number;
  #atMs: number;

  constructor(clock: Pick<Clock, 'monotonicMs'>, limits: { perSecond: number; atOnce: number }) {
    this.#clock = clock;
    this.#perSecond = limits.perSecond;
    this.#atOnce = limits.atOnce;
    this.#left = limits.atOnce;
    this.#atMs = clock.monotonicMs();
  }

  take(): boolean {
    const nowMs = this.#clock.monotonicMs();
    this.#left = Math.min(this.#atOnce, this.#left + ((nowMs - this.#atMs) * this.#perSecond) / 1000);
    this.#atMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}

/** The same answer for a while: what is asked for often is worked out once. */
export function remembered<T>(clock: Pick<Clock, 'monotonicMs'>, forMs: number, make: () => T): () => T {
  let last: { value: T; untilMs: number } | undefined;
  return () => {
    const nowMs = clock.monotonicMs();
    if (!last || nowMs >= last.untilMs) last = { value: make(), untilMs: nowMs + forMs };
    return last.value;
  };
}
