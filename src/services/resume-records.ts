import { Conflict, Failure } from '../domain/failure.ts';
import { resumeKey } from '../domain/object-key.ts';
import { leadingParts, renderResumeRecord } from '../domain/resume-record.ts';
import { displayPath } from '../domain/watched-path.ts';
import type { SessionIdentity } from '../ports/journal.ts';
import type { UploadRecord } from '../ports/ledger.ts';
import type { PutCondition, Receipt } from '../ports/object-store.ts';
import { bytesSource } from './bytes-source.ts';
import type { PartTarget } from './part-sender.ts';
import { IdentityTaken, isOurs, objectMetadata, type ShippingContext } from './shipping-context.ts';

/** What was there is looked at, and replaced, this often in one try. */
const conflictsMax = 3;

/** Keeps in the bucket what another host needs to complete an upload, should this one never come back. */
export class ResumeRecords {
  readonly #context: ShippingContext;

  constructor(context: ShippingContext) {
    this.#context = context;
  }

  /** Are there parts that the record in the bucket does not name? */
  isBehind(open: UploadRecord): boolean {
    return leadingParts(open.parts, open.layout).length > (open.resume?.parts ?? 0);
  }

  /** Throws Failure and IdentityTaken. Nothing to do when all parts are named already, or `signal` aborts. */
  async write(target: PartTarget, identity: SessionIdentity, signal: AbortSignal): Promise<void> {
    const { journal, gate } = this.#context;
    const open = journal.openUpload(target.sid, target.path);
    if (!open || !this.isBehind(open)) return;
    const key = resumeKey(
      this.#context.keyTemplate,
      identity.startedAtMs,
      identity.id,
      displayPath(target.path),
    );
    const parts = leadingParts(open.parts, open.layout);
    const text = renderResumeRecord({
      version: 1,
      session: identity.id,
      path: displayPath(target.path),
      key: open.key,
      uploadId: open.uploadId,
      contentType: target.contentType,
      checksum: open.checksum,
      layout: open.layout,
      condition: conditionOf(target.previous),
      parts: [...parts],
    });
    const known = open.resume && { etag: open.resume.etag };
    const receipt = await gate.through(signal, target.sid, () =>
      this.#replace(key, Buffer.from(text), identity, known ?? { absent: true }, signal),
    );
    if (!receipt) return;
    const resume = { etag: receipt.etag, parts: parts.length };
    journal.recordResume(target.sid, target.path, open.uploadId, resume);
  }

  /** Over what is there, as long as it is this session's. */
  async #replace(
    key: string,
    bytes: Buffer,
    identity: SessionIdentity,
    first: PutCondition,
    signal: AbortSignal,
  ): Promise<Receipt> {
    const { store } = this.#context;
    let condition = first;
    for (let conflicts = 0; ; conflicts++) {
      try {
        return await store.put(
          {
            key,
            source: bytesSource(bytes),
            contentType: 'application/json',
            metadata: objectMetadata(this.#context, identity),
            condition,
          },
          signal,
        );
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        if (conflicts >= conflictsMax)
          throw new Failure({ kind: 'transient', code: 'Conflict', attempted: error.message, cause: error });
        const found = await store.find(key, signal);
        if (found && !isOurs(found, identity)) throw new IdentityTaken(key);
        condition = found ? { etag: found.etag } : { absent: true };
      }
    }
  }
}

function conditionOf(previous: Receipt | undefined): { absent: true } | { etag: string } {
  return previous ? { etag: previous.etag } : { absent: true };
}
