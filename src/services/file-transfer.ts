import { encodingOf } from '../domain/compression.ts';
import { contentTypeOf } from '../domain/content-type.ts';
import { FileFailure } from '../domain/failure.ts';
import { displayPath, quotePath } from '../domain/watched-path.ts';
import {
  type FileStat,
  fingerprintAfter,
  fingerprintOf,
  inDoubt,
  isRacy,
  type OpenFile,
} from '../ports/file-source.ts';
import type { FileRecord, Shipment } from '../ports/journal.ts';
import type { Receipt } from '../ports/object-store.ts';
import { sameButForCtime } from './claim-file.ts';
import { recordFailure, recordUnsettled } from './file-outcome.ts';
import { type Delivery, ObjectDelivery } from './object-delivery.ts';
import { cancelled } from './part-proof.ts';
import type { PartTransfer } from './part-transfer.ts';
import type { ShippingContext } from './shipping-context.ts';
import { pathInFolder } from './sort-files.ts';
import { StaleRequests } from './stale-requests.ts';
import { takeForSent } from './touched-file.ts';

export interface TransferEnd {
  /** The job is no longer pending, or due later. */
  readonly moved: boolean;
  /** Lets the claim go of a file that arrived; for when the receipt is durable, which many files wait for together. */
  readonly release?: () => Promise<void>;
}

export type OneTransfer = Pick<FileTransfer, 'run'>;

/**
 * One companion to the bucket: open, look what is there already, send, verify, receipt, let the claim go. In this
 * order; dying anywhere leaves the job pending, and the next try finds what this one achieved.
 */
export class FileTransfer {
  readonly #context: ShippingContext;
  readonly #delivery: ObjectDelivery;
  readonly #staleRequests: StaleRequests;

  constructor(options: { context: ShippingContext; parts: PartTransfer | undefined }) {
    this.#context = options.context;
    this.#delivery = new ObjectDelivery(options);
    this.#staleRequests = new StaleRequests(options.context);
  }

  /**
   * `onlyRecheck`: asks no more than whether the bytes are those of the receipt. Throws IdentityTaken, and a Failure when
   * the destination denied it.
   */
  async run(
    shipment: Shipment,
    file: FileRecord,
    signal: AbortSignal,
    options: {
      onlyRecheck: boolean;
      onProgress: (sentBytes: number) => void;
      onRead: (bytes: number) => void;
    },
  ): Promise<TransferEnd> {
    let opened: OpenFile | undefined;
    const openedAtMs = this.#context.clock.nowMs();
    const partsBefore = this.#partsOf(shipment, file);
    let hasWritten = false;
    try {
      if (options.onlyRecheck && (await this.#isReplaced(shipment, file, signal))) return { moved: false };
      opened = tellingReads(await this.#open(shipment, file), options.onRead);
      Object.assign(opened, { encoding: encodingOf(file.path, file.key) });
      const delivery = { shipment, file, opened, openedAtMs, signal, onProgress: options.onProgress };
      if (await this.#isRecorded(delivery)) return this.#arrived(delivery);
      if (options.onlyRecheck) return { moved: false };
      hasWritten = true;
      return (await this.#send(delivery)) ? this.#arrived(delivery) : { moved: true };
    } catch (error) {
      if (takeForSent(this.#context.journal, shipment.sid, file, error)) return { moved: true };
      const hasMoved = this.#partsOf(shipment, file) > partsBefore;
      return { moved: recordFailure(this.#context, shipment, file, error, { hasMoved, hasWritten }) };
    } finally {
      await opened?.close();
    }
  }

  #partsOf({ sid }: Shipment, { path }: FileRecord): number {
    return this.#context.journal.openUpload(sid, path)?.parts.length ?? 0;
  }

  /** By another host, which completed what a record names and may not have told in the log yet. */
  async #isReplaced({ sid }: Shipment, file: FileRecord, signal: AbortSignal): Promise<boolean> {
    const { journal, gate, store } = this.#context;
    if (!file.receipt || !journal.openUpload(sid, file.path)?.resume) return false;
    const looked = await gate.through(signal, sid, async () => ({
      there: await store.find(file.key, signal),
    }));
    if (!looked) throw cancelled(`looking for ${JSON.stringify(file.key)}`);
    if (looked.there?.etag === file.receipt.etag) return false;
    journal.recordReplaced(sid, file.path);
    return true;
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
  async #isRecorded(delivery: OpenedDelivery): Promise<boolean> {
    const { shipment, file, opened, signal } = delivery;
    const { receipt } = file;
    // Other bytes than those of the receipt may be there by now.
    const isOther = opened.encoding === undefined && receipt?.sizeBytes !== opened.sizeBytes;
    if (!receipt || isOther || file.staleRequest) return false;
    const metadata = layoutMetadata(receipt, opened);
    const object = { key: file.key, sizeBytes: receipt.sizeBytes, etag: receipt.etag, metadata };
    const { store, gate, events, journal } = this.#context;
    const same = await gate.through(signal, shipment.sid, () => store.verify(object, opened, signal));
    if (!same) return false;
    await opened.assertUnchanged();
    // Nothing of it became this object, or what did is not there to be freed.
    journal.giveUpUpload(shipment.sid, file.path);
    this.#record(delivery, same, receipt.receivedAtMs);
    events.emit('file.unchanged', { session: shipment.identity.id, path: displayPath(file.path) });
    return true;
  }

  /** False when what was sent is to be looked at again. */
  async #send(delivery: OpenedDelivery): Promise<boolean> {
    const { shipment, file, opened } = delivery;
    const { clock, events } = this.#context;
    const startedMs = clock.monotonicMs();
    const delivered = await this.#delivery.deliver(delivery);
    const lookAgainMs = this.#staleRequests.lookAgainMs(shipment.sid, file, delivered.found);
    if (lookAgainMs !== undefined) {
      recordUnsettled(this.#context, shipment, file, lookAgainMs);
      return false;
    }
    this.#record(delivery, delivered.receipt, clock.nowMs());
    if (delivered.found) return true;
    events.emit('file.uploaded', {
      session: shipment.identity.id,
      path: displayPath(file.path),
      key: file.key,
      sizeBytes: opened.sizeBytes,
      durationMs: Math.round(clock.monotonicMs() - startedMs),
    });
    return true;
  }

  #record(delivery: OpenedDelivery, receipt: Receipt, receivedAtMs: number): void {
    const { shipment, file, opened } = delivery;
    const { journal } = this.#context;
    const newFingerprint = knownBy(delivery);
    // Before the receipt: a session with a file in doubt is never taken for one that can rest.
    if (newFingerprint !== fingerprintOf(opened.stat)) journal.setShape(shipment.sid, '');
    journal.recordUploaded(shipment.sid, file.path, {
      fingerprint: file.fingerprint,
      newFingerprint,
      receipt: {
        ...receipt,
        receivedAtMs,
        contentType: contentTypeOf(displayPath(file.path), opened.encoding),
        device: String(opened.stat.dev),
      },
    });
  }

  /** Receipt first, then the claim: what is let go is in the bucket and known to be. */
  #arrived(delivery: OpenedDelivery): TransferEnd {
    const { shipment, file, opened } = delivery;
    const { claim } = file;
    return claim === undefined
      ? { moved: true }
      : {
          moved: true,
          release: () => this.#release(shipment.sid, file, claim, opened.stat, knownBy(delivery)),
        };
  }

  /** Letting go moves ctime once more. Not of what was queued anew meanwhile: that job lets it go. */
  async #release(
    sid: number,
    { path }: FileRecord,
    claim: string,
    sent: FileStat,
    fingerprint: string,
  ): Promise<void> {
    const { journal, source, claiming } = this.#context;
    await claiming.take(sid, async () => {
      if (journal.needsClaim(sid, path)) return;
      const released = await source.releaseClaim(claim);
      const isSame = released && sameButForCtime(released, sent);
      const after = isSame ? fingerprintAfter(fingerprint, released) : fingerprint;
      journal.recordReleased(sid, path, fingerprint, after);
    });
  }
}

/** What is on its way, and when it was opened. */
interface OpenedDelivery extends Delivery {
  /** By the wall clock, not later than `opened`. */
  readonly openedAtMs: number;
}

function knownBy({ opened, openedAtMs }: OpenedDelivery): string {
  const fingerprint = fingerprintOf(opened.stat);
  return isRacy(opened.stat, openedAtMs) ? inDoubt(fingerprint) : fingerprint;
}

function tellingReads(opened: OpenFile, onRead: (bytes: number) => void): OpenFile {
  const { read } = opened;
  return Object.assign(opened, {
    async read(...args: Parameters<OpenFile['read']>) {
      const bytes = await read.apply(opened, args);
      onRead(bytes.length);
      return bytes;
    },
  });
}

/** How the object was cut, as its own metadata has it. Packed ones have parts of one size. */
function layoutMetadata({ partSizeBytes }: Receipt, { encoding }: OpenFile): Record<string, string> {
  if (partSizeBytes === undefined) return {};
  const size = { 'part-size': String(partSizeBytes) };
  return encoding === undefined ? size : { ...size, 'part-layout': 'constant' };
}

/** Growing in place it stays the same file; one that was born since has only inherited the inode. */
function isSameFile({ stat }: OpenFile, { fingerprint }: FileRecord): boolean {
  const [ino, , , ctimeNs] = fingerprint.split(':');
  return fingerprint === '' || (ino === `${stat.ino}` && stat.birthtimeNs <= BigInt(ctimeNs ?? 0));
}
