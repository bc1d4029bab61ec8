import type PQueue from 'p-queue';
import type { WatchedPath } from '../domain/watched-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { Journal } from '../ports/journal.ts';
import type { Deadline, Service } from '../ports/service.ts';
import type { ActiveTransfer } from './active-transfer.ts';
import type { CompanionTransfers } from './companion-transfers.ts';
import type { DrainBudget } from './drain-budget.ts';
import type { SessionSharing } from './session-sharing.ts';
import type { SessionShipping } from './session-shipping.ts';

export interface UploaderOptions {
  readonly journal: Journal;
  readonly shipping: Pick<SessionShipping, 'pass' | 'logAsItIs'>;
  readonly companions: Pick<CompanionTransfers, 'stopUnfit'>;
  readonly active: ReadonlySet<ActiveTransfer>;
  readonly budget: DrainBudget;
  readonly clock: Clock;
  readonly folder: string;
  /** Bounds how many sessions are under way at once; transfers are bounded by the queue that they share. */
  readonly sessions: PQueue;
  readonly sessionsMax: number;
  /** Something may still end, and be shipped, before a deadline. */
  readonly hasOpenSessions: () => boolean;
  readonly onShipped: (sid: number, root: WatchedPath) => void | Promise<void>;
  readonly sharing: Pick<SessionSharing, 'mayShip'>;
}

/** A share of the time before a deadline is kept for final logs. */
const finalLogsShare = 0.2;
const finalLogsMaxMs = 4000;
const restMsMax = 60_000;
/** An order of many sessions costs more than it is worth after each of them. */
const orderMax = 10_000;
const orderForMs = 1000;

/**
 * Takes sessions from the journal, oldest first, and ships them. The journal is the queue: what is in memory is only
 * which sessions are under way right now.
 */
export class Uploader implements Service {
  readonly name = 'uploader';
  readonly #options: UploaderOptions;
  readonly #underWay = new Set<number>();
  readonly #stop = new AbortController();
  readonly #transfers = new AbortController();
  /** Before a deadline: what to ship next, worked out now and then. */
  #order: { readonly sids: readonly number[]; readonly untilMs: number } = { sids: [], untilMs: 0 };
  #wake: (() => void) | undefined;
  #failed: { error: unknown } | undefined;
  #turns = 0;
  #running: Promise<void> | undefined;

  constructor(options: UploaderOptions) {
    this.#options = options;
  }

  /** New work was put into the journal. */
  wake(): void {
    this.#wake?.();
  }

  /** How often it looked for work: at least once a minute, however late the next session is due. */
  get turns(): number {
    return this.#turns;
  }

  get sessionsUnderWay(): number {
    return this.#underWay.size;
  }

  activeTransfers(): readonly ActiveTransfer[] {
    return [...this.#options.active];
  }

  run(): Promise<void> {
    this.#running ??= this.#loop();
    return this.#running;
  }

  async #loop(): Promise<void> {
    const { clock, sessions, sessionsMax, budget } = this.#options;
    while (!this.#stop.signal.aborted && !this.#transfers.signal.aborted) {
      this.#turns += 1;
      if (this.#failed) throw this.#failed.error;
      const room = sessionsMax - this.#underWay.size;
      const nowMs = clock.monotonicMs();
      const fresh = room > 0 ? this.#fresh(nowMs, room) : [];
      if (fresh.length === 0 && this.#underWay.size === 0 && budget.lift()) continue;
      for (const sid of fresh) {
        this.#underWay.add(sid);
        void sessions.add(() => this.#ship(sid));
      }
      await this.#rest(nowMs);
    }
    await sessions.onIdle();
    if (this.#failed) throw this.#failed.error;
  }

  /** Oldest first; before a deadline those with the least to send, so that as many as possible are completed. */
  #fresh(nowMs: number, room: number): readonly number[] {
    const { journal, folder, sessionsMax, budget } = this.#options;
    const isFree = (sid: number) => !this.#underWay.has(sid) && !budget.isPutAside(sid);
    if (!budget.isDraining)
      return journal
        .dueSessions(folder, nowMs, sessionsMax + room)
        .filter(isFree)
        .slice(0, room);
    if (nowMs >= this.#order.untilMs || !this.#order.sids.some(isFree))
      this.#order = { sids: journal.leastUnsent(folder, nowMs, orderMax), untilMs: nowMs + orderForMs };
    return this.#order.sids.filter(isFree).slice(0, room);
  }

  async #ship(sid: number): Promise<void> {
    const { journal, shipping, sharing, onShipped } = this.#options;
    try {
      if (!(await sharing.mayShip(sid))) return;
      if (await shipping.pass(sid, this.#transfers.signal)) {
        const root = journal.rootOf(sid);
        if (root !== undefined) await onShipped(sid, root);
      }
    } catch (error) {
      this.#failed ??= { error };
    } finally {
      this.#underWay.delete(sid);
      // Shipped or postponed: not again from the same list.
      this.#order = { ...this.#order, sids: this.#order.sids.filter((other) => other !== sid) };
      this.wake();
    }
  }

  /**
   * Until something is new, or the next postponed session is due. `lookedAtMs`: when the journal was asked what is due;
   * with a later time here, what became due in between would be neither due nor next.
   */
  async #rest(lookedAtMs: number): Promise<void> {
    const { journal, clock, folder, sessionsMax } = this.#options;
    if (this.#failed || this.#stop.signal.aborted || this.#transfers.signal.aborted) return;
    const isFull = this.#underWay.size >= sessionsMax;
    const nextMs = isFull ? undefined : journal.nextDueMs(folder, lookedAtMs);
    const timer = new AbortController();
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    const waitMs = nextMs === undefined ? restMsMax : Math.max(nextMs - clock.monotonicMs(), 0);
    await Promise.race([woken, clock.sleep(Math.min(waitMs, restMsMax), timer.signal)]);
    timer.abort();
    this.#wake = undefined;
  }

  /**
   * Ships on until shortly before the deadline, what can be completed soonest first; then the logs of what is there,
   * naming the rest as pending. A file that would not arrive in time gives way to others, and uses what time they leave:
   * its whole parts stay.
   */
  async drain(deadline: Deadline): Promise<void> {
    const { clock, budget, companions } = this.#options;
    const leftMs = deadline.atMs - clock.monotonicMs();
    const reserveMs = Math.min(leftMs * finalLogsShare, finalLogsMaxMs);
    budget.begin(deadline.atMs - reserveMs);
    if (this.#othersWait()) companions.stopUnfit();
    this.wake();
    await this.#idle(deadline.signal, deadline.atMs - reserveMs);
    this.#transfers.abort();
    this.wake();
    await this.#options.sessions.onIdle();
    await this.#finalLogs(deadline);
  }

  #othersWait(): boolean {
    const { journal, folder, clock, sessionsMax } = this.#options;
    const due = journal.dueSessions(folder, clock.monotonicMs(), sessionsMax + 1);
    return due.length > 1 || due.some((sid) => !this.#underWay.has(sid));
  }

  /** Nothing is open, nothing is left to ship. */
  get isIdle(): boolean {
    return this.isShipped && !this.#options.hasOpenSessions();
  }

  /** All that was queued is in the bucket, or parked. */
  get isShipped(): boolean {
    const { journal, folder } = this.#options;
    return this.#underWay.size === 0 && !journal.hasUnfinished(folder);
  }

  async #idle(signal: AbortSignal, atMs: number): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted && clock.monotonicMs() < atMs && !this.#failed && !this.isIdle) {
      await clock.sleep(Math.min(20, atMs - clock.monotonicMs()), signal);
    }
  }

  async #finalLogs(deadline: Deadline): Promise<void> {
    const { journal, folder, sessions, shipping, sharing } = this.#options;
    const left = journal.dueSessions(folder, Number.MAX_SAFE_INTEGER, 10_000);
    const signal = AbortSignal.any([deadline.signal, this.#stop.signal]);
    const logAsItIs = async (sid: number) => {
      if (await sharing.mayShip(sid)) await shipping.logAsItIs(sid, signal);
    };
    await sessions.addAll(left.map((sid) => () => logAsItIs(sid)));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#transfers.abort();
    this.wake();
    await this.#running?.catch(() => {
      // reason: whoever awaits run() is told
    });
  }
}
