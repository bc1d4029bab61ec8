import { pathToBytes } from '../domain/watched-path.ts';
import type { Journal, NewFile, NewWork } from '../ports/journal.ts';
import type { Queries } from './journal-queries.ts';
import { fileRecord } from './journal-rows.ts';
import { recordView } from './journal-views.ts';

type FileMethods = Pick<Journal, 'files' | 'enqueue' | 'recordReleased' | 'recordDeleted'>;

export function fileQueries(queries: Queries): FileMethods {
  const { statement, run, transaction } = queries;
  return {
    files: (sid) => statement('SELECT * FROM files WHERE sid = ? ORDER BY path').all(sid).map(fileRecord),
    enqueue: (sid, work) => transaction(() => enqueue(queries, sid, work)),
    recordReleased: (sid, path, from, to) =>
      run(
        `UPDATE files SET claim = NULL, fingerprint = CASE WHEN fingerprint = ? THEN ? ELSE fingerprint END
         WHERE sid = ? AND path = ?`,
        from,
        to,
        sid,
        pathToBytes(path),
      ),
    recordDeleted: (sid, path) =>
      run(`UPDATE files SET state = 'deleted' WHERE sid = ? AND path = ?`, sid, pathToBytes(path)),
  };
}

/** One transaction: what the next log says and which files must go before it. */
function enqueue(queries: Queries, sid: number, work: NewWork): void {
  queries.run(
    `UPDATE sessions SET phase = 'shipping', seal = ?, shape = ?, draft = ?, work = work + 1, due_at_ms = 0,
       attempts = 0, failure = NULL, end_told = MAX(end_told, ?) WHERE sid = ?`,
    work.seal ? JSON.stringify(work.seal) : null,
    work.shape,
    JSON.stringify(work.draft),
    work.seal ? 1 : 0,
    sid,
  );
  queries.run(`DELETE FROM files WHERE sid = ? AND role = 'other'`, sid);
  // Half written at the last look and not there any more. A log of a running session queues nothing: it cannot tell.
  if (work.seal) {
    queries.run(
      `UPDATE files SET state = 'gone' WHERE sid = ? AND role = 'companion' AND state = 'none' AND fingerprint = ''`,
      sid,
    );
  }
  for (const file of work.files) upsert(queries, sid, file);
  recordView(queries, sid, work.draft);
  queries.run(
    `UPDATE uploads SET abandoned = 1 WHERE sid = ? AND abandoned = 0
       AND path IN (SELECT path FROM files WHERE files.sid = uploads.sid AND state = 'gone')`,
    sid,
  );
}

/**
 * A companion that is where its receipt or its parking left it stays there; any other fingerprint makes it pending.
 * The receipt of what is in the bucket stays: only the bytes decide whether it must be sent again.
 * A companion stays one when its present bytes are not to be sent (half written, grown too large, native by now): what
 * the bucket holds of it stays listed, but not before it is looked at again when it left the queue on its way.
 */
function upsert(queries: Queries, sid: number, file: NewFile): void {
  queries.run(
    `INSERT INTO files (sid, path, role, key, size_bytes, fingerprint, state, claim) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (sid, path) DO UPDATE SET
       key = CASE WHEN excluded.role = 'companion' THEN excluded.key ELSE key END,
       size_bytes = excluded.size_bytes, fingerprint = excluded.fingerprint, claim = COALESCE(excluded.claim, claim),
       uncertain = CASE WHEN uncertain > 0 AND fingerprint <> excluded.fingerprint THEN 2
                        WHEN excluded.role = 'other' AND state = 'pending' THEN 1 ELSE uncertain END,
       state = CASE WHEN role = excluded.role AND fingerprint = excluded.fingerprint
                     AND state IN ('uploaded', 'parked') THEN state ELSE excluded.state END,
       attempts = CASE WHEN fingerprint = excluded.fingerprint AND state IN ('pending', 'parked') THEN attempts ELSE 0 END,
       due_at_ms = CASE WHEN fingerprint = excluded.fingerprint AND state IN ('pending', 'parked') THEN due_at_ms ELSE 0 END,
       failure = CASE WHEN fingerprint = excluded.fingerprint AND state IN ('pending', 'parked') THEN failure ELSE NULL END`,
    sid,
    pathToBytes(file.path),
    file.role,
    file.key,
    file.sizeBytes,
    file.fingerprint,
    file.role === 'companion' ? 'pending' : 'none',
    file.claim ?? null,
  );
}
