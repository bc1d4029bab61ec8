import type { Clock } from '../ports/clock.ts';

/**
 * A moment whose age must not be taken for less than it is. The monotonic clock stands still while the machine sleeps,
 * the wall clock may be set: the larger step counts.
 */
export class Moment {
  readonly #clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  readonly #atMs: number;
  readonly #wallMs: number;

  /** `atMs`: monotonic, not long ago; now without it. */
  constructor(clock: Pick<Clock, 'nowMs' | 'monotonicMs'>, atMs = clock.monotonicMs()) {
    this.#clock = clock;
    this.#atMs = atMs;
    this.#wallMs = clock.nowMs() - (clock.monotonicMs() - atMs);
  }

  ageMs(): number {
    return Math.max(this.#clock.monotonicMs() - this.#atMs, this.#clock.nowMs() - this.#wallMs);
  }
}
