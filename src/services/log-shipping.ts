import { type ComposedLog, composeLog, logDigest } from '../domain/compose-log.ts';
import { Conflict, Failure } from '../domain/failure.ts';
import { readSessionLog } from '../domain/read-session-log.ts';
import { unfinishedFiles } from '../domain/recovered-log.ts';
import type { SessionLog } from '../domain/session-log.ts';
import { displayPath, type WatchedPath } from '../domain/watched-path.ts';
import type { Shipment } from '../ports/journal.ts';
import type { PutCondition, Receipt, StoredObject } from '../ports/object-store.ts';
import { adoptedFiles, replacedFiles } from './adopted-files.ts';
import { bytesSource } from './bytes-source.ts';
import { IdentityTaken, isOurs, objectMetadata, type ShippingContext } from './shipping-context.ts';

/** A log in the bucket is never larger than what we write, but for what only its files need. */
const logReadBytesMax = 64 * 1024 * 1024;
/** Logs that were just written, so that the next revision need not read them back. */
const recentMax = 64;

export interface ShippedState {
  /** The work that the log speaks of; more may have been enqueued since. */
  readonly work: number;
  readonly written: boolean;
  readonly adopted: boolean;
  readonly missing: number;
  /** Not written yet: of these files it says that they are to be sent, and records name parts that are not theirs. */
  readonly named?: ReadonlySet<WatchedPath>;
}

type Base = { readonly previous: SessionLog | undefined; readonly condition: PutCondition };

/**
 * Writes a session's log: reads what the one before knew, composes, and replaces exactly that one. The log in the bucket
 * is the authority on itself: after a crash, or with a lost journal, it is adopted instead of being written over.
 */
export class LogShipping {
  readonly #context: ShippingContext;
  readonly #recent = new Map<number, { etag: string; log: SessionLog }>();

  constructor(context: ShippingContext) {
    this.#context = context;
  }

  /**
   * Throws Failure and IdentityTaken. Not `written`: the log that is there says all there is to say. `adopted`: a log
   * was found that the journal did not know; what it lists may need no sending, so nothing was written yet. Undefined:
   * there is nothing to say, or not any more, since the session that had ended goes on.
   */
  async ship(sid: number, signal: AbortSignal): Promise<ShippedState | undefined> {
    const { journal } = this.#context;
    for (let conflicts = 0; conflicts < 5; conflicts++) {
      const shipment = journal.shipment(sid);
      if (!shipment || shipment.withdrawn) return undefined;
      const base = await this.#base(shipment, conflicts > 0, signal);
      if (base === 'adopted') return { work: shipment.work, written: false, adopted: true, missing: 0 };
      const composed = this.#compose(shipment, base.previous, []);
      const named = this.#namedIn(sid, composed);
      if (named.size > 0)
        return { work: shipment.work, written: false, adopted: false, missing: composed.missing, named };
      if (composed.digest === shipment.logDigest && !shipment.logContested)
        return { work: shipment.work, written: false, adopted: false, missing: composed.missing };
      try {
        const receipt = await this.#put(shipment, composed, base.condition, signal);
        this.#recordWritten(shipment, composed, receipt.etag, 'absent' in base.condition);
        return { work: shipment.work, written: true, adopted: false, missing: composed.missing };
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        this.#recent.delete(sid);
      }
    }
    throw new Failure({
      kind: 'transient',
      code: 'Conflict',
      attempted: `writing the log of session ${sid}: somebody else keeps changing it`,
    });
  }

  /**
   * The last log under an id that turned out to be another session's: as it is, with `warning`. False when there is none
   * of ours to replace.
   */
  async retire(sid: number, warning: string, signal: AbortSignal): Promise<boolean> {
    const shipment = this.#context.journal.shipment(sid);
    if (shipment?.logEtag === undefined) return false;
    try {
      const base = await this.#base(shipment, false, signal);
      if (base === 'adopted') return await this.retire(sid, warning, signal);
      if ('absent' in base.condition) return false;
      await this.#put(shipment, this.#compose(shipment, base.previous, [warning]), base.condition, signal);
      return true;
    } catch (error) {
      // The log under the old id is not ours, or not any more: it says nothing of this session.
      if (error instanceof Conflict || error instanceof IdentityTaken) return false;
      throw error;
    }
  }

  #compose(shipment: Shipment, previous: SessionLog | undefined, warnings: readonly string[]): ComposedLog {
    const { draft, revision, sid } = shipment;
    const { journal, logBytesMax } = this.#context;
    const identity = { ...shipment.identity, warnings: [...shipment.identity.warnings, ...warnings] };
    const files = journal.files(sid);
    return composeLog({ identity, draft, files, previous, revision: revision + 1, bytesMax: logBytesMax });
  }

  #namedIn(sid: number, { text }: ComposedLog): ReadonlySet<WatchedPath> {
    const named = this.#context.journal.namedUploads(sid);
    if (named.length === 0) return new Set();
    const unfinished = new Set(unfinishedFiles(JSON.parse(text) as SessionLog).map(({ path }) => path));
    return new Set(named.flatMap(({ path }) => (unfinished.has(displayPath(path)) ? [path] : [])));
  }

  #put(
    { identity, revision }: Shipment,
    { text }: ComposedLog,
    condition: PutCondition,
    signal: AbortSignal,
  ): Promise<Receipt> {
    return this.#context.store.put(
      {
        key: identity.key,
        source: bytesSource(Buffer.from(text)),
        contentType: 'application/json',
        metadata: { ...objectMetadata(this.#context, identity), revision: String(revision + 1) },
        condition,
      },
      signal,
    );
  }

  /** What the new log replaces. `adopted`: a log of ours was found that the journal did not know; look again. */
  async #base(shipment: Shipment, mustLook: boolean, signal: AbortSignal): Promise<Base | 'adopted'> {
    const { logEtag, logDigest, identity, sid } = shipment;
    // Without a digest, what the journal knows of the log is in doubt.
    const isDoubted = logEtag !== undefined && logDigest === undefined;
    const recent = this.#recent.get(sid);
    if (!mustLook && logEtag === undefined) return { previous: undefined, condition: { absent: true } };
    if (!mustLook && !isDoubted && recent && recent.etag === logEtag) {
      return { previous: recent.log, condition: { etag: recent.etag } };
    }
    const found = await this.#context.store.find(identity.key, signal);
    if (!found) return { previous: undefined, condition: { absent: true } };
    if (!isOurs(found, identity)) throw new IdentityTaken(identity.key);
    const previous = await this.#read(found, signal);
    if (found.etag === logEtag && !isDoubted) return { previous, condition: { etag: found.etag } };
    await this.#adopt(shipment, found, previous, signal);
    return 'adopted';
  }

  async #read(found: StoredObject, signal: AbortSignal): Promise<SessionLog | undefined> {
    try {
      const { bytes } = await this.#context.store.get(found.key, logReadBytesMax, signal);
      return readSessionLog(bytes.toString('utf8'));
    } catch (error) {
      // Archived or damaged, it cannot be read and need not be: the journal and the disk say what there is.
      if (error instanceof Failure && error.kind === 'permanent') return undefined;
      throw error;
    }
  }

  async #adopt(
    shipment: Shipment,
    found: StoredObject,
    log: SessionLog | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { journal } = this.#context;
    const rows = log ? await adoptedFiles(this.#context, shipment, log, signal) : [];
    const isUnknown = log && found.etag !== shipment.logEtag;
    const replaced = isUnknown ? await replacedFiles(this.#context, shipment, log, signal) : [];
    journal.adopt(shipment.sid, rows);
    for (const path of replaced) journal.recordReplaced(shipment.sid, path);
    journal.recordLog(shipment.sid, {
      revision: log?.session.revision ?? Number(found.metadata['revision'] ?? 0),
      etag: found.etag,
      digest: log ? logDigest(log) : '',
      missing: log?.missing.length ?? 1,
      certain: true,
      listed: rows.map((row) => row.path),
      found: true,
    });
    if (log) this.#remember(shipment.sid, found.etag, log);
  }

  #recordWritten(shipment: Shipment, composed: ComposedLog, etag: string, created: boolean): void {
    const { journal, store } = this.#context;
    journal.recordLog(shipment.sid, {
      revision: shipment.revision + 1,
      etag,
      digest: composed.digest,
      missing: composed.missing,
      certain: !created || store.createIsAtomic || shipment.identity.unique,
      listed: composed.listed,
    });
    this.#remember(shipment.sid, etag, JSON.parse(composed.text) as SessionLog);
  }

  #remember(sid: number, etag: string, log: SessionLog): void {
    this.#recent.delete(sid);
    this.#recent.set(sid, { etag, log });
    const oldest = this.#recent.keys().next().value;
    if (this.#recent.size > recentMax && oldest !== undefined) this.#recent.delete(oldest);
  }

  forget(sid: number): void {
    this.#recent.delete(sid);
  }

  /**
   * The log may have been replaced by a late or a simultaneous write: is it still the one that was written? Throws
   * IdentityTaken when somebody else's is there, and a Failure, after which it is written again, when it is not.
   */
  async confirm(shipment: Shipment, signal: AbortSignal): Promise<void> {
    const { journal, store } = this.#context;
    const { identity, logEtag, logDigest, sid } = shipment;
    const found = await store.find(identity.key, signal);
    if (found && !isOurs(found, identity)) throw new IdentityTaken(identity.key);
    journal.setCertain(sid);
    // Nothing was written, or it is not known what: the next log looks what there is.
    if (logDigest === undefined || found?.etag === logEtag) return;
    this.forget(sid);
    const what = found ? 'an earlier log took its place' : 'it is not there any more';
    const attempted = `looking again for ${JSON.stringify(identity.key)}: ${what}`;
    // Whoever catches it takes the log for unwritten, so that it is written, and looked at, once more.
    throw new Failure({ kind: 'transient', code: found ? 'LogOvertaken' : 'LogGone', attempted });
  }
}
