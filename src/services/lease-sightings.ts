import type { FoundLease, LeaseLimits } from '../domain/lease.ts';
import type { WatchedPath } from '../domain/watched-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { LeaseStore } from '../ports/lease-store.ts';

/** What is known of a lease that another host has. */
export interface Sighting {
  readonly number: number;
  /** Monotonic; since when this very number is the highest. */
  readonly sinceMs: number;
  readonly host: string;
  /** `due`: it may be to be had, and must be looked at again. `done`: when the session changes. */
  readonly at: 'waiting' | 'due' | 'done';
  /** Of the session as it was when it was looked at. */
  readonly shape: string | undefined;
  /** Monotonic; when the lease is read again. */
  readonly pollAtMs: number;
}

export const unknownHost = 'an unknown host';

/**
 * Leases of others, each with the time for which its number did not change. Only that counts: what another host's clock
 * or a file's time says is not asked.
 */
export class LeaseSightings {
  readonly #store: LeaseStore;
  readonly #clock: Clock;
  readonly #limits: LeaseLimits;
  readonly #byRoot = new Map<WatchedPath, Sighting>();

  constructor({ store, clock, limits }: { store: LeaseStore; clock: Clock; limits: LeaseLimits }) {
    this.#store = store;
    this.#clock = clock;
    this.#limits = limits;
  }

  get(root: WatchedPath): Sighting | undefined {
    return this.#byRoot.get(root);
  }

  delete(root: WatchedPath): void {
    this.#byRoot.delete(root);
  }

  entries(): Iterable<[WatchedPath, Sighting]> {
    return this.#byRoot.entries();
  }

  /** Remembers what was found; the same number goes on counting from when it was first seen. */
  see(
    root: WatchedPath,
    found: FoundLease | undefined,
    at: Sighting['at'],
    shape: string | undefined,
  ): Sighting {
    const before = this.#byRoot.get(root);
    const number = found?.number ?? 0;
    const nowMs = this.#clock.monotonicMs();
    const sinceMs = before?.number === number ? before.sinceMs : nowMs;
    const overMs = sinceMs + this.#limits.leaseMs;
    const nextMs = nowMs + this.#limits.beatMs;
    const pollAtMs = nowMs < overMs ? Math.min(nextMs, overMs) : nextMs;
    const host = found?.lease?.host ?? unknownHost;
    const sighting = { number, sinceMs, host, at, shape, pollAtMs };
    this.#byRoot.set(root, sighting);
    return sighting;
  }

  unchangedMs(root: WatchedPath, found: FoundLease | undefined): number {
    const before = this.#byRoot.get(root);
    return before && before.number === found?.number ? this.#clock.monotonicMs() - before.sinceMs : 0;
  }

  /** Nothing has to be read to know that the session is still another's. */
  isSettled(root: WatchedPath, shape: string | undefined): boolean {
    const seen = this.#byRoot.get(root);
    if (!seen || seen.at === 'due') return false;
    if (seen.at === 'done') return shape === undefined || shape === seen.shape;
    return this.#clock.monotonicMs() < seen.sinceMs + this.#limits.leaseMs;
  }

  /** Whose turn to be read again has come. */
  toPoll(): WatchedPath[] {
    const nowMs = this.#clock.monotonicMs();
    const roots: WatchedPath[] = [];
    // Those that are done with may be very many, and this is asked all the time.
    for (const [root, { at, pollAtMs }] of this.#byRoot)
      if (at !== 'done' && pollAtMs <= nowMs) roots.push(root);
    return roots;
  }

  /** Reads the lease again. True when it may be to be had: silent, given back, or gone. Throws FileFailure. */
  async poll(root: WatchedPath): Promise<boolean> {
    const before = this.#byRoot.get(root);
    const found = await this.#store.read(root);
    if (!before || this.#byRoot.get(root) !== before) return false;
    const isHeld = found !== undefined && (found.lease?.state ?? 'held') === 'held';
    const isDue = !isHeld || this.unchangedMs(root, found) >= this.#limits.leaseMs;
    this.see(root, found, isDue ? 'due' : 'waiting', before.shape);
    return isDue;
  }
}
