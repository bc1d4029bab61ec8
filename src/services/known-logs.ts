import { Conflict } from '../domain/failure.ts';
import type { Shipment } from '../ports/journal.ts';
import { Moment } from './moment.ts';
import type { ShippingContext } from './shipping-context.ts';

/** After a log of ours, and shorter than any silence after which a host counts as lost. */
const trustMs = 5 * 60_000;
/** One that is forgotten costs one look. */
const sessionsMax = 1000;

/** Another host has written the session's log since we did: what it lists is not known here yet. */
export class LogOvertaken extends Conflict {}

/**
 * How long the journal's word of a session's log is taken for what the bucket has. A host that was kept from writing, by
 * credentials that expired or a network that is down, is alive and may be taken for lost all the same: when it goes on,
 * its session may have been recovered elsewhere, with objects in its log that this host is about to replace.
 */
export class KnownLogs {
  readonly #context: ShippingContext;
  /** When the log with this ETag was first met here, which is soon after it was written. */
  readonly #met = new Map<number, { readonly etag: string; readonly at: Moment }>();

  constructor(context: ShippingContext) {
    this.#context = context;
  }

  /** A pass has written the log, or looked at it, shortly before. */
  note({ sid, logEtag }: Pick<Shipment, 'sid' | 'logEtag'>): void {
    if (logEtag === undefined || this.#met.get(sid)?.etag === logEtag) return;
    this.#met.delete(sid);
    this.#met.set(sid, { etag: logEtag, at: new Moment(this.#context.clock) });
    const oldest = this.#met.keys().next().value;
    if (this.#met.size > sessionsMax && oldest !== undefined) this.#met.delete(oldest);
  }

  /** To be asked right before an object is replaced. Throws LogOvertaken, and what a look throws. */
  async assertKnown(sid: number, key: string, signal: AbortSignal): Promise<void> {
    const { journal, store } = this.#context;
    const shipment = journal.shipment(sid);
    if (shipment?.logEtag === undefined) return;
    this.note(shipment);
    // One that is in doubt may be of an earlier life. To have looked at it proves nothing of the next moment.
    const ageMs = this.#met.get(sid)?.at.ageMs() ?? Number.POSITIVE_INFINITY;
    if (!shipment.logDoubted && ageMs < trustMs) return;
    const found = await store.find(shipment.identity.key, signal);
    if (found?.etag === shipment.logEtag) return;
    journal.contestLog(sid);
    throw new LogOvertaken(key, 'the log of its session was written by another host meanwhile');
  }
}
