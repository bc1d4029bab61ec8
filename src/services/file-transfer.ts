import { contentTypeOf } from '../domain/content-type.ts';
import { Conflict, Failure, FileFailure } from '../domain/failure.ts';
import { retryDelayMs } from '../domain/retry-policy.ts';
import { advanceJob } from '../domain/upload-job.ts';
import { displayPath, quotePath } from '../domain/watched-path.ts';
import type { ParkedReason } from '../ports/backlog.ts';
import { fingerprintOf, type OpenFile } from '../ports/file-source.ts';
import type { FileRecord, Shipment } from '../ports/journal.ts';
import type { PutCondition, Receipt, StoredObject } from '../ports/object-store.ts';
import { sameButForCtime } from './assembler.ts';
import { IdentityTaken, isOurs, objectMetadata, type ShippingContext } from './shipping-context.ts';
import { pathInFolder } from './sort-files.ts';

/**
 * One companion to the bucket: open, look what is there already, send, verify, receipt, let the claim go. In this
 * order; dying anywhere leaves the job pending, and the next try finds what this one achieved.
 */
export class FileTransfer {
  readonly #context: ShippingContext;

  constructor(context: ShippingContext) {
    this.#context = context;
  }

  /**
   * Resolves when the job is no longer pending, or due later, or cancelled. `onlyRecheck`: asks no more than whether
   * the bytes are those of the receipt. Throws IdentityTaken, and a Failure when the destination denied it.
   */
  async run(
    shipment: Shipment,
    file: FileRecord,
    signal: AbortSignal,
    options: { onlyRecheck: boolean; onProgress: (sentBytes: number) => void },
  ): Promise<void> {
    let opened: OpenFile | undefined;
    try {
      opened = await this.#open(shipment, file);
      if (await this.#isRecorded(shipment, file, opened, signal)) return;
      if (!options.onlyRecheck) await this.#send(shipment, file, opened, signal, options.onProgress);
    } catch (error) {
      this.#settle(shipment, file, error);
    } finally {
      await opened?.close();
    }
  }

  /** What was queued, by path or by claim. Another file by that name may be another session's: the next look tells. */
  async #open(shipment: Shipment, file: FileRecord): Promise<OpenFile> {
    const { source } = this.#context;
    const path = pathInFolder(shipment.root, shipment.kind, file.path);
    try {
      const opened = await source.open(path);
      if (isSameFile(opened, file)) return opened;
      await opened.close();
    } catch (error) {
      if (!(error instanceof FileFailure) || error.reason !== 'vanished') throw error;
    }
    const claimed = file.claim ? await source.openClaim(file.claim, path) : undefined;
    if (claimed) return claimed;
    const attempted = `opening file ${quotePath(path)}: what was queued is not there any more`;
    throw new FileFailure('vanished', 'ENOENT', attempted, 'none needed');
  }

  /** Touched, renamed over with the same content, or its claim let go: equal bytes need no sending. */
  async #isRecorded(
    shipment: Shipment,
    file: FileRecord,
    opened: OpenFile,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { receipt } = file;
    if (!receipt || receipt.sizeBytes !== opened.sizeBytes) return false;
    const metadata =
      receipt.partSizeBytes === undefined ? {} : { 'part-size': String(receipt.partSizeBytes) };
    const object = { key: file.key, sizeBytes: receipt.sizeBytes, etag: receipt.etag, metadata };
    const same = await this.#context.store.verify(object, opened, signal);
    if (!same) return false;
    await opened.assertUnchanged();
    await this.#record(shipment, file, opened, same, receipt.receivedAtMs);
    this.#context.events.emit('file.unchanged', {
      session: shipment.identity.id,
      path: displayPath(file.path),
    });
    return true;
  }

  async #send(
    shipment: Shipment,
    file: FileRecord,
    opened: OpenFile,
    signal: AbortSignal,
    onProgress: (sentBytes: number) => void,
  ): Promise<void> {
    const { clock, gate, events } = this.#context;
    let startedMs = clock.monotonicMs();
    const sent = await gate.through(signal, shipment.sid, () => {
      startedMs = clock.monotonicMs();
      return this.#attempt(shipment, file, opened, signal, onProgress);
    });
    if (!sent) return;
    await this.#record(shipment, file, opened, sent.receipt, clock.nowMs());
    if (sent.found) return;
    events.emit('file.uploaded', {
      session: shipment.identity.id,
      path: displayPath(file.path),
      key: file.key,
      sizeBytes: opened.sizeBytes,
      durationMs: Math.round(clock.monotonicMs() - startedMs),
    });
  }

  async #attempt(
    shipment: Shipment,
    file: FileRecord,
    opened: OpenFile,
    signal: AbortSignal,
    onProgress: (sentBytes: number) => void,
  ): Promise<{ receipt: Receipt; found: boolean }> {
    const { store } = this.#context;
    let condition: PutCondition = file.receipt ? { etag: file.receipt.etag } : { absent: true };
    let known = file.uncertain ? await store.find(file.key, signal) : undefined;
    for (let conflicts = 0; ; conflicts++) {
      if (known) {
        const there = await this.#foundReceipt(shipment, known, opened, signal);
        if (there) return { receipt: there, found: true };
        condition = { etag: known.etag };
      }
      try {
        const receipt = await store.put(
          {
            key: file.key,
            source: opened,
            contentType: contentTypeOf(displayPath(file.path)),
            metadata: objectMetadata(this.#context, shipment.identity),
            condition,
            onProgress,
          },
          signal,
        );
        return { receipt, found: false };
      } catch (error) {
        if (!(error instanceof Conflict) || conflicts >= 3) throw error;
        known = await store.find(file.key, signal);
        if (!known) condition = { absent: true };
      }
    }
  }

  async #foundReceipt(
    shipment: Shipment,
    found: StoredObject,
    opened: OpenFile,
    signal: AbortSignal,
  ): Promise<Receipt | undefined> {
    if (!isOurs(found, shipment.identity)) throw new IdentityTaken(found.key);
    const receipt = await this.#context.store.verify(found, opened, signal);
    if (receipt) await opened.assertUnchanged();
    return receipt;
  }

  /** Receipt first, then the claim: what is let go is in the bucket and known to be. Letting go moves ctime once more. */
  async #record(
    shipment: Shipment,
    file: FileRecord,
    opened: OpenFile,
    receipt: Receipt,
    receivedAtMs: number,
  ): Promise<void> {
    const { journal, source } = this.#context;
    const fingerprint = fingerprintOf(opened.stat);
    journal.recordUploaded(shipment.sid, file.path, {
      fingerprint: file.fingerprint,
      newFingerprint: fingerprint,
      receipt: {
        ...receipt,
        receivedAtMs,
        contentType: contentTypeOf(displayPath(file.path)),
        device: String(opened.stat.dev),
      },
    });
    if (!file.claim) return;
    const released = await source.releaseClaim(file.claim);
    const isSame = released && sameButForCtime(released, opened.stat);
    journal.recordReleased(
      shipment.sid,
      file.path,
      fingerprint,
      isSame ? fingerprintOf(released) : fingerprint,
    );
  }

  #settle(shipment: Shipment, file: FileRecord, error: unknown): void {
    if (error instanceof IdentityTaken) throw error;
    const { journal, events, clock, retry } = this.#context;
    const session = shipment.identity.id;
    const path = displayPath(file.path);
    if (error instanceof FileFailure && error.reason === 'vanished') {
      journal.recordGone(shipment.sid, file.path, file.fingerprint);
      events.emit('file.vanished', { session, path });
      return;
    }
    const failure = asFailure(error);
    // Denied: the whole session steps aside, and nothing is held against the file.
    if (failure.kind === 'blocked') throw failure;
    const started = advanceJob({ at: 'pending', attempts: file.attempts }, { type: 'started' });
    const next = advanceJob(started, { type: 'failed', kind: failure.kind });
    const reason = reasonOf(failure, error);
    const outcome = { ...reason, fingerprint: file.fingerprint, uncertain: !(error instanceof FileFailure) };
    if (next.at === 'parked') {
      journal.recordParked(shipment.sid, file.path, outcome);
      events.emit('file.parked', { session, path, ...reason });
    } else if (next.at === 'pending' && failure.kind === 'transient') {
      const delayMs = retryDelayMs(next.attempts, retry, clock.random(), failure.retryAfterMs);
      const dueAtMs = Math.round(clock.monotonicMs() + delayMs);
      journal.recordFailed(shipment.sid, file.path, { ...outcome, attempts: next.attempts, dueAtMs });
      const { code, message: cause } = failure;
      events.emit('upload.retry', { session, path, attempt: next.attempts, delayMs, code, cause });
    }
  }
}

/** Growing in place it stays the same file; one that was born since has only inherited the inode. */
function isSameFile({ stat }: OpenFile, { fingerprint }: FileRecord): boolean {
  const [ino, , , ctimeNs] = fingerprint.split(':');
  return fingerprint === '' || (ino === `${stat.ino}` && stat.birthtimeNs <= BigInt(ctimeNs ?? 0));
}

function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof Conflict)
    return new Failure({ kind: 'transient', code: 'Conflict', attempted: error.message });
  if (error instanceof FileFailure) {
    const kind = error.reason === 'changing' ? 'transient' : 'permanent';
    return new Failure({
      kind,
      code: error.code,
      attempted: error.message,
      remedy: error.remedy,
      cause: error,
    });
  }
  throw error;
}

function reasonOf(failure: Failure, error: unknown): ParkedReason {
  const byFile = error instanceof FileFailure && error.reason !== 'vanished' ? error.reason : undefined;
  const reason = byFile ?? (failure.kind === 'permanent' ? 'parked' : 'pending');
  return { reason, code: failure.code, cause: failure.message, remedy: failure.remedy ?? '' };
}
