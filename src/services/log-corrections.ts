import { type Correction, correctedAt, correctionDueMs, isForgotten } from '../domain/correction-pace.ts';
import type { Journal } from '../ports/journal.ts';

/** One that is forgotten before its time costs one more log. */
const rememberedMax = 10_000;

/**
 * When the log of an open session is to be corrected, because one may be in the bucket that says that it has ended
 * (ADR 44). That it is owed is the journal's word alone; what is kept here, also of sessions that rest between two ends,
 * only keeps one that flaps from costing a log each time.
 */
export class LogCorrections {
  readonly #journal: Pick<Journal, 'session'>;
  /** By session, in the order in which they were made. */
  readonly #last = new Map<number, Correction>();

  constructor(journal: Pick<Journal, 'session'>) {
    this.#journal = journal;
  }

  /** Monotonic, Infinity where none is owed. `reopenedAtMs`: -Infinity where this life did not see it. */
  dueMs(sid: number, reopenedAtMs: number): number {
    const { endTold = false, phase } = this.#journal.session(sid) ?? {};
    const isOwed = endTold && phase === 'open';
    return isOwed ? correctionDueMs(reopenedAtMs, this.#last.get(sid)) : Number.POSITIVE_INFINITY;
  }

  made(sid: number, nowMs: number): void {
    const correction = correctedAt(nowMs, this.#last.get(sid));
    this.#last.delete(sid);
    this.#last.set(sid, correction);
    for (const [other, last] of this.#last) {
      if (!isForgotten(last, nowMs) && this.#last.size <= rememberedMax) break;
      this.#last.delete(other);
    }
  }
}
