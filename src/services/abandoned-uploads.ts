import { Failure } from '../domain/failure.ts';
import type { Clock } from '../ports/clock.ts';
import type { Journal } from '../ports/journal.ts';
import type { PartStore } from '../ports/part-store.ts';

export interface AbandonedUploadsOptions {
  readonly journal: Journal;
  readonly parts: PartStore;
  readonly clock: Clock;
}

const pageSize = 200;
/** The guide's lifecycle rule ends an upload by then, and with it what its parts cost. */
const lifecycleMs = 7 * 24 * 3_600_000;
/** A right that is missing is not asked for with every upload; it may be granted one day. */
const askAgainMs = 3_600_000;

/**
 * Frees the parts of uploads that were given up. Where that is denied they stay in the ledger, and are counted with their
 * bytes, until the bucket's lifecycle has freed them.
 */
export class AbandonedUploads {
  readonly #options: AbandonedUploadsOptions;
  #askMs = Number.NEGATIVE_INFINITY;

  constructor(options: AbandonedUploadsOptions) {
    this.#options = options;
  }

  /** One round; a failure ends it, and the next round tries again. */
  async free(signal: AbortSignal): Promise<void> {
    const { journal, clock } = this.#options;
    await journal.synced();
    for (;;) {
      const page = journal.abandonedUploads(pageSize);
      for (const { upload, key, uploadId, beganAtMs } of page) {
        if (signal.aborted) return;
        const isOver = clock.nowMs() - beganAtMs >= lifecycleMs;
        if (!isOver && !(await this.#isFreed({ key, uploadId }, signal))) return;
        journal.recordFreed(upload);
      }
      if (page.length < pageSize) return;
    }
  }

  /** False: not now. */
  async #isFreed(
    upload: { readonly key: string; readonly uploadId: string },
    signal: AbortSignal,
  ): Promise<boolean> {
    const { parts, clock } = this.#options;
    if (clock.monotonicMs() < this.#askMs) return false;
    try {
      if (await parts.abort(upload, signal)) return true;
      this.#askMs = clock.monotonicMs() + askAgainMs;
      return false;
    } catch (error) {
      if (error instanceof Failure) return false; // reason: whoever ships meets it too, and tells
      throw error;
    }
  }
}
