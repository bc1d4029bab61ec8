import { Failure } from '../domain/failure.ts';
import { companionKey, encodedCompanionKey, resumeKey } from '../domain/object-key.ts';
import { isVoid, type ResumeRecord, readResumeRecord, recordBytesMax } from '../domain/resume-record.ts';
import type { SessionLog } from '../domain/session-log.ts';
import { longestPauseMs, untilNextSnapshotMs } from '../domain/snapshot-schedule.ts';
import type { StoredObject } from '../ports/object-store.ts';
import { type FoundLog, hostWroteLogMs, type RecoveryOptions } from './recovery-log.ts';

/** What the bucket says of a file that the session's log waits for. */
export interface FileEvidence {
  readonly path: string;
  /** Of this file and of use. */
  readonly record: ResumeRecord | undefined;
  /** Why there is no record, or none of use. */
  readonly without: string;
  readonly recordWrittenAtMs: number | undefined;
  /** What lies at its key, of this session; looked up where there is no record to complete. */
  readonly object: StoredObject | undefined;
}

/** What was due is late by its uploads, and by retries. */
const graceMs = 10 * 60_000;

export async function lookAtFile(
  options: RecoveryOptions,
  found: FoundLog,
  path: string,
  signal: AbortSignal,
): Promise<FileEvidence> {
  const { id, startedAt } = found.log.session;
  const key = resumeKey(options.keyTemplate, new Date(startedAt), id, path);
  const there = await options.store.find(key, signal);
  const read = there
    ? await readRecord(options, found, path, there, signal)
    : 'no part of it is known to be in the bucket';
  const isUsable = typeof read !== 'string';
  return {
    path,
    record: isUsable ? read : undefined,
    without: isUsable ? '' : read,
    recordWrittenAtMs: isOfSession(found, there) ? there.writtenAtMs : undefined,
    object: isUsable ? undefined : await ownObject(options, found, path, signal),
  };
}

/** What lies at a file's key, when it is of this session: another host's object is never listed. */
export async function ownObject(
  { store, keyTemplate }: RecoveryOptions,
  found: FoundLog,
  path: string,
  signal: AbortSignal,
): Promise<StoredObject | undefined> {
  const { companions, session } = found.log;
  const listed = companions.find((entry) => entry.path === path);
  const key = listed?.key ?? companionKey(keyTemplate, new Date(session.startedAt), session.id, path).key;
  const object = await store.find(key, signal);
  return isOfSession(found, object) ? object : undefined;
}

/** A record, or why it is of no use. Whatever lies there: it may be damaged, huge, or somebody else's. */
async function readRecord(
  { store, keyTemplate }: RecoveryOptions,
  found: FoundLog,
  path: string,
  there: StoredObject,
  signal: AbortSignal,
): Promise<ResumeRecord | string> {
  if (!isOfSession(found, there)) return 'what lies where its resume record should is not of this session';
  try {
    const { bytes } = await store.get(there.key, recordBytesMax, signal);
    const record = readResumeRecord(bytes.toString('utf8'));
    if (!record) return 'its resume record is damaged, or of a later version of trainlogd';
    if (!isOfFile(record, found.log, path, keyTemplate)) return 'its resume record speaks of another file';
    if (isVoid(record))
      return 'its host gave up what was sent of it, as the file had been cut or written anew';
    return record;
  } catch (error) {
    if (error instanceof Failure && error.kind === 'permanent')
      return `its resume record cannot be read: ${error.message}`;
    throw error;
  }
}

function isOfSession(found: FoundLog, object: StoredObject | undefined): object is StoredObject {
  return object !== undefined && object.metadata['origin'] === found.object.metadata['origin'];
}

/** Its key is the one that this file has, or may have where its name cannot be a key. */
function isOfFile(
  { session, path: recorded, key }: ResumeRecord,
  log: SessionLog,
  path: string,
  template: string,
): boolean {
  const { id, startedAt } = log.session;
  if (session !== id || recorded !== path) return false;
  if (log.companions.some((entry) => entry.key === key && entry.path !== path)) return false;
  const started = new Date(startedAt);
  const encoded = encodedCompanionKey(template, started, id, path);
  if (key === encoded || key === companionKey(template, started, id, path).key) return true;
  // The digest is of the name's own bytes, and a name that is not UTF-8 is shown with `%` in it.
  const [folder, digest] = [key.slice(0, -64), key.slice(-64)];
  return path.includes('%') && folder === encoded.slice(0, -64) && /^[0-9a-f]{64}$/.test(digest);
}

/** When the host is known to have written last; -Infinity where the destination does not say. */
export function hostWroteMs(found: FoundLog, files: readonly FileEvidence[]): number {
  const times = files.flatMap(({ recordWrittenAtMs, object }) => [recordWrittenAtMs, object?.writtenAtMs]);
  return [hostWroteLogMs(found), ...times].reduce<number>(
    (last, time) => Math.max(last, time ?? Number.NEGATIVE_INFINITY),
    Number.NEGATIVE_INFINITY,
  );
}

/**
 * From when on a host that writes as it should, and lives, would have written again. Its own records tell when that was
 * due; without one it may be of any age, and have as long as a session may go without a snapshot.
 */
export function againAtMs(
  wroteMs: number,
  files: readonly FileEvidence[],
  { snapshotEveryMs }: RecoveryOptions,
): number {
  const pauses = files.flatMap(({ record, recordWrittenAtMs }) => {
    if (!record?.schedule || recordWrittenAtMs === undefined) return [];
    const { ageMs, everyMs } = record.schedule;
    return [untilNextSnapshotMs(wroteMs - recordWrittenAtMs + ageMs, everyMs)];
  });
  const pauseMs = pauses.length > 0 ? Math.max(...pauses) : longestPauseMs(snapshotEveryMs);
  return wroteMs + pauseMs + graceMs;
}
