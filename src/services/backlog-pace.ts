import type { Pace } from './report-facts.ts';

export interface Moving {
  /** Monotonic. */
  readonly nowMs: number;
  /** Of all requests that succeeded in this life. */
  readonly sentBytes: number;
  /** The same with what those under way have sent. */
  readonly movedBytes: number;
  /** Changes whenever something arrived. */
  readonly lastSuccessAtMs: number | undefined;
  readonly waits: boolean;
}

/** Of a shorter time, a rate says more of chance than of the link. */
const spanMinMs = 10_000;
/** Less may lie in a socket's buffer and have reached nobody. */
const movedMinBytes = 1024 * 1024;

/**
 * How fast it goes, and since when it does not: what two looks tell apart. A part that is long under way on a slow link
 * moves, too. Of what came to wait between two looks it is not known when: it counts from the later one.
 */
export class BacklogPace {
  #since: { readonly atMs: number; readonly movedBytes: number; readonly waits: boolean };
  #before: Moving | undefined;
  #stillSinceMs: number;
  /** The furthest that was seen since a request last succeeded. */
  #furthestBytes = 0;
  #rate: Pick<Pace, 'bytesPerSecond' | 'drainBytesPerSecond'> = {};

  constructor(nowMs: number) {
    this.#since = { atMs: nowMs, movedBytes: 0, waits: false };
    this.#stillSinceMs = nowMs;
  }

  look(now: Moving): Pace {
    if (this.#hasMoved(now) || !now.waits || this.#before?.waits === false) this.#stillSinceMs = now.nowMs;
    this.#before = now;
    this.#measure(now);
    const stuckMs = now.nowMs - this.#stillSinceMs;
    return { ...this.#rate, ...(stuckMs > 0 && { stuckMs }) };
  }

  /** What fails takes back what it sent: going over the same bytes again and again is no progress. */
  #hasMoved({ sentBytes, movedBytes, lastSuccessAtMs }: Moving): boolean {
    const hasArrived =
      sentBytes > (this.#before?.sentBytes ?? 0) || lastSuccessAtMs !== this.#before?.lastSuccessAtMs;
    const isFurther = movedBytes >= this.#furthestBytes + movedMinBytes;
    this.#furthestBytes = hasArrived ? movedBytes : Math.max(this.#furthestBytes, movedBytes);
    return hasArrived || isFurther;
  }

  #measure({ nowMs, movedBytes, waits }: Moving): void {
    const { atMs, movedBytes: before, waits: waited } = this.#since;
    const spanMs = nowMs - atMs;
    if (spanMs < spanMinMs) return;
    this.#since = { atMs: nowMs, movedBytes, waits };
    const bytesPerSecond = ((movedBytes - before) * 1000) / spanMs;
    if (bytesPerSecond <= 0) this.#rate = {};
    // A time in which there was nothing to do says nothing of how long more would take.
    else this.#rate = { bytesPerSecond, ...(waited && waits && { drainBytesPerSecond: bytesPerSecond }) };
  }
}
