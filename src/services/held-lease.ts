import { FileFailure } from '../domain/failure.ts';
import { type FoundLease, isOurs, type Lease, type LeaseLimits } from '../domain/lease.ts';
import type { WatchedPath } from '../domain/watched-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { LeaseStore } from '../ports/lease-store.ts';
import { Moment } from './moment.ts';

/** `held` with a failure: still ours, but it could not be said. `unknown`: nobody can tell at the moment. */
export type Standing =
  | { readonly at: 'held'; readonly failure?: FileFailure }
  | { readonly at: 'lost'; readonly to: FoundLease | undefined }
  | { readonly at: 'unknown'; readonly failure: FileFailure };

export interface HeldLeaseOptions {
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly limits: LeaseLimits;
  readonly root: WatchedPath;
  readonly number: number;
  readonly lease: Lease;
  /** Monotonic; before the number was written. */
  readonly sinceMs: number;
  /** In [0, 1): leases that are taken at one moment do not all beat at one. */
  readonly spread: number;
}

/** For so long a look at the lease counts when nothing can be written. */
const lookShare = 1 / 30;

/**
 * A lease in our hands. Nobody takes it before `leaseMs` have passed since a number of ours was written; we rely on it
 * for half of that, by a clock that goes on while we are stopped, and then write the next number before anything else.
 */
export class HeldLease {
  readonly root: WatchedPath;
  readonly #options: HeldLeaseOptions;
  #number: number;
  #lease: Lease;
  /** Since when, and for how long, it is surely ours. */
  #sure: { readonly since: Moment; readonly forMs: number };
  /** Monotonic; when the last number was written. */
  #writtenMs: number;
  #turn: Promise<unknown> = Promise.resolve();
  #lost: Standing | undefined;

  constructor(options: HeldLeaseOptions) {
    this.#options = options;
    this.root = options.root;
    this.#number = options.number;
    this.#lease = options.lease;
    this.#writtenMs = options.sinceMs;
    this.#sure = this.#sureSince(options.sinceMs, 1 / 2);
  }

  get lease(): Lease {
    return this.#lease;
  }

  get beatAtMs(): number {
    const { limits, spread } = this.#options;
    return this.#writtenMs + limits.beatMs * (1 - spread / 4);
  }

  /** Asked before everything that others can see. Costs nothing while the lease is surely ours. */
  confirm(): Promise<Standing> {
    return this.#inTurn(async () => {
      if (this.#sure.since.ageMs() < this.#sure.forMs) return { at: 'held' };
      return this.#next({});
    });
  }

  /** Writes the next number: a sign of life, and what has changed. */
  write(change: Partial<Lease>): Promise<Standing> {
    return this.#inTurn(() => this.#next(change));
  }

  /** Two numbers at once would be a race with ourselves. */
  #inTurn(work: () => Promise<Standing>): Promise<Standing> {
    const turn = this.#turn.then(async () => {
      if (this.#lost) return this.#lost;
      const standing = await work();
      if (standing.at === 'lost') this.#lost = standing;
      return standing;
    });
    this.#turn = turn.catch(() => undefined); // reason: whoever awaits the turn itself is told
    return turn;
  }

  async #next(change: Partial<Lease>): Promise<Standing> {
    const { store, clock } = this.#options;
    const startedMs = clock.monotonicMs();
    const lease = { ...this.#lease, ...change };
    // A second try is for a number that was ours although its writing seemed to fail.
    for (let tries = 0; tries < 2; tries++) {
      try {
        if (await store.write(this.root, this.#number + 1, lease)) {
          this.#number += 1;
          this.#lease = lease;
          this.#writtenMs = startedMs;
          this.#sure = this.#sureSince(startedMs, 1 / 2);
          return { at: 'held' };
        }
        const found = await store.read(this.root);
        if (!this.#isMine(found)) return { at: 'lost', to: found };
      } catch (error) {
        if (!(error instanceof FileFailure)) throw error;
        return this.#look(error);
      }
    }
    return { at: 'held' };
  }

  /** It cannot be written: as long as the number that counts is ours, nobody else has it. */
  async #look(failure: FileFailure): Promise<Standing> {
    const { store, clock, limits } = this.#options;
    // Tried again with the next beat, not at once.
    this.#writtenMs = clock.monotonicMs();
    try {
      const found = await store.read(this.root);
      if (!found) return { at: 'unknown', failure };
      if (!this.#isMine(found)) return { at: 'lost', to: found };
      const leftMs = this.#sure.forMs - this.#sure.since.ageMs();
      if (leftMs < limits.leaseMs * lookShare) this.#sure = this.#sureSince(clock.monotonicMs(), lookShare);
      return { at: 'held', failure };
    } catch (error) {
      if (!(error instanceof FileFailure)) throw error;
      return { at: 'unknown', failure: error };
    }
  }

  /** Takes a higher number of ours over. */
  #isMine(found: FoundLease | undefined): boolean {
    if (!found || found.number < this.#number) return false;
    // Damaged since, it is still the one that we made; with another's name the whole chain was begun anew.
    if (!found.lease) return found.number === this.#number;
    if (!isOurs(found.lease, this.#lease)) return false;
    this.#number = found.number;
    return true;
  }

  #sureSince(atMs: number, share: number): { since: Moment; forMs: number } {
    const { clock, limits } = this.#options;
    return { since: new Moment(clock, atMs), forMs: limits.leaseMs * share };
  }
}
