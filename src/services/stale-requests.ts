import type { FileRecord } from '../ports/journal.ts';
import type { ShippingContext } from './shipping-context.ts';

/**
 * Requests of unknown outcome that carried other bytes than their file has now. Where conditions are not honoured such a
 * request may be carried out after the newer bytes were written, and over them. So these are certain only when they are
 * found to be there `createSettleMs` after they were first seen there. In memory: a new process waits anew.
 */
export class StaleRequests {
  readonly #context: ShippingContext;
  /** Monotonic; when the present bytes were seen to be there. */
  readonly #seenMs = new Map<string, number>();

  constructor(context: ShippingContext) {
    this.#context = context;
  }

  /** The bytes are there, `found` or just written: when to look again, undefined when that is not needed (any more). */
  lookAgainMs(sid: number, file: FileRecord, found: boolean): number | undefined {
    const { store, clock } = this.#context;
    if (!file.staleRequest || store.createIsAtomic) return undefined;
    const name = `${sid}\0${file.path}\0${file.fingerprint}`;
    const nowMs = clock.monotonicMs();
    const seenMs = this.#seenMs.get(name);
    if (found && seenMs !== undefined && nowMs - seenMs >= store.createSettleMs) {
      this.#seenMs.delete(name);
      return undefined;
    }
    const sinceMs = found ? (seenMs ?? nowMs) : nowMs;
    this.#seenMs.set(name, sinceMs);
    return sinceMs + store.createSettleMs;
  }
}
