import { Failure, FileFailure, PartsRefused, UploadGone } from '../domain/failure.ts';
import { type PartLayout, type PartRange, partsOf, wholePartsOf } from '../domain/part-layout.ts';
import { displayPath, quotePath } from '../domain/watched-path.ts';
import { directoryIdentity, fingerprintOf, type OpenFile } from '../ports/file-source.ts';
import type { UploadRecord } from '../ports/ledger.ts';
import type { PartStore, SentPart } from '../ports/part-store.ts';
import type { PutCondition, Receipt } from '../ports/stored-object.ts';
import { cancelled, compareParts, PartProofs, PrefixChanged } from './part-proof.ts';
import { PartSender, type PartTarget, recordedParts } from './part-sender.ts';
import { PartTakeover } from './part-takeover.ts';
import type { ResumeRecords } from './resume-records.ts';
import type { ShippingContext } from './shipping-context.ts';

type OnProgress = (sentBytes: number) => void;

/** An upload whose parts are of no use, or are lost: another one begins in its place. So often in one try. */
const restartsMax = 2;
/** Parts that were refused are sent once more, since a destination may have learnt how to cut them. */
const refusalsMax = 1;

/**
 * Sends files in parts, so that whatever dies, and whenever, costs no more than the parts in flight.
 *
 *   invariant: what the ledger records is there; it is durable that an upload exists before its first part is sent
 *   invariant: right before Complete, every part is what the file holds in its place: either the fingerprint is what it
 *     was when this very process read the part, or the part is read again and its CRC-32 compared with the ledger's.
 *     All parts were sent before that look began, so the object is what the file was at one moment in between
 *   invariant: an upload is given up only with a warning that says why, and is then in the ledger as one to be freed
 *
 *   recorded parts and the file's beginning   then
 *   equal, whatever the file grew by          go on at the next part
 *   unequal                                   given up, from the beginning
 *   another file by that path, or a shorter   given up, from the beginning
 *   the destination knows no such upload      from the beginning
 *   it refuses the parts that it took         given up, from the beginning; a second time: a person is needed
 *   none, and another host left an upload     go on with that, if its parts are the file's (ADR 42)
 *
 * Every request passes the gate by itself: while the destination is blocked a part waits there, no attempt is spent, and
 * the next part goes on when it opens. The first other failure stops new parts; those in flight are waited for and
 * recorded before it is thrown.
 */
export class PartTransfer {
  readonly #context: ShippingContext;
  readonly #parts: PartStore;
  readonly #sender: PartSender;
  readonly #proofs = new PartProofs();
  readonly #records: ResumeRecords;
  readonly #takeover: PartTakeover;

  constructor(options: {
    context: ShippingContext;
    parts: PartStore;
    records: ResumeRecords;
    partConcurrency: number;
  }) {
    this.#context = options.context;
    this.#parts = options.parts;
    this.#records = options.records;
    const sending = { ...options, proofs: this.#proofs };
    this.#sender = new PartSender(sending);
    this.#takeover = new PartTakeover({ ...sending, sender: this.#sender, left: options.records.left });
  }

  /** How new uploads are cut. */
  get layout(): PartLayout {
    return this.#parts.layout;
  }

  /** Files up to this size are put whole. */
  get firstPartBytes(): number {
    return this.layout.firstBytes;
  }

  /**
   * Sends the whole parts below `untilBytes` that the ledger lacks. Returns how many bytes from the file's start are
   * recorded then. Proves nothing: a changed beginning is found by `finish`. Throws Failure, Conflict and FileFailure.
   */
  async sendWholeParts(
    target: PartTarget,
    opened: OpenFile,
    untilBytes: number,
    signal: AbortSignal,
    onProgress: OnProgress = () => {},
  ): Promise<number> {
    const { journal } = this.#context;
    return await this.#restarting(target, signal, async () => {
      const open = journal.openUpload(target.sid, target.path);
      if (untilBytes < (open?.layout ?? this.#parts.layout).firstBytes) return 0;
      const upload = await this.#openOrBegin(target, opened, signal);
      const ranges = [...wholePartsOf(upload.layout, untilBytes)];
      await this.#sender.sendMissing({ target, upload, opened, ranges, signal, onProgress });
      return ranges.reduce((sum, range) => sum + range.sizeBytes, 0);
    });
  }

  /**
   * Proves the recorded parts against the file, sends the rest, completes: the object is exactly the first `sizeBytes`
   * bytes. The upload stays in the ledger until the caller records the receipt. Throws Failure, Conflict and FileFailure.
   */
  async finish(
    target: PartTarget,
    opened: OpenFile,
    sizeBytes: number,
    condition: PutCondition,
    signal: AbortSignal,
    onProgress: OnProgress = () => {},
  ): Promise<Receipt> {
    return await this.#restarting(target, signal, async () => {
      const upload = await this.#openOrBegin(target, opened, signal);
      const ranges = [...partsOf(upload.layout, sizeBytes)];
      await this.#prove(target, upload, opened, ranges, signal);
      await this.#sender.sendMissing({ target, upload, opened, ranges, signal, onProgress });
      await this.#prove(target, upload, opened, ranges, signal);
      const parts = [...this.#recorded(target, ranges).values()];
      // The session moved to another id meanwhile, and this upload with its key is of no use any more.
      if (parts.length < ranges.length) throw cancelled(`completing ${JSON.stringify(target.key)}`);
      const receipt = await this.#complete(target, upload, parts, condition, signal);
      this.#proofs.forget(upload.uploadId);
      return receipt;
    });
  }

  async #complete(
    target: PartTarget,
    upload: UploadRecord,
    parts: readonly SentPart[],
    condition: PutCondition,
    signal: AbortSignal,
  ): Promise<Receipt> {
    try {
      const { byOther, ...receipt } = await this.#sender.through(target, signal, async () => {
        await target.beforeComplete?.();
        const { origin } = target.metadata;
        return await this.#parts.complete({ ...upload, origin }, parts, condition, signal);
      });
      // Its parts became nothing, and are paid for.
      if (byOther) this.#context.journal.giveUpUpload(target.sid, target.path);
      return receipt;
    } catch (error) {
      // It may be there, with parts that are not what was recorded of them: to be freed, not forgotten.
      if (error instanceof UploadGone) {
        const isRefused = error instanceof PartsRefused;
        const cause = isRefused ? error.message : 'the destination cannot complete it any more';
        await this.giveUp(target, { ...upload, parts }, cause, signal);
      }
      throw error;
    }
  }

  /** Reads again what is recorded of `ranges` and may not be what the file holds now. Throws PrefixChanged. */
  async #prove(
    target: PartTarget,
    upload: UploadRecord,
    opened: OpenFile,
    ranges: readonly PartRange[],
    signal: AbortSignal,
  ): Promise<void> {
    const { uploadId } = upload;
    const state = fingerprintOf(await opened.statNow());
    const recorded = this.#recorded(target, ranges);
    const known = ranges.filter(({ number }) => recorded.has(number));
    const doubtful = known.filter(({ number }) => !this.#proofs.has(uploadId, number, state));
    await compareParts(opened, doubtful, recorded, signal);
    for (const { number } of known) this.#proofs.note(uploadId, number, state);
  }

  #recorded(target: PartTarget, ranges: readonly PartRange[]) {
    return recordedParts(this.#context.journal.openUpload(target.sid, target.path), ranges);
  }

  async #openOrBegin(target: PartTarget, opened: OpenFile, signal: AbortSignal): Promise<UploadRecord> {
    const { journal, clock } = this.#context;
    const { sid, path, key, contentType, metadata } = target;
    const open = journal.openUpload(sid, path);
    const cause = open && whyUseless(open, target, opened);
    if (open && cause === undefined) return open;
    if (open && cause !== undefined) await this.giveUp(target, open, cause, signal);
    const taken = await this.#takeover.take(target, opened, signal);
    if (taken) return taken;
    const begun = await this.#sender.through(target, signal, () =>
      this.#parts.begin({ key, contentType, metadata }, signal),
    );
    const file = directoryIdentity(opened.stat);
    const upload = { ...begun, key, file, beganAtMs: clock.nowMs() };
    journal.beginUpload(sid, path, upload);
    await journal.synced();
    return { ...upload, path, parts: [], resume: undefined };
  }

  async #restarting<T>(target: PartTarget, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    for (let restarts = 0, refusals = 0; ; restarts++) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof UploadGone || error instanceof PrefixChanged)) throw error;
        const { journal } = this.#context;
        const open = journal.openUpload(target.sid, target.path);
        if (open && error instanceof UploadGone) {
          this.#tell(target, open, 'the destination does not know this upload any more');
          journal.closeUpload(target.sid, target.path);
        } else if (open) await this.giveUp(target, open, error.message, signal);
        if (error instanceof PartsRefused && refusals++ >= refusalsMax) throw refusedTwice(target, error);
        if (restarts >= restartsMax) throw tooOften(target, restarts + 1, error);
      }
    }
  }

  /** Nothing that was sent is of use any more: said once, and the parts are to be freed. Throws Failure. */
  async giveUp(target: PartTarget, open: UploadRecord, cause: string, signal: AbortSignal): Promise<void> {
    const { journal } = this.#context;
    const giveUp = () => {
      this.#tell(target, open, cause);
      journal.giveUpUpload(target.sid, target.path);
    };
    await this.#records.retire(target, open, giveUp, signal);
  }

  #tell(target: PartTarget, open: UploadRecord, cause: string): void {
    this.#proofs.forget(open.uploadId);
    const sentBytes = open.parts.reduce((sum, part) => sum + part.sizeBytes, 0);
    const { session, path } = target;
    this.#context.events.emit('upload.restarted', { session, path: displayPath(path), sentBytes, cause });
  }
}

function tooOften({ path }: PartTarget, times: number, error: UploadGone | PrefixChanged): Error {
  const attempted = `sending file ${quotePath(path)} in parts: begun ${times} times, ${error.message}`;
  return error instanceof UploadGone
    ? new Failure({ kind: 'transient', code: 'NoSuchUpload', attempted })
    : new FileFailure('changing', 'CHANGED', attempted, 'none needed: it is sent once it stops changing');
}

function refusedTwice({ path }: PartTarget, { code, message }: PartsRefused): Failure {
  return new Failure({
    kind: 'permanent',
    code,
    attempted: `sending file ${quotePath(path)} in parts: begun anew after a refusal, and refused again: ${message}`,
    remedy:
      'set upload.partSize to what the server wants of parts (EntityTooSmall: a larger size), or ask who runs it why it refuses parts that it took',
  });
}

/** Why nothing of `open` can be used, if so. */
function whyUseless(open: UploadRecord, target: PartTarget, { stat }: OpenFile): string | undefined {
  if (open.key !== target.key) return 'it goes to another key now';
  if (open.file !== directoryIdentity(stat)) return 'it is another file now';
  const last = open.parts.at(-1)?.number ?? 0;
  const [end] = [...partsOf(open.layout, stat.sizeBytes, last)];
  return end === undefined && last > 0 ? 'it is shorter than what was sent of it' : undefined;
}
