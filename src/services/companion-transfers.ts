import type PQueue from 'p-queue';
import { displayPath } from '../domain/watched-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { FileRecord, Journal, Shipment } from '../ports/journal.ts';
import { type ActiveTransfer, MovingTransfer } from './active-transfer.ts';
import type { DrainBudget } from './drain-budget.ts';
import type { OneTransfer, TransferEnd } from './file-transfer.ts';
import { TransferTurns } from './transfer-turns.ts';

export interface CompanionTransfersOptions {
  readonly clock: Clock;
  readonly journal: Pick<Journal, 'openUpload' | 'synced'>;
  readonly transfer: OneTransfer;
  /** Bounds the transfers of all sessions together. */
  readonly queue: PQueue;
  readonly budget: DrainBudget;
  /** Shared with others who transfer. */
  readonly active: Set<ActiveTransfer>;
}

/** What a round of transfers came to. */
export interface Round {
  /** Jobs that are not what they were: recorded, gone, parked, or due later. */
  readonly moved: number;
  /** Files that would not arrive before a deadline. */
  readonly leftOut: number;
}

/** A session's files through the queue that all sessions share, each watched while it is on its way. */
export class CompanionTransfers {
  readonly #options: CompanionTransfersOptions;
  readonly #turns = new TransferTurns();
  readonly #stops = new Map<ActiveTransfer, AbortController>();

  constructor(options: CompanionTransfersOptions) {
    this.#options = options;
  }

  /** The first failure is thrown once nothing of the round is on its way any more. */
  async run(
    shipment: Shipment,
    files: readonly FileRecord[],
    signal: AbortSignal,
    onlyRecheck: boolean,
  ): Promise<Round> {
    const round = { moved: 0, leftOut: 0 };
    const releases: (() => Promise<void>)[] = [];
    let isOver = false;
    const run = async (file: FileRecord) => {
      if (isOver || signal.aborted) return;
      if (!onlyRecheck && !this.#fits(shipment.sid, file)) {
        round.leftOut += 1;
        return;
      }
      try {
        const { moved, release } = await this.#transfer(shipment, file, signal, onlyRecheck);
        if (release) releases.push(release);
        if (moved) round.moved += 1;
        else if (!onlyRecheck && !signal.aborted) round.leftOut += 1;
      } catch (error) {
        isOver = true;
        throw error;
      }
    };
    const runs = files.map((file) => this.#queued(shipment.sid, file.sizeBytes, () => run(file)));
    const results = await Promise.allSettled(runs);
    if (releases.length > 0) await this.#options.journal.synced();
    for (const release of releases) await release();
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return round;
  }

  #fits(sid: number, { path, sizeBytes }: FileRecord): boolean {
    const { budget, journal } = this.#options;
    if (!budget.isDraining) return true;
    const parts = journal.openUpload(sid, path)?.parts ?? [];
    return budget.fits(parts.reduce((left, part) => left - part.sizeBytes, sizeBytes));
  }

  /** Each gets a turn in the queue; whose turn it is, is decided when it comes. */
  #queued(sid: number, sizeBytes: number, work: () => Promise<void>): Promise<void> {
    const { queue, budget } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const begin = async () => {
      resolve(work());
      await promise.catch(() => {}); // reason: whoever queued it is told
    };
    this.#turns.add({ sid, sizeBytes, begin });
    void queue.add(async () => {
      await this.#turns.take(budget.isDraining)?.begin();
    });
    return promise;
  }

  /** Makes room before a deadline: what cannot arrive in time stops now, and keeps the parts that arrived. */
  stopUnfit(): void {
    for (const [active, stop] of this.#stops) {
      if (!this.#options.budget.fits(active.sizeBytes - active.sentBytes)) stop.abort();
    }
  }

  async #transfer(
    shipment: Shipment,
    file: FileRecord,
    signal: AbortSignal,
    onlyRecheck: boolean,
  ): Promise<TransferEnd> {
    const { path, sizeBytes } = file;
    const what = { session: shipment.identity.id, path: displayPath(path), sizeBytes };
    const active = new MovingTransfer(what, this.#options.clock);
    const onProgress = (sentBytes: number) => active.moved(sentBytes);
    const onRead = (bytes: number) => {
      active.readBytes += bytes;
    };
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    this.#stops.set(active, stop);
    this.#options.active.add(active);
    try {
      return await this.#options.transfer.run(shipment, file, either, { onlyRecheck, onProgress, onRead });
    } finally {
      this.#stops.delete(active);
      this.#options.active.delete(active);
    }
  }
}
