import { Failure } from '../domain/failure.ts';
import { resumeKey } from '../domain/object-key.ts';
import type { PartLayout } from '../domain/part-layout.ts';
import { isVoid, type ResumeRecord, readResumeRecord, recordBytesMax } from '../domain/resume-record.ts';
import { displayPath, type WatchedPath } from '../domain/watched-path.ts';
import type { NewUpload } from '../ports/ledger.ts';
import type { PartTarget } from './part-sender.ts';
import type { ShippingContext } from './shipping-context.ts';

/** One that is forgotten costs sending its files from their beginning. */
const sessionsMax = 1000;

/** An upload by its record: nothing of it is proven yet. */
export interface LeftUpload {
  readonly upload: Omit<NewUpload, 'file'>;
  readonly parts: ResumeRecord['parts'];
  readonly recordEtag: string;
}

/**
 * Uploads that another host, or a journal that is lost, left unfinished: of sessions whose log was found in the bucket, of
 * files that no receipt speaks of (ADR 42). Each file is looked for once.
 */
export class LeftUploads {
  readonly #context: ShippingContext;
  /** By session, the files that need no look any more. */
  readonly #looked = new Map<number, Set<WatchedPath>>();

  constructor(context: ShippingContext) {
    this.#context = context;
  }

  /** A log of the session was found that the journal did not know. */
  expect(sid: number): void {
    this.#looked.delete(sid);
    this.#looked.set(sid, new Set());
    const oldest = this.#looked.keys().next().value;
    if (this.#looked.size > sessionsMax && oldest !== undefined) this.#looked.delete(oldest);
  }

  mayHave({ sid, path, previous }: PartTarget): boolean {
    const looked = this.#looked.get(sid);
    if (!looked || looked.has(path) || previous) return false;
    // Given up here: its record is about to be void, its parts to be freed.
    return !this.#context.journal.namedUploads(sid).some((upload) => upload.path === path);
  }

  /** Whatever comes of it, the next upload of this file is a new one. */
  settle({ sid, path }: PartTarget): void {
    this.#looked.get(sid)?.add(path);
  }

  /** `layout`: as this host cuts parts. Throws Failure when that may work later. */
  async find(target: PartTarget, layout: PartLayout, signal: AbortSignal): Promise<LeftUpload | undefined> {
    try {
      return await this.#find(target, layout, signal);
    } catch (error) {
      // Denied, damaged, archived: the file can be sent without it.
      if (error instanceof Failure && error.kind === 'permanent') return undefined;
      throw error;
    }
  }

  async #find(target: PartTarget, layout: PartLayout, signal: AbortSignal): Promise<LeftUpload | undefined> {
    const { journal, store, clock, keyTemplate } = this.#context;
    const identity = journal.session(target.sid)?.identity;
    if (!identity) return undefined;
    const path = displayPath(target.path);
    const key = resumeKey(keyTemplate, identity.startedAtMs, identity.id, path);
    const there = await store.find(key, signal);
    if (!there || there.metadata['origin'] !== identity.origin) return undefined;
    const { object, bytes } = await store.get(key, recordBytesMax, signal);
    const record = readResumeRecord(bytes.toString('utf8'));
    if (!record || isVoid(record)) return undefined;
    if (record.session !== identity.id || record.path !== path || record.key !== target.key) return undefined;
    if (!isSameLayout(record.layout, layout)) return undefined;
    const { uploadId, checksum, parts, schedule } = record;
    // Without its token: what has that may be of other parts than ours.
    const beganAtMs = clock.nowMs() - (schedule?.ageMs ?? 0);
    return {
      upload: { key: target.key, uploadId, checksum, layout, beganAtMs },
      parts,
      recordEtag: object.etag,
    };
  }
}

function isSameLayout(a: PartLayout, b: PartLayout): boolean {
  return a.firstBytes === b.firstBytes && a.doublesEvery === b.doublesEvery;
}
