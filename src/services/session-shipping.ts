import type PQueue from 'p-queue';
import { Failure } from '../domain/failure.ts';
import { retryDelayMs } from '../domain/retry-policy.ts';
import { displayPath } from '../domain/watched-path.ts';
import type { FileRecord, Shipment } from '../ports/journal.ts';
import type { ActiveTransfer } from './active-transfer.ts';
import type { FileTransfer } from './file-transfer.ts';
import type { LogShipping, ShippedState } from './log-shipping.ts';
import { renameSession } from './rename-session.ts';
import { IdentityTaken, type ShippingContext } from './shipping-context.ts';

/** How many jobs of one session are in memory at once. */
const pageSize = 1000;

/**
 * One pass over one session: a first log that names everything as pending, the companions, the final log.
 *
 *   invariant: no companion that the log in the bucket lists is replaced before that log names it as pending
 *   invariant: the final log goes only when nothing is pending
 *
 * The first log also wins the id: it is created, never written over somebody's.
 */
export class SessionShipping {
  readonly #context: ShippingContext;
  readonly #logs: LogShipping;
  readonly #transfer: FileTransfer;
  readonly #queue: PQueue;
  readonly active = new Set<ActiveTransfer>();
  readonly #waited = new Set<number>();

  constructor(options: {
    context: ShippingContext;
    logs: LogShipping;
    transfer: FileTransfer;
    queue: PQueue;
  }) {
    this.#context = options.context;
    this.#logs = options.logs;
    this.#transfer = options.transfer;
    this.#queue = options.queue;
  }

  /** True when the session is shipped; otherwise the journal says when to come back. */
  async pass(sid: number, signal: AbortSignal): Promise<boolean> {
    try {
      return await this.#pass(sid, signal);
    } catch (error) {
      if (error instanceof IdentityTaken) this.#rename(sid);
      else if (error instanceof Failure) this.#fail(sid, error);
      else throw error;
      return false;
    }
  }

  async #pass(sid: number, signal: AbortSignal): Promise<boolean> {
    const { journal, clock, retry } = this.#context;
    if (!(await this.#isCertain(sid, signal))) return false;
    let before = '';
    for (;;) {
      const page = journal.pendingFiles(sid, clock.monotonicMs(), pageSize);
      if (page.length === 0 || signal.aborted) break;
      const now = JSON.stringify(page);
      // Nothing moved in a whole round, whatever the reason: not a loop to be in.
      if (now === before) {
        journal.postpone(sid, clock.monotonicMs() + retry.maxDelayMs);
        return false;
      }
      before = now;
      await this.#transferAll(
        sid,
        page.filter((file) => file.receipt !== undefined),
        signal,
        true,
      );
      const announced = await this.#announce(sid, signal);
      if (announced === 'later') return false;
      if (announced === 'adopted') {
        before = '';
        continue;
      }
      // What became pending while the log was written may still be listed in it: that waits for the next round.
      const ready = journal.pendingFiles(sid, clock.monotonicMs(), pageSize).filter((file) => !file.listed);
      await this.#transferAll(sid, ready, signal, false);
    }
    if (signal.aborted) return false;
    const nextMs = journal.nextFileDueMs(sid);
    if (nextMs !== undefined) {
      journal.postpone(sid, nextMs);
      return false;
    }
    return this.#finish(sid, signal);
  }

  async #finish(sid: number, signal: AbortSignal): Promise<boolean> {
    const { journal, events } = this.#context;
    let shipped = await this.#shipLog(sid, signal);
    if (shipped?.adopted) shipped = await this.#shipLog(sid, signal);
    const shipment = journal.shipment(sid);
    if (!shipment || !shipped) return false;
    if (!shipment.certain) {
      this.#wait(sid);
      return false;
    }
    if (!journal.finish(shipment)) return false;
    this.#logs.forget(sid);
    const { identity, draft, revision } = shipment;
    const { key, id: session } = identity;
    if (shipped.written || revision > 0) {
      const { status } = draft;
      events.emit('session.shipped', { session, key, status, revision, missing: shipped.missing });
    }
    return true;
  }

  /** Time is up: one try at a log that lists what is there and names the rest as pending. */
  async logAsItIs(sid: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    try {
      const shipped = await this.#logs.ship(sid, signal);
      if (shipped?.adopted) await this.#logs.ship(sid, signal);
    } catch (error) {
      if (error instanceof IdentityTaken) this.#rename(sid);
      else if (error instanceof Failure) this.#fail(sid, error);
      else throw error;
    }
  }

  /** Before a first log that was not written atomically is looked at again, also when another life wrote it. */
  #wait(sid: number): void {
    const { journal, clock, store } = this.#context;
    this.#waited.add(sid);
    journal.postpone(sid, clock.monotonicMs() + store.createSettleMs);
  }

  /** False when it is too early to be sure that the session's first log won its key. */
  async #isCertain(sid: number, signal: AbortSignal): Promise<boolean> {
    const shipment = this.#context.journal.shipment(sid);
    if (!shipment) return false;
    if (shipment.certain) return true;
    if (!this.#waited.has(sid)) {
      this.#wait(sid);
      return false;
    }
    this.#waited.delete(sid);
    await this.#context.gate.through(signal, sid, () => this.#logs.confirm(shipment, signal));
    return !signal.aborted;
  }

  /** Before bytes move: the log in the bucket must name what is on its way, and list nothing that is to be replaced. */
  async #announce(sid: number, signal: AbortSignal): Promise<'ready' | 'adopted' | 'later'> {
    const { journal, clock } = this.#context;
    const pending = journal.pendingFiles(sid, clock.monotonicMs(), pageSize);
    const shipment = journal.shipment(sid);
    if (!shipment) return 'later';
    if (pending.length === 0) return 'ready';
    if (shipment.revision > 0 && !pending.some((file) => file.listed)) return 'ready';
    const shipped = await this.#shipLog(sid, signal);
    if (signal.aborted) return 'later';
    if (shipped?.adopted) return 'adopted';
    if (journal.shipment(sid)?.certain) return 'ready';
    this.#wait(sid);
    return 'later';
  }

  async #shipLog(sid: number, signal: AbortSignal): Promise<ShippedState | undefined> {
    return this.#queue.add(() => this.#context.gate.through(signal, sid, () => this.#logs.ship(sid, signal)));
  }

  async #transferAll(
    sid: number,
    files: readonly FileRecord[],
    signal: AbortSignal,
    onlyRecheck: boolean,
  ): Promise<void> {
    const shipment = this.#context.journal.shipment(sid);
    if (!shipment || files.length === 0) return;
    let isOver = false;
    const run = async (file: FileRecord) => {
      if (isOver) return;
      try {
        await this.#transferOne(shipment, file, signal, onlyRecheck);
      } catch (error) {
        isOver = true;
        throw error;
      }
    };
    const runs = files.map((file) => this.#queue.add(() => run(file)));
    const results = await Promise.allSettled(runs);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  async #transferOne(
    shipment: Shipment,
    file: FileRecord,
    signal: AbortSignal,
    onlyRecheck: boolean,
  ): Promise<void> {
    if (signal.aborted) return;
    const active: ActiveTransfer = {
      session: shipment.identity.id,
      path: displayPath(file.path),
      sizeBytes: file.sizeBytes,
      startedMs: this.#context.clock.monotonicMs(),
      sentBytes: 0,
    };
    const onProgress = (sentBytes: number) => {
      active.sentBytes = sentBytes;
    };
    this.active.add(active);
    try {
      await this.#transfer.run(shipment, file, signal, { onlyRecheck, onProgress });
    } finally {
      this.active.delete(active);
    }
  }

  #rename(sid: number): void {
    renameSession(this.#context, sid);
    this.#logs.forget(sid);
  }

  #fail(sid: number, failure: Failure): void {
    const { journal, events, clock, retry, gate } = this.#context;
    if (failure.kind === 'cancelled') return;
    // Denied: others are let try first; no attempt is spent.
    if (failure.kind === 'blocked') {
      journal.postpone(sid, clock.monotonicMs() + gate.waitMs);
      return;
    }
    const shipment = journal.shipment(sid);
    if (!shipment) return;
    const { id: session, key: path } = shipment.identity;
    const { code, message: cause, remedy = '' } = failure;
    if (failure.kind === 'permanent') {
      journal.park(sid, { reason: 'parked', code, cause, remedy });
      events.emit('file.parked', { session, path, reason: 'parked', code, cause, remedy });
      return;
    }
    const attempt = shipment.attempts + 1;
    const delayMs = retryDelayMs(attempt, retry, clock.random(), failure.retryAfterMs);
    const why = { reason: 'pending', code, cause, remedy } as const;
    journal.postpone(sid, clock.monotonicMs() + delayMs, why);
    events.emit('upload.retry', { session, path, attempt, delayMs, code, cause });
  }
}
