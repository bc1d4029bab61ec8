import { pathToBytes, type WatchedPath } from '../domain/watched-path.ts';
import type { ParkedReason } from '../ports/backlog.ts';
import type { Journal, RecoveredWork, ShippedLog } from '../ports/journal.ts';
import { closeUpload } from './journal-ledger.ts';
import type { Queries } from './journal-queries.ts';
import { fileRecord, number, path, shipment, text, type Value } from './journal-rows.ts';

type ShippingMethods = Pick<
  Journal,
  | 'recover'
  | 'dueSessions'
  | 'nextDueMs'
  | 'hasUnfinished'
  | 'rootOf'
  | 'shipment'
  | 'pendingFiles'
  | 'nextFileDueMs'
  | 'pendingClaims'
  | 'recordUploaded'
  | 'recordFailed'
  | 'recordParked'
  | 'recordGone'
  | 'recordLog'
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

    dueSessions: (folder, nowMs, limit) =>
      statement(
        `SELECT sid FROM sessions WHERE folder = ? AND phase = 'shipping' AND due_at_ms <= ? ORDER BY sid LIMIT ?`,
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
        statement(`SELECT claim FROM files WHERE state = 'pending' AND claim IS NOT NULL`)
          .all()
          .map((row) => text(row, 'claim')),
      ),

    recordUploaded: (sid, path, sent) =>
      transaction(() => {
        closeUpload(queries, sid, path);
        run(
          `UPDATE files SET receipt = ?, uncertain = 0, attempts = 0, failure = NULL,
           state = CASE WHEN fingerprint = ? THEN 'uploaded' ELSE state END,
           fingerprint = CASE WHEN fingerprint = ? THEN ? ELSE fingerprint END
         WHERE sid = ? AND path = ?`,
          JSON.stringify(sent.receipt),
          sent.fingerprint,
          sent.fingerprint,
          sent.newFingerprint,
          sid,
          pathToBytes(path),
        );
      }),

    // A file that was enqueued anew meanwhile is another job; only the doubt about the object is shared.
    recordFailed: (sid, path, failed) =>
      transaction(() => {
        if (failed.uncertain) doubtObject(queries, sid, path);
        run(
          'UPDATE files SET attempts = ?, due_at_ms = ?, failure = ? WHERE sid = ? AND path = ? AND fingerprint = ?',
          failed.attempts,
          Math.ceil(failed.dueAtMs),
          reasonText(failed),
          sid,
          pathToBytes(path),
          failed.fingerprint,
        );
      }),

    recordParked: (sid, path, parked) =>
      transaction(() => {
        if (parked.uncertain) doubtObject(queries, sid, path);
        run(
          `UPDATE files SET state = 'parked', failure = ?
           WHERE sid = ? AND path = ? AND state = 'pending' AND fingerprint = ?`,
          reasonText(parked),
          sid,
          pathToBytes(path),
          parked.fingerprint,
        );
      }),

    recordGone: (sid, path, fingerprint) =>
      run(
        // With a receipt, too: what the bucket has is an older version, and the log must say so.
        `UPDATE files SET state = 'gone', claim = NULL
         WHERE sid = ? AND path = ? AND state = 'pending' AND fingerprint = ?`,
        sid,
        pathToBytes(path),
        fingerprint,
      ),

    recordLog: (sid, log) => transaction(() => recordLog(queries, sid, log)),

    setCertain: (sid) => run('UPDATE sessions SET certain = 1 WHERE sid = ?', sid),

    adopt: (sid, rows) =>
      transaction(() => {
        for (const row of rows) {
          run(
            `INSERT INTO files (sid, path, role, key, size_bytes, fingerprint, state, listed, receipt)
             VALUES (?, ?, 'companion', ?, ?, '', 'uploaded', 1, ?)
             ON CONFLICT (sid, path) DO UPDATE SET
               receipt = excluded.receipt, listed = 1, role = excluded.role, key = excluded.key
             WHERE files.receipt IS NULL AND (files.key = excluded.key OR files.role = 'other')`,
            sid,
            pathToBytes(row.path),
            row.key,
            row.receipt.sizeBytes,
            JSON.stringify(row.receipt),
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
        run(`UPDATE sessions SET phase = 'parked', failure = ? WHERE sid = ?`, reasonText(failure), sid);
      }),

    finish: (shipment) =>
      statement(
        `UPDATE sessions SET phase = ?, draft = NULL, attempts = 0, due_at_ms = 0, failure = NULL
         WHERE sid = ? AND phase = 'shipping' AND work = ? AND certain = 1
           AND NOT EXISTS (SELECT 1 FROM files WHERE files.sid = sessions.sid AND state = 'pending')
         RETURNING sid`,
      ).get(shipment.draft.status === 'running' ? 'open' : 'shipped', shipment.sid, shipment.work) !==
      undefined,
  };
}

/**
 * A log whose arrival was not recorded may be in the bucket all the same, and list any file that has a receipt: the next
 * log is written whatever it says, and before one of these files is replaced.
 */
function distrustLog({ run }: Queries, where: string, ...values: Value[]): void {
  run(`UPDATE sessions SET log_digest = NULL WHERE ${where}`, ...values);
  run(
    `UPDATE files SET listed = 1 WHERE receipt IS NOT NULL AND sid IN (SELECT sid FROM sessions WHERE ${where})`,
    ...values,
  );
}

/** A request whose outcome is unknown may have replaced the object. */
function doubtObject({ run }: Queries, sid: number, path: WatchedPath): void {
  run('UPDATE files SET uncertain = 1 WHERE sid = ? AND path = ?', sid, pathToBytes(path));
}

function recover(queries: Queries): RecoveredWork {
  const { run, statement } = queries;
  distrustLog(queries, 'draft IS NOT NULL');
  run(`UPDATE files SET uncertain = 1, due_at_ms = 0, attempts = 0 WHERE state = 'pending'`);
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
    `UPDATE sessions SET revision = ?, log_etag = ?, log_digest = ?, missing = ?, certain = ?, attempts = 0, failure = NULL
     WHERE sid = ?`,
    log.revision,
    log.etag,
    log.digest,
    log.missing,
    log.certain ? 1 : 0,
    sid,
  );
  run('UPDATE files SET listed = 0 WHERE sid = ? AND listed = 1', sid);
  for (const path of log.listed) {
    run('UPDATE files SET listed = 1 WHERE sid = ? AND path = ?', sid, pathToBytes(path));
  }
}

function reasonText(reason: ParkedReason): string {
  const { reason: why, code, cause, remedy } = reason;
  return JSON.stringify({ reason: why, code, cause, remedy });
}
