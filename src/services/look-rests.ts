import type { WatchedPath } from '../domain/watched-path.ts';
import type { LookingTime } from './metered-source.ts';

/** A look that took t is not repeated before 99 t have passed: looking costs at most 1 % of the time. */
const patientRests = 99;
/** Before a deadline the folder counts more: a quarter. */
const hurriedRests = 3;

/** What looks at the folder cost, and until when its parts are left alone after one. */
export class LookRests implements LookingTime {
  spentMs = 0;
  readonly #untilMs = new Map<WatchedPath, number>();
  #rests = patientRests;

  /** From now on, looks are worth what they cost; what rested until now does not. */
  hurry(): void {
    this.#rests = hurriedRests;
    this.#untilMs.clear();
  }

  /** How long after a look of so long none follows. */
  afterMs(tookMs: number): number {
    return tookMs * this.#rests;
  }

  looked(top: WatchedPath, endedMs: number, tookMs: number): void {
    this.#untilMs.set(top, endedMs + this.afterMs(tookMs));
  }

  untilMs(top: WatchedPath): number | undefined {
    return this.#untilMs.get(top);
  }

  forgetPast(nowMs: number): void {
    for (const [top, untilMs] of this.#untilMs) if (untilMs <= nowMs) this.#untilMs.delete(top);
  }
}
