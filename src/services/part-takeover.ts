import { wholePartsOf } from '../domain/part-layout.ts';
import { displayPath } from '../domain/watched-path.ts';
import { directoryIdentity, fingerprintOf, type OpenFile } from '../ports/file-source.ts';
import type { UploadRecord } from '../ports/ledger.ts';
import type { PartStore } from '../ports/part-store.ts';
import type { LeftUpload, LeftUploads } from './left-uploads.ts';
import { compareParts, type PartProofs, PrefixChanged } from './part-proof.ts';
import type { PartSender, PartTarget } from './part-sender.ts';
import type { ShippingContext } from './shipping-context.ts';

/**
 * Goes on where another host's upload ends.
 *
 *   invariant: the ledger gets an upload of somebody else's only with parts that were just read from our file and have the
 *     checksums that its record gives them. What else may become of it is settled by ETags when it is completed
 */
export class PartTakeover {
  readonly #context: ShippingContext;
  readonly #parts: Pick<PartStore, 'layout'>;
  readonly #sender: PartSender;
  readonly #proofs: PartProofs;
  readonly #left: LeftUploads;

  constructor(options: {
    context: ShippingContext;
    parts: Pick<PartStore, 'layout'>;
    sender: PartSender;
    proofs: PartProofs;
    left: LeftUploads;
  }) {
    this.#context = options.context;
    this.#parts = options.parts;
    this.#sender = options.sender;
    this.#proofs = options.proofs;
    this.#left = options.left;
  }

  /** Undefined where there is none of use: the file begins anew. Throws Failure and FileFailure. */
  async take(target: PartTarget, opened: OpenFile, signal: AbortSignal): Promise<UploadRecord | undefined> {
    if (!this.#left.mayHave(target)) return undefined;
    const { layout } = this.#parts;
    const left = await this.#sender.through(target, signal, () => this.#left.find(target, layout, signal));
    const state = fingerprintOf(await opened.statNow());
    const isOurs = left !== undefined && (await isOfFile(left, opened, signal));
    this.#left.settle(target);
    return isOurs ? await this.#adopt(target, opened, left, state) : undefined;
  }

  async #adopt(
    target: PartTarget,
    opened: OpenFile,
    { upload, parts, recordEtag }: LeftUpload,
    state: string,
  ): Promise<UploadRecord | undefined> {
    const { journal, events } = this.#context;
    const { sid, path, session } = target;
    const { uploadId } = upload;
    journal.beginUpload(sid, path, { ...upload, file: directoryIdentity(opened.stat) });
    for (const part of parts) {
      journal.recordPart(sid, path, uploadId, part);
      this.#proofs.note(uploadId, part.number, state);
    }
    journal.recordResume(sid, path, uploadId, { etag: recordEtag, parts: parts.length });
    await journal.synced();
    const sentBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
    events.emit('upload.continued', { session, path: displayPath(path), sentBytes });
    return journal.openUpload(sid, path);
  }
}

async function isOfFile({ upload, parts }: LeftUpload, opened: OpenFile, signal: AbortSignal) {
  const ranges = [...wholePartsOf(upload.layout, opened.sizeBytes)].slice(0, parts.length);
  if (ranges.length < parts.length) return false;
  try {
    await compareParts(opened, ranges, new Map(parts.map((part) => [part.number, part])), signal);
    return true;
  } catch (error) {
    if (error instanceof PrefixChanged) return false;
    throw error;
  }
}
