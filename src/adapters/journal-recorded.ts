import { type Month, monthOf } from '../domain/log-month.ts';
import type { SessionIdentity, StoredReceipt } from '../ports/journal-records.ts';
import type { RecordedFile, RecordedObjects, RecordedSession } from '../ports/recorded-objects.ts';
import type { Queries } from './journal-queries.ts';
import { json, number, optionalText, path, type Row, text } from './journal-rows.ts';

/** One with a log in the bucket, or with a file that was sent before it. */
const recorded = `id IS NOT NULL AND phase <> 'elsewhere'
  AND (log_etag IS NOT NULL OR EXISTS (SELECT 1 FROM files WHERE files.sid = sessions.sid AND receipt IS NOT NULL))`;
const logKey = "json_extract(identity, '$.key')";

export function recordedQueries({ statement }: Queries): RecordedObjects {
  const filesOf = (sid: number): RecordedFile[] =>
    statement(
      `SELECT path, key, receipt FROM files
       WHERE sid = ? AND receipt IS NOT NULL AND state <> 'pending' AND uncertain = 0 ORDER BY path`,
    )
      .all(sid)
      .flatMap(recordedFile);
  return {
    recordedMonths: () => {
      const months = new Set<Month>();
      const rows = statement(`SELECT identity FROM sessions WHERE ${recorded}`).iterate();
      for (const row of rows) {
        const identity = json<SessionIdentity>(row, 'identity');
        if (identity) months.add(monthOf(identity.startedAtMs));
      }
      return months;
    },
    recordedSessions: (after, to) =>
      statement(
        `SELECT sid, identity, revision, log_etag, log_doubt FROM sessions
         WHERE ${recorded} AND ${logKey} > ? AND ${logKey} <= ? ORDER BY ${logKey}`,
      )
        .all(after, to)
        .flatMap((row) => recordedSession(row, filesOf(number(row, 'sid')))),
  };
}

function recordedSession(row: Row, files: readonly RecordedFile[]): RecordedSession[] {
  const identity = json<SessionIdentity>(row, 'identity');
  if (!identity) return [];
  const { id, key, startedAtMs } = identity;
  const etag = number(row, 'log_doubt') > 0 ? undefined : optionalText(row, 'log_etag');
  const revision = number(row, 'revision');
  return [{ id, key, startedAtMs, revision, ...(etag !== undefined && { logEtag: etag }), files }];
}

function recordedFile(row: Row): RecordedFile[] {
  const receipt = json<StoredReceipt>(row, 'receipt');
  if (!receipt) return [];
  const { etag, sizeBytes, receivedAtMs } = receipt;
  return [{ path: path(row, 'path'), key: text(row, 'key'), sizeBytes, etag, receivedAtMs }];
}
