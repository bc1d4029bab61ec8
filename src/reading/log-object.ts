import { Failure } from '../domain/failure.ts';
import { type LogPlace, logKeyReader, type Month, monthOf } from '../domain/log-month.ts';
import { readSessionLog } from '../domain/read-session-log.ts';
import type { SessionLog } from '../domain/session-log.ts';
import type { ListedObject } from '../ports/object-reader.ts';
import type { Reading } from './reading.ts';

/** Larger than any log that trainlogd writes. */
export const logBytesMax = 64 * 1024 * 1024;

/** A key that a list returned, at which a session's log lies by its form. */
export interface LogObject {
  readonly object: ListedObject;
  readonly id: string;
  /** By the key; absent where the template does not tell. */
  readonly month?: Month;
}

export type ReadLog =
  | { readonly outcome: 'read'; readonly log: SessionLog; readonly bytes: Buffer; readonly etag: string }
  | { readonly outcome: 'archived'; readonly restore: string | undefined }
  | { readonly outcome: 'unreadable'; readonly why: string }
  /** It was there when it was listed. */
  | { readonly outcome: 'gone' };

/** Every log of these months that a place lists, in the order of their keys. */
export async function* logObjects(
  { reader, keyTemplate }: Reading,
  { prefix, isFlat, months }: LogPlace,
  signal: AbortSignal,
): AsyncGenerator<LogObject> {
  const read = logKeyReader(keyTemplate);
  for await (const page of reader.pages(prefix, { isFlat }, signal)) {
    for (const object of page) {
      const found = read(object.key);
      if (found === undefined) continue;
      if (found.month === undefined || months.includes(found.month)) yield { object, ...found };
    }
  }
}

/** Of its log alone it can be told whether a session is of a month, where the keys do not say. */
export function isOfMonths({ month }: LogObject, log: SessionLog, months: readonly Month[]): boolean {
  return month !== undefined || months.includes(monthOf(new Date(log.session.startedAt)));
}

/** Throws Failure where not this log but the destination is the trouble. */
export async function readLog(
  reading: Reading,
  { object, id }: LogObject,
  signal: AbortSignal,
): Promise<ReadLog> {
  const { key, sizeBytes } = object;
  if (sizeBytes > logBytesMax) return { outcome: 'unreadable', why: tooLarge };
  try {
    return await reading.logBudget.within(sizeBytes, async () => {
      const { bytes, etag } = await readBytes(reading, key, signal);
      const log = readSessionLog(bytes.toString('utf8'));
      if (log?.session.id === id) return { outcome: 'read', log, bytes, etag };
      const why = log ? `it is the log of another session, ${JSON.stringify(log.session.id)}` : notALog;
      return { outcome: 'unreadable', why };
    });
  } catch (error) {
    if (!(error instanceof Failure) || error.kind === 'blocked' || error.kind === 'cancelled') throw error;
    if (error.code === 'InvalidObjectState')
      return { outcome: 'archived', restore: reading.reader.restoreCommand(key) };
    return error.code === 'NoSuchKey' ? { outcome: 'gone' } : { outcome: 'unreadable', why: error.message };
  }
}

const notALog = 'it is no session log that this version can read';
const tooLarge = `it has more than ${logBytesMax / 1024 / 1024} MiB, as no session log has`;

async function readBytes(
  { reader }: Reading,
  key: string,
  signal: AbortSignal,
): Promise<{ bytes: Buffer; etag: string }> {
  const { body, etag } = await reader.read(key, { position: 0 }, signal);
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    // It may have been replaced since it was listed.
    if (sizeBytes > logBytesMax)
      throw new Failure({ kind: 'permanent', code: 'TooLarge', attempted: tooLarge, remedy: 'remove it' });
    chunks.push(chunk);
  }
  return { bytes: Buffer.concat(chunks), etag };
}
