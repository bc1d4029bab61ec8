import type PQueue from 'p-queue';
import { Failure } from '../domain/failure.ts';
import { companionKey, sessionLogKey } from '../domain/object-key.ts';
import { retryDelayMs } from '../domain/retry-policy.ts';
import { suffixedId } from '../domain/session-identity.ts';
import { displayPath } from '../domain/watched-path.ts';
import type { FileRecord, SessionIdentity, Shipment } from '../ports/journal.ts';
import type { ActiveTransfer } from './active-transfer.ts';
import type { FileTransfer } from './file-transfer.ts';
import { idWarning } from './identify.ts';
import type { LogShipping, ShippedState } from './log-shipping.ts';
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
    const { journal, events, store, clock } = this.#context;
    let shipped = await this.#shipLog(sid, signal);
    if (shipped?.adopted) shipped = await this.#shipLog(sid, signal);
    const shipment = journal.shipment(sid);
    if (!shipment || !shipped) return false;
    if (!shipment.certain) {
      journal.postpone(sid, clock.monotonicMs() + store.createSettleMs);
      return false;
    }
    if (!journal.finish(shipment)) return false;
    this.#logs.forget(sid);
    const { identity, draft, revision } = shipment;
    const { key, id: session } = identity;
    if (shipped.written || revision > 0) {
      events.emit('session.shipped', {
        session,
        key,
        status: draft.status,
        revision,
        missing: shipped.missing,
      });
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

  /** False when it is too early to be sure that the session's first log won its key. */
  async #isCertain(sid: number, signal: AbortSignal): Promise<boolean> {
    const shipment = this.#context.journal.shipment(sid);
    if (!shipment) return false;
    if (shipment.certain) return true;
    await this.#context.gate.through(signal, () => this.#logs.confirm(shipment, signal));
    return !signal.aborted;
  }

  /** Before bytes move: the log in the bucket must name what is on its way, and list nothing that is to be replaced. */
  async #announce(sid: number, signal: AbortSignal): Promise<'ready' | 'adopted' | 'later'> {
    const { journal, clock, store } = this.#context;
    const pending = journal.pendingFiles(sid, clock.monotonicMs(), pageSize);
    const shipment = journal.shipment(sid);
    if (!shipment) return 'later';
    if (pending.length === 0) return 'ready';
    if (shipment.revision > 0 && !pending.some((file) => file.listed)) return 'ready';
    const shipped = await this.#shipLog(sid, signal);
    if (signal.aborted) return 'later';
    if (shipped?.adopted) return 'adopted';
    if (journal.shipment(sid)?.certain) return 'ready';
    journal.postpone(sid, clock.monotonicMs() + store.createSettleMs);
    return 'later';
  }

  async #shipLog(sid: number, signal: AbortSignal): Promise<ShippedState | undefined> {
    return this.#queue.add(() => this.#context.gate.through(signal, () => this.#logs.ship(sid, signal)));
  }

  async #transferAll(
    sid: number,
    files: readonly FileRecord[],
    signal: AbortSignal,
    onlyRecheck: boolean,
  ): Promise<void> {
    const shipment = this.#context.journal.shipment(sid);
    if (!shipment || files.length === 0) return;
    const runs = files.map((file) =>
      this.#queue.add(() => this.#transferOne(shipment, file, signal, onlyRecheck)),
    );
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

  /** The id is another session's in the bucket: nothing there is touched, all of this session moves to an id of its own. */
  #rename(sid: number): void {
    const { journal, events, keyTemplate } = this.#context;
    const shipment = journal.shipment(sid);
    if (!shipment) return;
    const { identity } = shipment;
    let id = suffixedId(identity.id, identity.origin);
    for (let attempt = 1; journal.idHolder(id) !== undefined; attempt++) {
      id = suffixedId(identity.id, `${identity.origin}-${attempt}`);
    }
    const reason = 'the bucket holds another session under that id';
    const renamed: SessionIdentity = {
      ...identity,
      id,
      key: sessionLogKey(keyTemplate, identity.startedAtMs, id),
      warnings: [...identity.warnings, idWarning(identity.id, reason, id)],
    };
    journal.rename(sid, renamed, (path) => companionKey(keyTemplate, identity.startedAtMs, id, path).key);
    this.#logs.forget(sid);
    events.emit('session.renamed', { session: id, wanted: identity.id, reason });
  }

  #fail(sid: number, failure: Failure): void {
    const { journal, events, clock, retry } = this.#context;
    if (failure.kind === 'cancelled') return;
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
    journal.postpone(sid, Math.round(clock.monotonicMs() + delayMs), {
      reason: 'pending',
      code,
      cause,
      remedy,
    });
    events.emit('upload.retry', { session, path, attempt, delayMs, code, cause });
  }
}
