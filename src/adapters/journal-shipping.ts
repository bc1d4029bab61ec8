import { pathToBytes } from '../domain/watched-path.ts';
import type { Journal, RecoveredWork, Shipment, ShippedLog } from '../ports/journal.ts';
import { giveUpUploadsOf } from './journal-ledger.ts';
import { reasonText } from './journal-outcomes.ts';
import type { Queries } from './journal-queries.ts';
import { fileRecord, number, path, shipment, text, type Value } from './journal-rows.ts';

type ShippingMethods = Pick<
  Journal,
  | 'recover'
  | 'dueSessions'
  | 'leastUnsent'
  | 'nextDueMs'
  | 'hasUnfinished'
  | 'rootOf'
  | 'shipment'
  | 'pendingFiles'
  | 'nextFileDueMs'
  | 'pendingClaims'
  | 'needsClaim'
  | 'recordLog'
  | 'contestLog'
  | 'setCertain'
  | 'adopt'
  | 'postpone'
  | 'park'
  | 'finish'
>;

export function shippingQueries(queries: Queries): ShippingMethods {
  const { statement, run, transaction } = queries;
  return {
    recover: () => transaction(() => recover(queries)),

    dueSessions: (folder, nowMs, limit) => {
      // Asked for each session that is shipped: by the index of all phases it would sort ten thousand that wait each time.
      const corrected = statement(
        `SELECT sid FROM sessions INDEXED BY sessions_corrected WHERE folder = ? AND phase = 'shipping' AND end_told = 1
           AND seal IS NULL AND due_at_ms <= ? ORDER BY sid LIMIT ?`,
      ).all(folder, nowMs, limit);
      const due = statement(
        `SELECT sid FROM sessions INDEXED BY sessions_unfinished WHERE folder = ? AND phase = 'shipping' AND due_at_ms <= ?
           ORDER BY sid LIMIT ?`,
      ).all(folder, nowMs, limit);
      return [...new Set([...corrected, ...due].map((row) => number(row, 'sid')))].slice(0, limit);
    },

    leastUnsent: (folder, nowMs, limit) =>
      statement(
        `SELECT sid,
           (SELECT COALESCE(SUM(size_bytes), 0) FROM files WHERE files.sid = sessions.sid AND state = 'pending')
           - (SELECT COALESCE(SUM(parts.size_bytes), 0) FROM uploads JOIN parts USING (upload)
              WHERE uploads.sid = sessions.sid AND abandoned = 0) AS unsent
         FROM sessions WHERE folder = ? AND phase = 'shipping' AND due_at_ms <= ? ORDER BY unsent, sid LIMIT ?`,
      )
        .all(folder, nowMs, limit)
        .map((row) => number(row, 'sid')),

    nextDueMs: (folder, nowMs) => {
      const row = statement(
        `SELECT MIN(due_at_ms) AS due FROM sessions WHERE folder = ? AND phase = 'shipping' AND due_at_ms > ?`,
      ).get(folder, nowMs);
      return typeof row?.['due'] === 'number' ? row['due'] : undefined;
    },

    hasUnfinished: (folder) =>
      statement(`SELECT 1 AS n FROM sessions WHERE folder = ? AND phase = 'shipping' LIMIT 1`).get(folder) !==
      undefined,

    rootOf: (sid) => {
      const row = statement('SELECT root FROM sessions WHERE sid = ?').get(sid);
      return row && path(row, 'root');
    },

    shipment: (sid) => {
      const row = statement('SELECT * FROM sessions WHERE sid = ?').get(sid);
      return row ? shipment(row) : undefined;
    },

    pendingFiles: (sid, nowMs, limit) =>
      statement(
        `SELECT * FROM files WHERE sid = ? AND state = 'pending' AND due_at_ms <= ? ORDER BY size_bytes, path LIMIT ?`,
      )
        .all(sid, nowMs, limit)
        .map(fileRecord),

    nextFileDueMs: (sid) => {
      const row = statement(
        `SELECT MIN(due_at_ms) AS due FROM files WHERE sid = ? AND state = 'pending'`,
      ).get(sid);
      return typeof row?.['due'] === 'number' ? row['due'] : undefined;
    },

    pendingClaims: () =>
      new Set(
        // Two questions, so that each has its index.
        statement(
          `SELECT claim FROM files WHERE state = 'pending' AND claim IS NOT NULL
           UNION ALL SELECT claim FROM files WHERE state = 'parked' AND claim IS NOT NULL`,
        )
          .all()
          .map((row) => text(row, 'claim')),
      ),

    needsClaim: (sid, path) =>
      statement(
        `SELECT 1 FROM files WHERE sid = ? AND path = ? AND state IN ('pending', 'parked') AND claim IS NOT NULL`,
      ).get(sid, pathToBytes(path)) !== undefined,

    recordLog: (sid, log) => transaction(() => recordLog(queries, sid, log)),

    contestLog: (sid) =>
      transaction(() => {
        distrustLog(queries, 'sid = ?', sid);
        run('UPDATE sessions SET log_doubt = 2 WHERE sid = ?', sid);
      }),

    // Looking again is not writing: what is contested stays so.
    setCertain: (sid) =>
      run(
        'UPDATE sessions SET certain = 1, log_doubt = CASE log_doubt WHEN 2 THEN 2 ELSE 0 END WHERE sid = ?',
        sid,
      ),

    adopt: (sid, rows) =>
      transaction(() => {
        for (const row of rows) {
          run(
            `INSERT INTO files (sid, path, role, key, size_bytes, fingerprint, state, listed, receipt)
             VALUES (?, ?, 'companion', ?, ?, '', 'uploaded', 1, ?)
             ON CONFLICT (sid, path) DO UPDATE SET
               state = CASE WHEN files.receipt IS NOT NULL AND files.state = 'uploaded' THEN 'pending' ELSE files.state END,
               receipt = excluded.receipt, listed = 1, role = excluded.role, key = excluded.key
             WHERE (files.receipt IS NULL OR json_extract(files.receipt, '$.etag') = ?)
               AND (files.key = excluded.key OR files.role = 'other')`,
            sid,
            pathToBytes(row.path),
            row.key,
            row.receipt.sizeBytes,
            JSON.stringify(row.receipt),
            row.replaced ?? null,
          );
        }
      }),

    postpone: (sid, dueAtMs, failure) =>
      transaction(() => {
        if (failure) distrustLog(queries, 'sid = ?', sid);
        run(
          'UPDATE sessions SET due_at_ms = ?, attempts = attempts + ?, failure = ? WHERE sid = ?',
          Math.ceil(dueAtMs),
          failure ? 1 : 0,
          failure ? reasonText(failure) : null,
          sid,
        );
      }),

    park: (sid, failure) =>
      transaction(() => {
        distrustLog(queries, 'sid = ?', sid);
        run(
          `UPDATE sessions SET phase = 'parked', failure = ? WHERE sid = ? AND phase = 'shipping'`,
          reasonText(failure),
          sid,
        );
      }),

    finish: (shipment) => transaction(() => finish(queries, shipment)),
  };
}

function finish(queries: Queries, { sid, work, draft }: Shipment): boolean {
  const finished = queries.returning(
    `UPDATE sessions SET phase = ?, draft = NULL, attempts = 0, due_at_ms = 0, failure = NULL, log_doubt = 0,
       end_told = seal IS NOT NULL
     WHERE sid = ? AND phase = 'shipping' AND work = ? AND certain = 1
       AND NOT EXISTS (SELECT 1 FROM files WHERE files.sid = sessions.sid AND state = 'pending')
     RETURNING sid`,
    draft.status === 'running' ? 'open' : 'shipped',
    sid,
    work,
  );
  if (!finished) return false;
  // What ended by evidence grows no more; a parked file may yet be sent.
  if (draft.status !== 'running' && draft.status !== 'stalled') giveUpUploadsOf(queries, sid);
  return true;
}

/**
 * A log whose arrival was not recorded may be in the bucket all the same, now or later, and list any file that has a
 * receipt: the next log is written whatever it says, and before one of these files is replaced.
 */
function distrustLog({ run }: Queries, where: string, ...values: Value[]): void {
  run(`UPDATE sessions SET log_digest = NULL, log_doubt = MAX(log_doubt, 1) WHERE ${where}`, ...values);
  run(
    `UPDATE files SET listed = 1 WHERE receipt IS NOT NULL AND sid IN (SELECT sid FROM sessions WHERE ${where})`,
    ...values,
  );
}

function recover(queries: Queries): RecoveredWork {
  const { run, statement } = queries;
  distrustLog(queries, 'draft IS NOT NULL');
  run(`UPDATE files SET uncertain = MAX(uncertain, 1), due_at_ms = 0, attempts = 0 WHERE state = 'pending'`);
  // A parked log is tried again; a parked file loses its fingerprint, so that the next look at it queues it again.
  run(`UPDATE sessions SET phase = 'shipping' WHERE phase = 'parked' AND draft IS NOT NULL`);
  run(
    `UPDATE sessions SET shape = '' WHERE gone = 0 AND sid IN (SELECT sid FROM files WHERE state = 'parked')`,
  );
  run(`UPDATE files SET fingerprint = '' WHERE state = 'parked'`);
  run(`UPDATE sessions SET due_at_ms = 0, attempts = 0 WHERE phase = 'shipping'`);
  const count = (sql: string): number => number(statement(sql).get() ?? {}, 'n');
  return {
    openSessions: count(`SELECT COUNT(*) AS n FROM sessions WHERE phase = 'open' AND gone = 0`),
    unfinishedSessions: count(`SELECT COUNT(*) AS n FROM sessions WHERE phase = 'shipping'`),
    unfinishedFiles: count(`SELECT COUNT(*) AS n FROM files WHERE state = 'pending'`),
  };
}

function recordLog({ run }: Queries, sid: number, log: ShippedLog): void {
  run(
    `UPDATE sessions SET revision = ?, log_etag = ?, log_digest = ?, missing = ?, certain = ?,
       log_doubt = MIN(log_doubt, ?), attempts = 0, failure = NULL WHERE sid = ?`,
    log.revision,
    log.etag,
    log.digest,
    log.missing,
    log.certain ? 1 : 0,
    log.found ? 2 : 1,
    sid,
  );
  run('UPDATE files SET listed = 0 WHERE sid = ? AND listed = 1', sid);
  for (const path of log.listed) {
    run('UPDATE files SET listed = 1 WHERE sid = ? AND path = ?', sid, pathToBytes(path));
  }
}
