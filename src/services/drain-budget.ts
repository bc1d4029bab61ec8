import type { Clock } from '../ports/clock.ts';
import type { TransferRate } from './transfer-rate.ts';

/**
 * What is worth beginning before a deadline. Without one, and while no rate is known, everything is.
 *
 *   off      no deadline                                       begin → strict
 *   strict   only what arrives in time; sessions of which      nothing else is left → lifted
 *            nothing does are put aside
 *   lifted   whatever is left: its whole parts stay            the end
 */
export class DrainBudget {
  readonly #clock: Clock;
  readonly #rate: TransferRate;
  readonly #putAside = new Set<number>();
  #state: 'off' | 'strict' | 'lifted' = 'off';
  #untilMs = Number.POSITIVE_INFINITY;

  constructor(options: { clock: Clock; rate: TransferRate }) {
    this.#clock = options.clock;
    this.#rate = options.rate;
  }

  begin(untilMs: number): void {
    this.#state = 'strict';
    this.#untilMs = untilMs;
  }

  get isDraining(): boolean {
    return this.#state !== 'off';
  }

  /** Whether `bytes` arrive in time when they have the destination for themselves. */
  fits(bytes: number): boolean {
    if (this.#state !== 'strict') return true;
    const { bytesPerSecond } = this.#rate;
    if (bytesPerSecond === undefined) return true;
    return bytes <= (bytesPerSecond * (this.#untilMs - this.#clock.monotonicMs())) / 1000;
  }

  putAside(sid: number): void {
    this.#putAside.add(sid);
  }

  isPutAside(sid: number): boolean {
    return this.#putAside.has(sid);
  }

  /** All that fits is done: the rest may use what time is left. False when nothing was put aside. */
  lift(): boolean {
    if (this.#state !== 'strict' || this.#putAside.size === 0) return false;
    this.#state = 'lifted';
    this.#putAside.clear();
    return true;
  }
}
