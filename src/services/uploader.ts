import type PQueue from 'p-queue';
import type { WatchedPath } from '../domain/watched-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { Journal } from '../ports/journal.ts';
import type { Deadline, Service } from '../ports/service.ts';
import type { ActiveTransfer } from './active-transfer.ts';
import type { SessionShipping } from './session-shipping.ts';

export interface UploaderOptions {
  readonly journal: Journal;
  readonly shipping: SessionShipping;
  readonly clock: Clock;
  readonly folder: string;
  /** Bounds how many sessions are under way at once; transfers are bounded by the queue that they share. */
  readonly sessions: PQueue;
  readonly sessionsMax: number;
  /** Something may still end, and be shipped, before a deadline. */
  readonly hasOpenSessions: () => boolean;
  readonly onShipped: (sid: number, root: WatchedPath) => void;
}

/** A share of the time before a deadline is kept for final logs. */
const finalLogsShare = 0.2;
const finalLogsMaxMs = 4000;

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
  #wake: (() => void) | undefined;
  #failed: { error: unknown } | undefined;
  #running: Promise<void> | undefined;

  constructor(options: UploaderOptions) {
    this.#options = options;
  }

  /** New work was put into the journal. */
  wake(): void {
    this.#wake?.();
  }

  activeTransfers(): readonly ActiveTransfer[] {
    return [...this.#options.shipping.active];
  }

  run(): Promise<void> {
    this.#running ??= this.#loop();
    return this.#running;
  }

  async #loop(): Promise<void> {
    const { journal, clock, folder, sessions, sessionsMax } = this.#options;
    while (!this.#stop.signal.aborted && !this.#transfers.signal.aborted) {
      if (this.#failed) throw this.#failed.error;
      const room = sessionsMax - this.#underWay.size;
      const nowMs = clock.monotonicMs();
      const due = room > 0 ? journal.dueSessions(folder, nowMs, sessionsMax + room) : [];
      const fresh = due.filter((sid) => !this.#underWay.has(sid)).slice(0, room);
      for (const sid of fresh) {
        this.#underWay.add(sid);
        void sessions.add(() => this.#ship(sid));
      }
      await this.#rest(nowMs);
    }
    await sessions.onIdle();
    if (this.#failed) throw this.#failed.error;
  }

  async #ship(sid: number): Promise<void> {
    const { journal, shipping, onShipped } = this.#options;
    try {
      if (await shipping.pass(sid, this.#transfers.signal)) {
        const root = journal.rootOf(sid);
        if (root !== undefined) onShipped(sid, root);
      }
    } catch (error) {
      this.#failed ??= { error };
    } finally {
      this.#underWay.delete(sid);
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
    const waitMs = nextMs === undefined ? 60_000 : Math.max(nextMs - clock.monotonicMs(), 0);
    await Promise.race([woken, clock.sleep(waitMs, timer.signal)]);
    timer.abort();
    this.#wake = undefined;
  }

  /** Ships on until shortly before the deadline; then the logs of what is there, naming the rest as pending. */
  async drain(deadline: Deadline): Promise<void> {
    const { clock } = this.#options;
    const leftMs = deadline.atMs - clock.monotonicMs();
    const reserveMs = Math.min(leftMs * finalLogsShare, finalLogsMaxMs);
    await this.#idle(deadline.signal, deadline.atMs - reserveMs);
    this.#transfers.abort();
    this.wake();
    await this.#options.sessions.onIdle();
    await this.#finalLogs(deadline);
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
    const { journal, folder, sessions, shipping } = this.#options;
    const left = journal.dueSessions(folder, Number.MAX_SAFE_INTEGER, 10_000);
    const signal = AbortSignal.any([deadline.signal, this.#stop.signal]);
    await sessions.addAll(left.map((sid) => () => shipping.logAsItIs(sid, signal)));
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
