import type PQueue from 'p-queue';
import { Failure } from '../domain/failure.ts';
import type { FileRecord, Shipment } from '../ports/journal.ts';
import type { CompanionTransfers } from './companion-transfers.ts';
import type { DrainBudget } from './drain-budget.ts';
import type { LogShipping, ShippedState } from './log-shipping.ts';
import { renameSession } from './rename-session.ts';
import type { ResumeRecords } from './resume-records.ts';
import { recordSessionFailure } from './session-outcome.ts';
import { IdentityTaken, type ShippingContext } from './shipping-context.ts';

/** How many jobs of one session are in memory at once. */
const pageSize = 1000;

/**
 * One pass over one session: a first log that names everything as pending, the companions, the final log.
 *
 *   invariant: no companion that the log in the bucket lists is replaced before that log names it as pending; a log
 *     that another host may have written, as `recover` does, is looked at first (ADR 26)
 *   invariant: the final log goes only when nothing is pending
 *   invariant: a log that says that the session has ended is corrected before anything else of one that goes on is sent,
 *     and is not written any more once the session is open again (ADR 44)
 *   invariant: what a request of unknown outcome may yet overwrite is looked at again before the session is shipped
 *
 * The first log also wins the id: it is created, never written over somebody's. A few small files of a session that has
 * ended, with an id that nobody else can have, go without it: they and the final log are there a moment later, and in
 * between they are objects of ours by their metadata, which the next start finds, verifies and lists.
 */
export class SessionShipping {
  readonly #context: ShippingContext;
  readonly #logs: LogShipping;
  readonly #records: ResumeRecords;
  readonly #companions: CompanionTransfers;
  readonly #queue: PQueue;
  readonly #budget: DrainBudget;
  /** Sessions whose log is to be looked at again, by the monotonic time from which on that tells. */
  readonly #lookAgainMs = new Map<number, number>();

  constructor(options: {
    context: ShippingContext;
    logs: LogShipping;
    records: ResumeRecords;
    companions: CompanionTransfers;
    /** Shared with the companions. */
    queue: PQueue;
    budget: DrainBudget;
  }) {
    this.#context = options.context;
    this.#logs = options.logs;
    this.#records = options.records;
    this.#companions = options.companions;
    this.#queue = options.queue;
    this.#budget = options.budget;
  }

  /** True when the session is shipped; otherwise the journal says when to come back. */
  async pass(sid: number, signal: AbortSignal): Promise<boolean> {
    try {
      // Nothing goes out under an id, or for a job, that a power cut could take back.
      await this.#context.journal.synced();
      return await this.#pass(sid, signal);
    } catch (error) {
      await this.#settle(sid, error, signal);
      return false;
    }
  }

  async #pass(sid: number, signal: AbortSignal): Promise<boolean> {
    const { journal, clock, retry } = this.#context;
    if (!(await this.#isCertain(sid, signal))) return false;
    for (;;) {
      const page = journal.pendingFiles(sid, clock.monotonicMs(), pageSize);
      if (page.length === 0 || signal.aborted) break;
      const before = journal.shipment(sid);
      if (!before) return false;
      const withReceipt = page.filter((file) => file.receipt !== undefined);
      const checked = await this.#companions.run(before, withReceipt, signal, true);
      const announced = await this.#announce(sid, signal);
      if (announced === 'later') return false;
      if (announced === 'adopted') continue;
      // What became pending while the log was written may still be listed in it: that waits for the next round.
      const ready = journal.pendingFiles(sid, clock.monotonicMs(), pageSize).filter((file) => !file.listed);
      const shipment = journal.shipment(sid);
      if (!shipment) return false;
      const sent = await this.#companions.run(shipment, ready, signal, false);
      if (announced === 'written' || checked.moved + sent.moved > 0 || signal.aborted) continue;
      if (sent.leftOut > 0 && this.#budget.isDraining) this.#budget.putAside(sid);
      // Nothing moved in a whole round, whatever the reason: not a loop to be in.
      else journal.postpone(sid, clock.monotonicMs() + retry.maxDelayMs);
      return false;
    }
    if (signal.aborted) return false;
    const nextMs = journal.nextFileDueMs(sid);
    if (nextMs !== undefined) {
      // A session that goes on may have a file that never stays as it is while it is read: the others are listed.
      if (journal.shipment(sid)?.draft.status === 'running') await this.#shipLog(sid, signal);
      journal.postpone(sid, nextMs);
      return false;
    }
    return this.#finish(sid, signal);
  }

  async #finish(sid: number, signal: AbortSignal): Promise<boolean> {
    const { journal, events, store } = this.#context;
    let shipped = await this.#shipLog(sid, signal);
    if (shipped?.adopted) shipped = await this.#shipLog(sid, signal);
    const shipment = journal.shipment(sid);
    // What was enqueued while the log was on its way is not in it: the next pass writes that.
    if (!shipment || shipment.work !== shipped?.work) return false;
    if (!shipment.certain || (shipment.logDoubted && !store.createIsAtomic)) {
      this.#wait(sid);
      return false;
    }
    if (!journal.finish(shipment)) return false;
    this.#logs.forget(sid);
    const { identity, draft, revision } = shipment;
    const { key, id: session } = identity;
    if (shipped.written || revision > 0) {
      const { status } = draft;
      // The first says that the session is in the bucket; that it still goes on is news to nobody.
      const isRoutine = status === 'running' && shipment.work > 1;
      const name = isRoutine ? 'session.snapshot' : 'session.shipped';
      events.emit(name, { session, key, status, revision, missing: shipped.missing });
    }
    return true;
  }

  /** Time is up: one try at a log that lists what is there and names the rest as pending, and at records of the latter. */
  async logAsItIs(sid: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    try {
      await this.#context.journal.synced();
      const ship = () => this.#logs.ship(sid, signal);
      const shipped = await this.#withoutNamed(sid, signal, ship);
      if (shipped?.adopted) await this.#withoutNamed(sid, signal, ship);
      await this.#records.writeAll(sid, signal);
    } catch (error) {
      await this.#settle(sid, error, signal);
    }
  }

  /** Before a log that another write may have replaced, or may yet, is looked at again, also when another life wrote it. */
  #wait(sid: number): void {
    const { journal, clock, store } = this.#context;
    const atMs = clock.monotonicMs() + store.createSettleMs;
    this.#lookAgainMs.set(sid, atMs);
    journal.postpone(sid, atMs);
  }

  /** False when it is too early to be sure that the session's first log won its key. */
  async #isCertain(sid: number, signal: AbortSignal): Promise<boolean> {
    const { journal, clock, gate } = this.#context;
    const shipment = journal.shipment(sid);
    if (!shipment) return false;
    const atMs = this.#lookAgainMs.get(sid);
    // Without a time, a log that is only in doubt keeps nobody waiting before the end.
    if (shipment.certain && (atMs === undefined || atMs > clock.monotonicMs())) return true;
    if (atMs === undefined) {
      this.#wait(sid);
      return false;
    }
    if (atMs > clock.monotonicMs()) {
      journal.postpone(sid, atMs);
      return false;
    }
    this.#lookAgainMs.delete(sid);
    await gate.through(signal, sid, () => this.#logs.confirm(shipment, signal));
    return !signal.aborted;
  }

  /**
   * Before bytes move: the log in the bucket must name what is on its way, and list nothing that is to be replaced. Never
   * 'ready' while it is in doubt what that log says.
   */
  async #announce(sid: number, signal: AbortSignal): Promise<'ready' | 'written' | 'adopted' | 'later'> {
    const { journal, clock } = this.#context;
    const pending = journal.pendingFiles(sid, clock.monotonicMs(), pageSize);
    const shipment = journal.shipment(sid);
    if (!shipment || shipment.withdrawn) return 'later';
    if (pending.length === 0 || needsNoFirstLog(shipment, pending)) return 'ready';
    const isToldOf = shipment.revision > 0 && !isDoubted(shipment) && !isFalse(shipment);
    if (isToldOf && !pending.some((file) => file.listed)) return 'ready';
    const shipped = await this.#shipLog(sid, signal);
    if (signal.aborted) return 'later';
    if (shipped?.adopted) return 'adopted';
    if (journal.shipment(sid)?.certain) return shipped?.written ? 'written' : 'ready';
    this.#wait(sid);
    return 'later';
  }

  /** Before all transfers that wait: a log is small, and the end of a session waits for nothing else. */
  async #shipLog(sid: number, signal: AbortSignal): Promise<ShippedState | undefined> {
    const { gate } = this.#context;
    const ship = () => gate.through(signal, sid, () => this.#logs.ship(sid, signal));
    return this.#withoutNamed(sid, signal, () => this.#queue.add(ship, { priority: 1 }));
  }

  /** Before a log that would let another host complete what was given up, the records of it are made void. */
  async #withoutNamed(
    sid: number,
    signal: AbortSignal,
    ship: () => Promise<ShippedState | undefined>,
  ): Promise<ShippedState | undefined> {
    for (;;) {
      const shipped = await ship();
      if (shipped?.adopted) this.#records.left.expect(sid);
      if (!shipped?.named) return shipped;
      await this.#records.voidGivenUp(sid, shipped.named, signal);
    }
  }

  /** What ended a pass, made into what the journal says of the session. */
  async #settle(sid: number, error: unknown, signal: AbortSignal): Promise<void> {
    if (error instanceof Failure) return recordSessionFailure(this.#context, sid, error);
    if (!(error instanceof IdentityTaken)) throw error;
    try {
      await renameSession(this.#context, this.#logs, sid, signal);
      this.#lookAgainMs.delete(sid);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      recordSessionFailure(this.#context, sid, failure);
    }
  }
}

/** Another log may be in the bucket than the one that the journal knows, with other files in its list. */
function isDoubted({ logEtag, logDigest, logContested }: Shipment): boolean {
  return logContested || (logEtag !== undefined && logDigest === undefined);
}

/** It goes on, and the log in the bucket may say that it has ended (ADR 44). */
function isFalse({ draft, endTold }: Shipment): boolean {
  return endTold && draft.status === 'running';
}

/** Together they are there about as soon as the log that would announce them. */
const smallFilesMax = 8;
const smallBytesMax = 1024 * 1024;

/** Nothing was ever tried, nothing is listed anywhere, nobody can contest the id, and the session grows no more. */
function needsNoFirstLog(shipment: Shipment, pending: readonly FileRecord[]): boolean {
  const { identity, revision, logEtag, logDoubted, draft } = shipment;
  if (!identity.unique || revision > 0 || logEtag !== undefined || logDoubted) return false;
  if (draft.status === 'running' || draft.status === 'stalled' || pending.length > smallFilesMax)
    return false;
  const bytes = pending.reduce((sum, file) => sum + file.sizeBytes, 0);
  return bytes <= smallBytesMax && pending.every((file) => file.attempts === 0 && !file.uncertain);
}
