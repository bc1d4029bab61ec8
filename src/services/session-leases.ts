import { FileFailure } from '../domain/failure.ts';
import {
  type FoundLease,
  inheritedIdentity,
  isOurs,
  type Lease,
  type LeaseIdentity,
  type LeaseLimits,
  nextStep,
} from '../domain/lease.ts';
import type { WatchedPath } from '../domain/watched-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { Events } from '../ports/events.ts';
import type { LeaseStore } from '../ports/lease-store.ts';
import { HeldLease, type Standing } from './held-lease.ts';
import { type Claimed, type LeaseSubject, leaseName } from './lease-claim.ts';
import { LeaseSightings, type Sighting, unknownHost } from './lease-sightings.ts';
import { Turns } from './turns.ts';

export interface LeasesOptions {
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly events: Events;
  readonly host: string;
  /** The journal's. */
  readonly writer: string;
  readonly limits: LeaseLimits;
}

/** The leases that this host has, those that it waits for, and sessions for which none can be kept. */
export class SessionLeases {
  readonly #options: LeasesOptions;
  readonly #held = new Map<WatchedPath, HeldLease>();
  readonly #others: LeaseSightings;
  readonly #alone = new Map<WatchedPath, { retryAtMs: number; identity: LeaseIdentity | undefined }>();
  readonly #turns = new Turns<WatchedPath>();
  readonly #told = new Set<string>();
  /** Another host has taken a session from us. Set once, before the first claim. */
  onLost: (root: WatchedPath, host: string) => void = () => undefined;

  constructor(options: LeasesOptions) {
    this.#options = options;
    this.#others = new LeaseSightings(options);
  }

  get limits(): LeaseLimits {
    return this.#options.limits;
  }

  allHeld(): readonly HeldLease[] {
    return [...this.#held.values()];
  }

  held(root: WatchedPath): HeldLease | undefined {
    return this.#held.get(root);
  }

  isAlone(root: WatchedPath): boolean {
    return this.#alone.has(root);
  }

  /** Another host was done with it when it was last asked about. */
  isDone(root: WatchedPath): boolean {
    return this.#others.get(root)?.at === 'done';
  }

  /** Sessions that another host ships at the moment; those that it is done with do not count. */
  elsewhere(): { root: WatchedPath; host: string }[] {
    return [...this.#others.entries()].flatMap(([root, { host, at }]) =>
      at === 'done' ? [] : [{ root, host }],
    );
  }

  /** Holds the session's lease from now on, if it is to be had. */
  claim(subject: LeaseSubject): Promise<Claimed> {
    return this.#turns.take(subject.root, () => this.#claim(subject));
  }

  async #claim(subject: LeaseSubject): Promise<Claimed> {
    const held = this.#held.get(subject.root);
    if (held) return { at: 'held', identity: held.lease.identity, fromAnother: false };
    const alone = this.#alone.get(subject.root);
    if (alone && this.#options.clock.monotonicMs() < alone.retryAtMs)
      return { at: 'alone', identity: alone.identity, fromAnother: false };
    const seen = this.#others.get(subject.root);
    if (seen && this.#others.isSettled(subject.root, subject.shape))
      return { at: 'elsewhere', host: seen.host };
    return this.#seek(subject);
  }

  async #seek(subject: LeaseSubject): Promise<Claimed> {
    const { root, shape } = subject;
    const { store, host, writer, limits } = this.#options;
    let found: FoundLease | undefined;
    for (let tries = 0; tries < 3; tries++) {
      try {
        found = await store.read(root);
      } catch (error) {
        return this.#goAlone(subject, error, undefined);
      }
      const step = nextStep(found, { host, writer, shape }, this.#others.unchangedMs(root, found), limits);
      if (!step.take) return this.#leave(subject, found, step.isDone ? 'done' : 'waiting');
      const taken = await this.#take(subject, found, step.because);
      if (taken) return taken;
    }
    return this.#leave(subject, found, 'waiting');
  }

  #leave({ root, shape }: LeaseSubject, found: FoundLease | undefined, at: Sighting['at']): Claimed {
    const before = this.#others.get(root);
    const { host } = this.#others.see(root, found, at, shape);
    this.#alone.delete(root);
    if (at !== 'done' && before?.host !== host)
      this.#options.events.emit('lease.held', { session: leaseName(root), host });
    return { at: 'elsewhere', host };
  }

  /** Undefined: somebody else was faster. */
  async #take(
    subject: LeaseSubject,
    found: FoundLease | undefined,
    because: string,
  ): Promise<Claimed | undefined> {
    const { store, clock, events, host, writer, limits } = this.#options;
    const { root, directory } = subject;
    const sinceMs = clock.monotonicMs();
    const identity = inheritedIdentity(found, { root, directory }, clock.nowMs());
    const lease = {
      version: 1,
      state: 'held',
      host,
      writer,
      root,
      directory,
      ...(identity && { identity }),
    } as const;
    const number = (found?.number ?? 0) + 1;
    try {
      if (!(await store.write(root, number, lease))) return undefined;
    } catch (error) {
      return this.#goAlone(subject, error, found);
    }
    const spread = clock.random();
    this.#held.set(root, new HeldLease({ store, clock, limits, root, number, lease, sinceMs, spread }));
    this.#others.delete(root);
    this.#alone.delete(root);
    const fromAnother = this.#isAnothers(found);
    if (fromAnother)
      events.emit('lease.taken', {
        session: leaseName(root),
        from: found?.lease?.host ?? unknownHost,
        because,
      });
    return { at: 'held', identity, fromAnother };
  }

  /** Nothing is lost for want of a lease: conditions of the bucket still keep apart what can be. */
  #goAlone({ root, directory }: LeaseSubject, error: unknown, found: FoundLease | undefined): Claimed {
    if (!(error instanceof FileFailure)) throw error;
    // An unmounted folder has no leases: who has one cannot be told before it is back.
    if (error.reason === 'vanished') return { at: 'away', failure: error };
    const { clock, limits } = this.#options;
    const identity = inheritedIdentity(found, { root, directory }, clock.nowMs());
    const fromAnother = !this.#alone.has(root) && this.#isAnothers(found);
    this.#alone.set(root, { retryAtMs: clock.monotonicMs() + limits.beatMs, identity });
    this.#others.delete(root);
    this.#tell(root, error);
    return { at: 'alone', identity, fromAnother };
  }

  #isAnothers(found: FoundLease | undefined): boolean {
    return found !== undefined && !(found.lease && isOurs(found.lease, this.#options));
  }

  /** Each kind of trouble once: it is the same for a thousand sessions. */
  #tell(root: WatchedPath, { reason, code, message: cause, remedy }: FileFailure): void {
    if (reason === 'vanished' || this.#told.has(code)) return;
    this.#told.add(code);
    this.#options.events.emit('lease.problem', { session: leaseName(root), code, cause, remedy });
  }

  /** Still ours, by the last that is known or by looking. False: not now, or not any more. */
  async confirm(held: HeldLease): Promise<boolean> {
    return this.#settle(held, await held.confirm());
  }

  /** With what has changed. False as for `confirm`. */
  async write(held: HeldLease, change: Partial<Lease>): Promise<boolean> {
    return this.#settle(held, await held.write(change));
  }

  #settle(held: HeldLease, standing: Standing): boolean {
    const { root } = held;
    if (standing.at !== 'lost') {
      if (standing.failure) this.#tell(root, standing.failure);
      return standing.at === 'held';
    }
    if (this.#held.get(root) !== held) return false;
    this.#held.delete(root);
    const { host } = this.#others.see(root, standing.to, 'waiting', undefined);
    this.#options.events.emit('lease.lost', { session: leaseName(root), host });
    this.onLost(root, host);
    return false;
  }

  /** Whoever sees it change may take it. */
  async done(root: WatchedPath, shape: string): Promise<void> {
    const held = this.#held.get(root);
    if (!held || !(await this.write(held, { state: 'done', shape }))) return;
    if (this.#held.get(root) === held) this.#held.delete(root);
  }

  /** Its root is gone, and with it what others could wait for. */
  async remove(root: WatchedPath): Promise<void> {
    this.#others.delete(root);
    this.#held.delete(root);
    this.#alone.delete(root);
    try {
      await this.#options.store.remove(root);
    } catch (error) {
      if (!(error instanceof FileFailure)) throw error;
      this.#tell(root, error);
    }
  }

  forgetOther(root: WatchedPath): void {
    this.#others.delete(root);
  }

  async release(held: HeldLease): Promise<void> {
    await this.write(held, { state: 'released' });
    if (this.#held.get(held.root) === held) this.#held.delete(held.root);
  }

  /** Others' leases that must be read again by now. */
  toPoll(): readonly WatchedPath[] {
    return this.#others.toPoll();
  }

  /** Reads another's lease. True when it may be to be had by now. */
  async poll(root: WatchedPath): Promise<boolean> {
    try {
      return await this.#others.poll(root);
    } catch (error) {
      if (!(error instanceof FileFailure)) throw error;
      this.#tell(root, error);
      return false;
    }
  }
}
