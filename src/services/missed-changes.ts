import type { WatchedPath } from '../domain/watched-path.ts';

/** So late an event may still come: polling asks every 5 s. */
const graceMs = 10_000;

/**
 * Counts the changes in watched places that a look at the whole folder found and no event told of, neither since the look
 * before nor soon after. Told is the name straight in the folder, so that one event speaks for all that changed below
 * it: what is counted was missed, and more may have been. All times are monotonic.
 */
export class MissedChanges {
  readonly #told = new Map<WatchedPath, number>();
  readonly #doubted = new Map<WatchedPath, number>();
  #missed = 0;

  told(top: WatchedPath, nowMs: number): void {
    this.#told.set(top, nowMs);
    this.#settle(nowMs);
    this.#doubted.delete(top);
    // A session that is the folder itself is told of by whatever lies in it.
    this.#doubted.delete('');
  }

  /** What a look at the whole folder found changed; of the first look of a life everything is new, and nothing counts. */
  found(tops: Iterable<WatchedPath>, look: { readonly beganMs: number; readonly endedMs: number }): void {
    this.#settle(look.endedMs);
    for (const top of tops) {
      const isTold = top === '' ? this.#told.size > 0 : this.#told.has(top);
      if (!isTold) this.#doubted.set(top, look.endedMs);
    }
    for (const [top, atMs] of this.#told) if (atMs < look.beganMs) this.#told.delete(top);
  }

  /** So far. */
  count(nowMs: number): number {
    this.#settle(nowMs);
    return this.#missed;
  }

  #settle(nowMs: number): void {
    for (const [top, atMs] of this.#doubted) {
      if (nowMs - atMs < graceMs) continue;
      this.#doubted.delete(top);
      this.#missed += 1;
    }
  }
}
