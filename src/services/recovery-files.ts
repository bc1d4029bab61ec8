import { Conflict, Failure, PartsRefused, UploadGone } from '../domain/failure.ts';
import type { CompanionEntry } from '../domain/session-log.ts';
import type { ObjectStore, StoredObject } from '../ports/object-store.ts';
import { type FileEvidence, ownObject } from './recovery-evidence.ts';
import type { FoundLog, RecoveryOptions } from './recovery-log.ts';

/** Why nothing more of a file could be had, and what a person can do. */
export interface Loss {
  readonly cause: string;
  readonly remedy: string;
}

/**
 * `lost`: nothing more can be had; `kept` is what the log listed before and is still there. `failed`: not this time, and
 * the file stays as it is; `denied`: for want of a right.
 */
export type FileEnd =
  | { readonly outcome: 'completed'; readonly entry: CompanionEntry }
  | { readonly outcome: 'lost'; readonly loss: Loss; readonly kept: CompanionEntry | undefined }
  | { readonly outcome: 'failed'; readonly loss: Loss; readonly denied: boolean };

const hostRemedy =
  "if the host's disk can still be read, start trainlogd there with its state directory: it sends the rest";
const conflictRemedy = 'look whether its host, or another, ships the session: then nothing needs to be done';

/** One file that fails keeps no other from being completed. Throws Failure when that holds for all of them. */
export async function recoverFile(
  options: RecoveryOptions,
  found: FoundLog,
  file: FileEvidence,
  signal: AbortSignal,
): Promise<FileEnd> {
  try {
    const done = await completeFile(options.store, file, found.object.metadata['origin'], signal);
    if (!('cause' in done)) return { outcome: 'completed', entry: done };
    const object = file.record ? await ownObject(options, found, file.path, signal) : file.object;
    const listed = found.log.companions.find(({ path }) => path === file.path);
    // Put there by a snapshot whose last log its host did not live to write.
    if (object && object.etag !== listed?.etag)
      return { outcome: 'completed', entry: entryOf(file.path, object) };
    return { outcome: 'lost', loss: done, kept: object && listed };
  } catch (error) {
    if (!(error instanceof Failure) || !(error.kind === 'transient' || error.denied)) throw error;
    const loss = { cause: error.message, remedy: error.remedy ?? 'run it again' };
    return { outcome: 'failed', loss, denied: error.denied };
  }
}

/** Makes an object of the parts that the record names. Throws Failure when that may work later. */
async function completeFile(
  store: ObjectStore,
  { path, record, without }: FileEvidence,
  origin: string | undefined,
  signal: AbortSignal,
): Promise<CompanionEntry | Loss> {
  if (!record) return { cause: without, remedy: hostRemedy };
  if (!store.parts) return { cause: 'this destination takes no objects in parts', remedy: hostRemedy };
  const { key, uploadId, token, checksum, layout, parts, condition, contentType } = record;
  try {
    const upload = { key, uploadId, checksum, layout, origin, ...(token !== undefined && { token }) };
    const receipt = await store.parts.complete(upload, parts, condition, signal);
    return {
      path,
      key,
      bytes: receipt.sizeBytes,
      etag: receipt.etag,
      ...(receipt.partSizeBytes !== undefined && { partSize: receipt.partSizeBytes }),
      ...(receipt.crc32 !== '' && { crc32: receipt.crc32 }),
      contentType,
    };
  } catch (error) {
    if (error instanceof PartsRefused) return { cause: error.message, remedy: hostRemedy };
    if (error instanceof UploadGone)
      return { cause: 'the bucket does not have its parts any more', remedy: hostRemedy };
    if (error instanceof Conflict)
      return { cause: 'another object has taken its place since', remedy: conflictRemedy };
    if (error instanceof Failure && error.kind === 'permanent')
      return { cause: error.message, remedy: error.remedy ?? hostRemedy };
    throw error;
  }
}

function entryOf(path: string, { key, sizeBytes, etag }: StoredObject): CompanionEntry {
  return { path, key, bytes: sizeBytes, etag };
}
