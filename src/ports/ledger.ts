import type { WatchedPath } from '../domain/watched-path.ts';
import type { PartUpload, SentPart } from './part-store.ts';

/**
 * Uploads in parts as far as they got: what a later life, or another host, needs to go on at the next part. A part of
 * the journal, with its promises. At most one upload of a file is open; what is given up is remembered until its parts
 * are freed, because they are paid for.
 */
export interface Ledger {
  openUpload(sid: number, path: WatchedPath): UploadRecord | undefined;
  /** In the order of their paths. */
  openUploads(sid: number): readonly UploadRecord[];
  /** One that is open for the same file is given up. */
  beginUpload(sid: number, path: WatchedPath, upload: NewUpload): void;
  /** Sent again, the later one counts. Nothing when the upload is not the open one any more. */
  recordPart(sid: number, path: WatchedPath, uploadId: string, part: SentPart): void;
  /** What another host would need lies in the bucket, as the object with this ETag: over what named earlier uploads. */
  recordResume(sid: number, path: WatchedPath, uploadId: string, resume: ResumeObject): void;
  /** There is nothing left to free: its parts became the object, or the destination does not know it any more. */
  closeUpload(sid: number, path: WatchedPath): void;
  /** Its parts are of no use any more; `abandonedUploads` names it until `recordFreed`. */
  giveUpUpload(sid: number, path: WatchedPath): void;
  /** Given up with a first part, while a record in the bucket may name it. By path, oldest first. */
  namedUploads(sid: number): readonly UploadRecord[];
  /** No record in the bucket names an upload of the file that was given up. */
  recordVoid(sid: number, path: WatchedPath): void;

  /** Oldest first. */
  abandonedUploads(limit: number): readonly AbandonedUpload[];
  recordFreed(upload: number): void;
  uploadCounts(): UploadCounts;
}

export interface NewUpload extends PartUpload {
  /** What file it is, `directoryIdentity` of its stat: parts of another file are not its parts. */
  readonly file: string;
  /** Wall clock. */
  readonly beganAtMs: number;
}

export interface UploadRecord extends NewUpload {
  readonly path: WatchedPath;
  /** By number; there may be gaps. */
  readonly parts: readonly SentPart[];
  readonly resume: ResumeObject | undefined;
}

export interface ResumeObject {
  readonly etag: string;
  /** How many parts it names. */
  readonly parts: number;
}

export interface AbandonedUpload {
  /** The ledger's own number for it. */
  readonly upload: number;
  readonly key: string;
  readonly uploadId: string;
  readonly sentBytes: number;
  readonly beganAtMs: number;
}

export interface UploadCounts {
  readonly open: number;
  readonly openBytes: number;
  readonly abandoned: number;
  readonly abandonedBytes: number;
}
