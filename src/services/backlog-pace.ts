import type { Status } from '../ports/status.ts';
import type { Pace } from './report-facts.ts';

export interface Moving {
  /** Monotonic. */
  readonly nowMs: number;
  /** Of all requests that succeeded in this life. */
  readonly sentBytes: number;
  /** Changes whenever something arrived. */
  readonly lastSuccessAtMs: number | undefined;
  readonly uploads: Status['uploads'];
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
  #since: { atMs: number; sentBytes: number };
  #before: Moving | undefined;
  #stillSinceMs: number;
  /** The most that was seen of each transfer under way. */
  #reached = new Map<string, number>();
  #rate: number | undefined;

  constructor(nowMs: number, sentBytes = 0) {
    this.#since = { atMs: nowMs, sentBytes };
    this.#stillSinceMs = nowMs;
  }

  look(now: Moving): Pace {
    const hasMoved = this.#hasMoved(now);
    if (hasMoved || !now.waits || this.#before?.waits === false) this.#stillSinceMs = now.nowMs;
    this.#before = now;
    const stuckMs = now.waits ? now.nowMs - this.#stillSinceMs : 0;
    this.#measure(now);
    return {
      ...(this.#rate !== undefined && { bytesPerSecond: this.#rate }),
      ...(stuckMs > 0 && { stuckMs }),
    };
  }

  #hasMoved({ sentBytes, lastSuccessAtMs, uploads }: Moving): boolean {
    const before = this.#before;
    const reached = new Map<string, number>();
    let isFurther = false;
    for (const { session, path, sentBytes: bytes } of uploads) {
      const name = `${session}\0${path}`;
      const best = this.#reached.get(name) ?? 0;
      isFurther ||= bytes >= best + movedMinBytes;
      reached.set(name, Math.max(best, bytes));
    }
    this.#reached = reached;
    return isFurther || sentBytes > (before?.sentBytes ?? 0) || lastSuccessAtMs !== before?.lastSuccessAtMs;
  }

  #measure({ nowMs, sentBytes }: Moving): void {
    const spanMs = nowMs - this.#since.atMs;
    if (spanMs < spanMinMs) return;
    const bytes = sentBytes - this.#since.sentBytes;
    this.#rate = bytes > 0 ? (bytes * 1000) / spanMs : undefined;
    this.#since = { atMs: nowMs, sentBytes };
  }
}
