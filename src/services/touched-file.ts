import { FileFailure } from '../domain/failure.ts';
import { type FileStat, isInDoubt, isKnownAs, withoutDoubt } from '../ports/file-source.ts';
import type { FileRecord, Journal } from '../ports/journal.ts';

/**
 * A file whose ctime alone moved since it was sent. A claim of ours does that to every other name of its bytes, in this
 * session, another or that of another process: claims that answer it would answer each other for ever. So its bytes are
 * compared with the receipt where it lies, without one. In the journal it is pending with a fingerprint in doubt.
 */
export function isOnlyTouched(row: FileRecord | undefined, stat: FileStat): boolean {
  if (!row?.receipt || row.claim !== undefined || !isKnownAs(row.fingerprint, stat)) return false;
  return isInDoubt(row.fingerprint) ? row.state === 'pending' : row.state === 'uploaded';
}

/**
 * True when such a file was deleted, or another took its name, before its bytes were compared. By all that is known they are
 * in the bucket, as when that had come before its ctime moved: it is none of those that vanished unsent.
 */
export function takeForSent(journal: Journal, sid: number, file: FileRecord, error: unknown): boolean {
  const isGone = error instanceof FileFailure && error.reason === 'vanished';
  const { path, fingerprint, receipt, uncertain } = file;
  if (!isGone || !receipt || uncertain || !isInDoubt(fingerprint)) return false;
  // Parts of it are on their way: it was compared, and is another.
  if (journal.openUpload(sid, path)) return false;
  journal.recordUploaded(sid, path, { fingerprint, newFingerprint: withoutDoubt(fingerprint), receipt });
  return true;
}
