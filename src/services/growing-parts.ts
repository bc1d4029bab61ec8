import { encodingOf } from '../domain/compression.ts';
import { contentTypeOf } from '../domain/content-type.ts';
import { companionKey } from '../domain/object-key.ts';
import { type PartRange, wholePartsOf } from '../domain/part-layout.ts';
import { leadingParts } from '../domain/resume-record.ts';
import { displayPath } from '../domain/watched-path.ts';
import type { OpenFile } from '../ports/file-source.ts';
import type { FileRecord, SessionIdentity } from '../ports/journal.ts';
import type { UploadRecord } from '../ports/ledger.ts';
import { type ActiveTransfer, MovingTransfer } from './active-transfer.ts';
import type { GrowingFile } from './file-growth.ts';
import { compareParts, PrefixChanged } from './part-proof.ts';
import type { PartTarget } from './part-sender.ts';
import type { PartTransfer } from './part-transfer.ts';
import type { ResumeRecords } from './resume-records.ts';
import { objectMetadata, type ShippingContext } from './shipping-context.ts';
import { pathInFolder } from './sort-files.ts';

export interface GrowingPartsOptions {
  readonly context: ShippingContext;
  readonly transfer: PartTransfer;
  readonly records: ResumeRecords;
  readonly active: Set<ActiveTransfer>;
}

/** One turn sends no more than this, but for one part, which may be larger. */
const partsPerTurn = 4;
const turnBytesMax = 64 * 1024 * 1024;

/**
 * `more`: another turn has something to send. `done`: nothing more for now. `unannounced`: no log in the bucket is known
 * to name the session yet, and nothing may go before it.
 */
export type TurnOutcome = 'more' | 'done' | 'unannounced';

/** The next few parts of a growing file, and the record of them. */
export class GrowingParts {
  readonly #options: GrowingPartsOptions;

  constructor(options: GrowingPartsOptions) {
    this.#options = options;
  }

  /** Throws Failure, Conflict, FileFailure and IdentityTaken. */
  async send(file: GrowingFile, signal: AbortSignal): Promise<TurnOutcome> {
    const { journal } = this.#options.context;
    const session = journal.session(file.sid);
    // Sealed: the job of the file sends the rest of it.
    if (!session || session.seal) return 'done';
    if (!session.identity || session.revision === 0 || !session.certain) return 'unannounced';
    const row = journal.files(file.sid).find(({ path }) => path === file.path);
    // One that was packed stays packed, and goes whole.
    if (row?.state === 'pending' || (row && encodingOf(row.path, row.key))) return 'done';
    const target = this.#targetOf(file, session.identity, row);
    const open = journal.openUpload(file.sid, file.path);
    const next = this.#nextParts(file, open);
    if (next.length > 0) await this.#sendParts(file, target, open, next, signal);
    else if (open && (await this.#isCut(file, target, open, signal))) return 'more';
    await this.#options.records.write(target, session.identity, signal);
    return next.length > 0 ? 'more' : 'done';
  }

  #nextParts({ settledBytes }: GrowingFile, open: UploadRecord | undefined): readonly PartRange[] {
    const layout = open?.layout ?? this.#options.transfer.layout;
    const sent = open ? leadingParts(open.parts, layout).length : 0;
    const next: PartRange[] = [];
    let bytes = 0;
    for (const part of wholePartsOf(layout, settledBytes)) {
      if (part.number <= sent) continue;
      if (next.length >= partsPerTurn || (next.length > 0 && bytes + part.sizeBytes > turnBytesMax)) break;
      next.push(part);
      bytes += part.sizeBytes;
    }
    return next;
  }

  /** With nothing to send, nobody else would notice before the end that what was sent is not what the file is. */
  async #isCut(
    file: GrowingFile,
    target: PartTarget,
    open: UploadRecord,
    signal: AbortSignal,
  ): Promise<boolean> {
    const sentBytes = leadingParts(open.parts, open.layout).reduce((sum, part) => sum + part.sizeBytes, 0);
    if (file.settledBytes >= sentBytes) return false;
    const opened = await this.#open(file);
    await opened.close();
    // Less is settled of a file that was looked at once only, too.
    if (opened.sizeBytes >= sentBytes) return false;
    await this.#options.transfer.giveUp(target, open, 'it is shorter than what was sent of it', signal);
    return true;
  }

  #open({ root, kind, path }: GrowingFile): Promise<OpenFile> {
    return this.#options.context.source.open(pathInFolder(root, kind, path));
  }

  async #sendParts(
    file: GrowingFile,
    target: PartTarget,
    open: UploadRecord | undefined,
    next: readonly PartRange[],
    signal: AbortSignal,
  ): Promise<void> {
    const { context, transfer, active } = this.#options;
    const last = next.at(-1);
    if (!last) return;
    const opened = await this.#open(file);
    const what = { session: target.session, path: displayPath(file.path), sizeBytes: opened.sizeBytes };
    const moving = new MovingTransfer(what, context.clock);
    active.add(moving);
    try {
      if (open && !(await this.#isSameFile(target, open, opened, signal))) return;
      const untilBytes = last.position + last.sizeBytes;
      await transfer.sendWholeParts(target, opened, untilBytes, signal, (sentBytes) =>
        moving.moved(sentBytes),
      );
    } finally {
      active.delete(moving);
      await opened.close();
    }
  }

  /**
   * What was sent last is still what the file holds in its place. Before the end all parts are proven; but should the host
   * be lost first, two files that were written one after the other under a name must not have become one object.
   */
  async #isSameFile(
    target: PartTarget,
    open: UploadRecord,
    opened: OpenFile,
    signal: AbortSignal,
  ): Promise<boolean> {
    const parts = leadingParts(open.parts, open.layout);
    const last = [...wholePartsOf(open.layout, opened.sizeBytes)][parts.length - 1];
    if (!last) return true;
    const recorded = new Map(parts.map((part) => [part.number, part]));
    try {
      await compareParts(opened, [last], recorded, signal);
      return true;
    } catch (error) {
      if (!(error instanceof PrefixChanged)) throw error;
      await this.#options.transfer.giveUp(target, open, error.message, signal);
      return false;
    }
  }

  #targetOf(file: GrowingFile, identity: SessionIdentity, row: FileRecord | undefined): PartTarget {
    const { context } = this.#options;
    const { startedAtMs, id } = identity;
    const { key } = companionKey(context.keyTemplate, startedAtMs, id, file.path);
    return {
      sid: file.sid,
      session: id,
      path: file.path,
      key,
      metadata: objectMetadata(context, identity),
      contentType: contentTypeOf(displayPath(file.path)),
      ...(row?.receipt && row.key === key && { previous: row.receipt }),
    };
  }
}
