import { Conflict, Failure, UploadGone } from '../domain/failure.ts';
import { companionKey } from '../domain/object-key.ts';
import type { ResumeRecord } from '../domain/resume-record.ts';
import type { CompanionEntry, SessionLog } from '../domain/session-log.ts';
import type { Clock } from '../ports/clock.ts';
import type { ObjectStore, StoredObject } from '../ports/object-store.ts';

export interface RecoveryOptions {
  readonly store: ObjectStore;
  readonly keyTemplate: string;
  readonly clock: Pick<Clock, 'nowMs'>;
}

export interface FoundLog {
  readonly object: StoredObject;
  readonly log: SessionLog;
}

/** Why nothing more of a file could be had, and what a person can do. */
export interface Loss {
  readonly cause: string;
  readonly remedy: string;
}

const hostRemedy =
  "if the host's disk can still be read, start trainlogd there with its state directory: it sends the rest";
const conflictRemedy = 'look whether its host, or another, ships the session: then nothing needs to be done';

/** Makes an object of the parts that the record names. Throws Failure when that may work later. */
export async function completeFile(
  store: ObjectStore,
  path: string,
  record: ResumeRecord | undefined,
  signal: AbortSignal,
): Promise<CompanionEntry | Loss> {
  if (!record || !store.parts)
    return { cause: 'no part of it is known to be in the bucket', remedy: hostRemedy };
  const { key, uploadId, checksum, layout, parts, condition, contentType } = record;
  try {
    const upload = { key, uploadId, checksum, layout };
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
    if (error instanceof UploadGone)
      return { cause: 'the bucket does not have its parts any more', remedy: hostRemedy };
    if (error instanceof Conflict)
      return { cause: 'another object has taken its place since', remedy: conflictRemedy };
    if (error instanceof Failure && error.kind === 'permanent')
      return { cause: error.message, remedy: error.remedy ?? hostRemedy };
    throw error;
  }
}

/**
 * What the bucket has of a file at its key: listed before, or put there by a snapshot whose last log its host did not
 * live to write.
 */
export async function earlierObject(
  { store, keyTemplate }: RecoveryOptions,
  { log, object }: FoundLog,
  path: string,
  signal: AbortSignal,
): Promise<CompanionEntry | undefined> {
  const { id, startedAt } = log.session;
  const listed = log.companions.find((entry) => entry.path === path);
  const key = listed?.key ?? companionKey(keyTemplate, new Date(startedAt), id, path).key;
  const found = await store.find(key, signal);
  if (!found || found.metadata['origin'] !== object.metadata['origin']) return undefined;
  if (listed?.etag === found.etag) return listed;
  return { path, key, bytes: found.sizeBytes, etag: found.etag };
}
