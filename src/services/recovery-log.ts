import { sessionLogKey } from '../domain/object-key.ts';
import { readSessionLog } from '../domain/read-session-log.ts';
import { renderSessionLog, type SessionLog } from '../domain/session-log.ts';
import type { Clock } from '../ports/clock.ts';
import type { ObjectStore, StoredObject } from '../ports/object-store.ts';
import { bytesSource } from './bytes-source.ts';

export interface RecoveryOptions {
  readonly store: ObjectStore;
  readonly keyTemplate: string;
  /** By the destination's clock, as far as that is known. */
  readonly clock: Pick<Clock, 'nowMs'>;
  /** How often a session's host writes, where its records do not say. */
  readonly snapshotEveryMs: number;
}

export interface FoundLog {
  readonly object: StoredObject;
  readonly log: SessionLog;
}

const monthsMax = 60;
const logBytesMax = 64 * 1024 * 1024;
/** Metadata of a log that `recover` wrote: when the host was last heard of, so that our own writes are not taken for its. */
const silentSince = 'silent-since';

/** Keys of the present month and those before it, in which a session of this id may have begun. */
export async function findLog(
  { store, keyTemplate, clock }: RecoveryOptions,
  id: string,
  signal: AbortSignal,
): Promise<StoredObject | undefined> {
  const now = new Date(clock.nowMs());
  const months = Array.from({ length: monthsMax }, (_, back) =>
    Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1),
  );
  for (const key of new Set(months.map((month) => sessionLogKey(keyTemplate, month, id)))) {
    const found = await store.find(key, signal);
    if (found) return found;
  }
  return undefined;
}

/** Undefined when it is no log of this session that trainlogd wrote: what is somebody else's is not touched. */
export async function readLog(
  store: ObjectStore,
  known: StoredObject,
  id: string,
  signal: AbortSignal,
): Promise<FoundLog | undefined> {
  if (!known.metadata['origin']) return undefined;
  const { bytes, object } = await store.get(known.key, logBytesMax, signal);
  const log = readSessionLog(bytes.toString('utf8'));
  if (log?.session.id !== id) return undefined;
  return { log, object: { ...known, ...object, metadata: known.metadata } };
}

/** Undefined where the destination does not say. */
export function hostWroteLogMs({ object }: FoundLog): number | undefined {
  const saidMs = Number(object.metadata[silentSince] ?? Number.NaN);
  const { writtenAtMs } = object;
  return saidMs <= (writtenAtMs ?? Number.POSITIVE_INFINITY) ? saidMs : writtenAtMs;
}

/** Over exactly the log that was read. Throws Conflict when another is there by now. */
export async function writeLog(
  store: ObjectStore,
  { object }: FoundLog,
  log: SessionLog,
  hostWroteMs: number,
  signal: AbortSignal,
): Promise<FoundLog> {
  const metadata = {
    ...object.metadata,
    revision: String(log.session.revision),
    ...(Number.isFinite(hostWroteMs) && { [silentSince]: String(Math.round(hostWroteMs)) }),
  };
  const { key, etag } = object;
  const receipt = await store.put(
    {
      key,
      source: bytesSource(Buffer.from(renderSessionLog(log))),
      contentType: 'application/json',
      metadata,
      condition: { etag },
    },
    signal,
  );
  return { log, object: { key, etag: receipt.etag, sizeBytes: receipt.sizeBytes, metadata } };
}
