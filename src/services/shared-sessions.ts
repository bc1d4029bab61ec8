import { Failure } from '../domain/failure.ts';
import { type LeaseIdentity, portableShape } from '../domain/lease.ts';
import { companionFolder } from '../domain/object-key.ts';
import { openSession } from '../domain/session-machine.ts';
import type { WatchedPath } from '../domain/watched-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { Entry } from '../ports/file-source.ts';
import type { Journal, SessionIdentity } from '../ports/journal.ts';
import type { SurveyedSession } from './folder-survey.ts';
import type { HeldLease } from './held-lease.ts';
import { type Claimed, leaseName } from './lease-claim.ts';
import { leaseIdentityOf, usableIdentity } from './lease-identity.ts';
import { SessionKeys } from './session-keys.ts';
import type { SessionLeases } from './session-leases.ts';
import type { SessionSharing } from './session-sharing.ts';
import type { TrackedSession } from './tracked-session.ts';

export interface SharedSessionsOptions {
  readonly leases: SessionLeases;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly keyTemplate: string;
  /** Undefined: the folder has not been seen yet, and nobody can tell. */
  readonly isShared: () => boolean | undefined;
  readonly tracked: (root: WatchedPath) => TrackedSession | undefined;
  /** The session must be looked at again. */
  readonly onDue: (root: WatchedPath) => void;
}

/** Before the folder has been looked at. */
const askAgainMs = 500;

/**
 * What leases mean for the sessions of this host. One that another host holds is neither assembled nor shipped: its
 * phase is `elsewhere`, its jobs stay as they are. One that comes back from another host is begun anew from the disk and
 * the bucket, as after a lost journal, under the identity that the lease records.
 */
export class SharedSessions implements SessionSharing {
  readonly #options: SharedSessionsOptions;
  /** Of the sessions that we may ship. */
  readonly #keys = new SessionKeys();
  readonly #sids = new Map<WatchedPath, number>();
  readonly #shapes = new Map<WatchedPath, string>();
  readonly #unsettled = new Set<WatchedPath>();

  constructor(options: SharedSessionsOptions) {
    this.#options = options;
    options.leases.onLost = (root, host) => this.#lose(root, host);
  }

  get isActive(): boolean {
    return this.#options.isShared() !== false;
  }

  /** A candidate is nobody's yet, and what is shipped and does not change needs nobody. */
  async mayLook(tracked: TrackedSession, surveyed: SurveyedSession, changed: boolean): Promise<boolean> {
    const { root } = tracked;
    const isCandidate = surveyed.root.by === 'name' && !tracked.record;
    const isAtRest = tracked.state.at === 'shipped' && !changed;
    const isUnsettled = this.#unsettled.delete(root);
    if (!wasElsewhere(tracked) && !isUnsettled && (isCandidate || isAtRest)) return true;
    if (!(await this.mayTake(tracked, surveyed.files))) return false;
    // It was shipped before anybody had looked at what it was that was shipped.
    if (isUnsettled && isAtRest) await this.onShipped(root, false);
    return true;
  }

  async mayTake(tracked: TrackedSession, files: readonly Entry[]): Promise<boolean> {
    const { leases } = this.#options;
    if (!this.isActive) {
      if (wasElsewhere(tracked)) this.#takeBack(tracked, undefined);
      return true;
    }
    const { root, directoryIdentity: directory } = tracked;
    const shape = portableShape(
      files.map(({ path, stat }) => ({ path, sizeBytes: stat.sizeBytes, mtimeNs: stat.mtimeNs })),
    );
    const claimed = await leases.claim({ root, directory, shape });
    if (claimed.at === 'away') return false;
    if (claimed.at === 'elsewhere') {
      this.#giveUp(tracked, claimed.host);
      return false;
    }
    this.#shapes.set(root, shape);
    if (wasElsewhere(tracked) || claimed.fromAnother) this.#takeBack(tracked, claimed.identity);
    tracked.inherited = usableIdentity(claimed.identity, tracked.record?.sid, this.#options);
    return true;
  }

  isDoneElsewhere(root: WatchedPath): boolean {
    return this.#options.leases.isDone(root);
  }

  onLeft(root: WatchedPath): void {
    this.#options.leases.forgetOther(root);
    this.#unsettled.delete(root);
  }

  #giveUp(tracked: TrackedSession, host: string): void {
    const isNews = tracked.heldBy === undefined;
    tracked.heldBy = host;
    tracked.lookAtMs = Number.POSITIVE_INFINITY;
    tracked.process = undefined;
    tracked.surveyed = undefined;
    if (!isNews || !tracked.record) return;
    this.#options.journal.setPhase(tracked.record.sid, 'elsewhere');
    tracked.record = { ...tracked.record, phase: 'elsewhere' };
  }

  /** Whatever was known of it may have been overtaken: disk, bucket and lease say what it is. */
  #takeBack(tracked: TrackedSession, inherited: LeaseIdentity | undefined): void {
    tracked.heldBy = undefined;
    const { record } = tracked;
    if (!record) return;
    const identity = usableIdentity(inherited, record.sid, this.#options) ?? record.identity;
    this.#options.journal.retake(record.sid, identity);
    const { seal: _, ...rest } = record;
    tracked.record = { ...rest, seal: undefined, phase: 'open', shape: '', revision: 0, identity };
    tracked.state = openSession;
    tracked.changing = [];
    tracked.impatience = 0;
  }

  async mayShip(sid: number): Promise<boolean> {
    const { leases, journal, clock, isShared, onDue } = this.#options;
    if (!this.isActive) return true;
    const record = journal.session(sid);
    if (!record?.identity) return true;
    if (record.phase === 'elsewhere') return false;
    const { root, identity, directoryIdentity: directory } = record;
    if (isShared() === undefined) {
      journal.postpone(sid, clock.monotonicMs() + askAgainMs);
      return false;
    }
    this.#sids.set(root, sid);
    const claimed = await leases.claim({ root, directory, shape: undefined });
    if (claimed.at === 'away') {
      const { code, message: cause, remedy } = claimed.failure;
      const dueAtMs = clock.monotonicMs() + leases.limits.beatMs / 10;
      journal.postpone(sid, dueAtMs, { reason: 'pending', code, cause, remedy });
      return false;
    }
    if (claimed.at === 'elsewhere' || claimed.fromAnother) {
      this.#leaveToLook(sid, root, claimed);
      onDue(root);
      return false;
    }
    const held = leases.held(root);
    if (!(held ? await this.#record(held, identity) : leases.isAlone(root))) {
      if (leases.held(root)) journal.postpone(sid, clock.monotonicMs() + leases.limits.beatMs / 10);
      return false;
    }
    const { keyTemplate } = this.#options;
    this.#keys.add(root, identity.key, companionFolder(keyTemplate, identity.startedAtMs, identity.id));
    return true;
  }

  /** Only a look at its files can tell how it goes on. */
  #leaveToLook(sid: number, root: WatchedPath, claimed: Claimed): void {
    this.#options.journal.setPhase(sid, 'elsewhere');
    const tracked = this.#options.tracked(root);
    if (tracked?.record?.sid !== sid) return;
    tracked.record = { ...tracked.record, phase: 'elsewhere' };
    if (claimed.at === 'elsewhere') tracked.heldBy = claimed.host;
  }

  /** Before anything is seen under an identity, the lease says it: whoever takes over goes on under it. */
  async #record(held: HeldLease, identity: SessionIdentity): Promise<boolean> {
    const { leases } = this.#options;
    const said = leaseIdentityOf(identity);
    if (JSON.stringify(held.lease.identity) === JSON.stringify(said)) return leases.confirm(held);
    return leases.write(held, { identity: said });
  }

  async assertMayWrite(key: string): Promise<void> {
    const { leases } = this.#options;
    if (!this.isActive) return;
    const root = this.#keys.rootOf(key) ?? (await this.#learn(key));
    if (root !== undefined && leases.isAlone(root)) return;
    const held = root === undefined ? undefined : leases.held(root);
    if (held && (await leases.confirm(held))) return;
    const attempted = `writing ${JSON.stringify(key)}`;
    if (held && root !== undefined && leases.held(root) === held) {
      const found = `${attempted}: whether this host still ships the session cannot be told, its lease cannot be read`;
      throw new Failure({ kind: 'transient', code: 'LeaseUnknown', attempted: found });
    }
    throw new Failure({
      kind: 'cancelled',
      code: 'LeaseLost',
      attempted: `${attempted}: another host ships it`,
    });
  }

  /** A key of a session that no pass has been made over yet: the id stands in it. */
  async #learn(key: string): Promise<WatchedPath | undefined> {
    for (const segment of key.split('/')) {
      const sid = this.#options.journal.idHolder(segment);
      if (sid !== undefined && (await this.mayShip(sid))) return this.#keys.rootOf(key);
    }
    return undefined;
  }

  #lose(root: WatchedPath, host: string): void {
    const { tracked } = this.#options;
    const session = tracked(root);
    const sid = this.#sids.get(root);
    if (sid !== undefined && sid !== session?.record?.sid) this.#options.journal.setPhase(sid, 'elsewhere');
    if (session) this.#giveUp(session, host);
    this.#forget(root);
  }

  #forget(root: WatchedPath): void {
    this.#shapes.delete(root);
    this.#sids.delete(root);
    this.#keys.delete(root);
  }

  async onShipped(root: WatchedPath, isGone: boolean): Promise<void> {
    const { leases } = this.#options;
    if (!this.isActive) return;
    const shape = this.#shapes.get(root);
    if (isGone) await leases.remove(root);
    else if (shape === undefined) this.#unsettled.add(root);
    else await leases.done(root, shape);
    if (isGone || shape !== undefined) this.#forget(root);
  }

  elsewhere(): readonly { session: string; host: string }[] {
    return this.#options.leases.elsewhere().map(({ root, host }) => ({ session: leaseName(root), host }));
  }
}

function wasElsewhere({ heldBy, record }: TrackedSession): boolean {
  return heldBy !== undefined || record?.phase === 'elsewhere';
}
