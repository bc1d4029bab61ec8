import { pathToBytes, type WatchedPath } from '../domain/watched-path.ts';
import type { ParkedReason } from '../ports/backlog.ts';
import type { Journal } from '../ports/journal.ts';
import { closeUpload, giveUpUpload } from './journal-ledger.ts';
import type { Queries } from './journal-queries.ts';

type OutcomeMethods = Pick<
  Journal,
  'recordUploaded' | 'recordFailed' | 'recordParked' | 'recordGone' | 'recordReplaced'
>;

/** How a try to ship a file ended. */
export function outcomeQueries(queries: Queries): OutcomeMethods {
  const { run, returning, transaction } = queries;
  return {
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
        if (failed.uncertain) doubtObject(queries, sid, path, failed.fingerprint);
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
        if (parked.uncertain) doubtObject(queries, sid, path, parked.fingerprint);
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
      transaction(() => {
        // With a receipt, too: what the bucket has is an older version, and the log must say so.
        const gone = returning(
          `UPDATE files SET state = 'gone', claim = NULL
           WHERE sid = ? AND path = ? AND state = 'pending' AND fingerprint = ? RETURNING sid`,
          sid,
          pathToBytes(path),
          fingerprint,
        );
        if (gone) giveUpUpload(queries, sid, path);
      }),

    recordReplaced: (sid, path) =>
      run(
        `UPDATE files SET uncertain = 2, state = CASE state WHEN 'uploaded' THEN 'pending' ELSE state END
         WHERE sid = ? AND path = ?`,
        sid,
        pathToBytes(path),
      ),
  };
}

/**
 * A request whose outcome is unknown may have replaced the object, or may yet: `uncertain` 1 where it carried the bytes
 * that the file has now, 2 where it carried others.
 */
function doubtObject({ run }: Queries, sid: number, path: WatchedPath, sent: string): void {
  run(
    'UPDATE files SET uncertain = CASE WHEN fingerprint = ? THEN MAX(uncertain, 1) ELSE 2 END WHERE sid = ? AND path = ?',
    sent,
    sid,
    pathToBytes(path),
  );
}

export function reasonText(reason: ParkedReason): string {
  const { reason: why, code, cause, remedy } = reason;
  return JSON.stringify({ reason: why, code, cause, remedy });
}
