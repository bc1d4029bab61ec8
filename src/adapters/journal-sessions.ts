import { pathToBytes } from '../domain/watched-path.ts';
import type { Journal, SessionIdentity } from '../ports/journal.ts';
import type { Queries } from './journal-queries.ts';
import { number, path, restingSession, sessionRecord } from './journal-rows.ts';

type SessionMethods = Pick<
  Journal,
  | 'sessions'
  | 'resting'
  | 'session'
  | 'begin'
  | 'freeze'
  | 'rename'
  | 'idHolder'
  | 'setShape'
  | 'setProcess'
  | 'setPhase'
  | 'retake'
  | 'setGone'
>;

export function sessionQueries(queries: Queries): SessionMethods {
  const { statement, run, returning, transaction } = queries;
  return {
    sessions: (folder, atRest = []) =>
      statement(
        `SELECT * FROM sessions WHERE folder = ? AND gone = 0
           AND NOT (kind = 'directory' AND phase IN (SELECT value FROM json_each(?))) ORDER BY sid`,
      )
        .all(folder, JSON.stringify(atRest))
        .map(sessionRecord),

    *resting(folder, phases) {
      const rows = statement(
        `SELECT sid, root, directory_identity, shape FROM sessions WHERE folder = ? AND gone = 0
           AND kind = 'directory' AND phase IN (SELECT value FROM json_each(?)) ORDER BY sid`,
      ).iterate(folder, JSON.stringify(phases));
      for (const row of rows) yield restingSession(row);
    },

    session: (sid) => {
      const row = statement('SELECT * FROM sessions WHERE sid = ?').get(sid);
      return row && sessionRecord(row);
    },

    begin: (session) => {
      // A root that was away, on a disk that was unmounted for one, is the session that it was.
      const revived = returning(
        `UPDATE sessions SET gone = 0 WHERE sid = (SELECT sid FROM sessions WHERE folder = ? AND root = ?
           AND directory_identity = ? AND gone = 1 ORDER BY sid DESC LIMIT 1) RETURNING *`,
        session.folder,
        pathToBytes(session.root),
        session.directoryIdentity,
      );
      if (revived) return sessionRecord(revived);
      const row = returning(
        `INSERT INTO sessions (folder, root, kind, directory_identity, phase, found_at_ms)
         VALUES (?, ?, ?, ?, ?, ?) RETURNING *`,
        session.folder,
        pathToBytes(session.root),
        session.kind,
        session.directoryIdentity,
        session.phase,
        session.foundAtMs,
      );
      if (!row) throw new Error('the journal did not return the session that it was given');
      return sessionRecord(row);
    },

    freeze: (sid, identity) => {
      const frozen = returning(
        'UPDATE sessions SET id = ?, identity = ? WHERE sid = ? AND id IS NULL RETURNING sid',
        identity.id,
        JSON.stringify(identity),
        sid,
      );
      if (!frozen) throw new Error(`session ${sid} has an identity already`);
    },

    rename: (sid, identity, keyOf) => transaction(() => rename(queries, sid, identity, keyOf)),

    idHolder: (id) => {
      const row = statement('SELECT sid FROM sessions WHERE id = ?').get(id);
      return row ? number(row, 'sid') : undefined;
    },
    setShape: (sid, shape) => run('UPDATE sessions SET shape = ? WHERE sid = ?', shape, sid),
    setProcess: (sid, process) =>
      run('UPDATE sessions SET process = ? WHERE sid = ?', process ? JSON.stringify(process) : null, sid),
    setPhase: (sid, phase) => run('UPDATE sessions SET phase = ? WHERE sid = ?', phase, sid),
    retake: (sid, identity) => transaction(() => retake(queries, sid, identity)),
    setGone: (sid) => run('UPDATE sessions SET gone = 1 WHERE sid = ?', sid),
  };
}

function retake({ run }: Queries, sid: number, identity: SessionIdentity | undefined): void {
  // Claimed under another id, a file would go to a key that is not the session's any more.
  run(
    `DELETE FROM files WHERE sid = ? AND NOT (state = 'pending' AND claim IS NOT NULL
       AND EXISTS (SELECT 1 FROM sessions WHERE sessions.sid = files.sid AND id IS ?))`,
    sid,
    identity?.id ?? null,
  );
  run(
    'UPDATE files SET receipt = NULL, listed = 0, uncertain = 1, attempts = 0, due_at_ms = 0 WHERE sid = ?',
    sid,
  );
  run('UPDATE uploads SET abandoned = 1 WHERE sid = ?', sid);
  run(
    `UPDATE sessions SET phase = 'open', id = ?, identity = ?, seal = NULL, shape = '', draft = NULL, revision = 0,
       log_etag = NULL, log_digest = NULL, missing = 0, certain = 1, log_doubt = 1, attempts = 0, due_at_ms = 0,
       failure = NULL, end_told = 1 WHERE sid = ?`,
    identity?.id ?? null,
    identity ? JSON.stringify(identity) : null,
    sid,
  );
}

/**
 * Nothing that was sent under the old id is ours to speak of any more: all of it is sent again under the new one, and
 * what was deleted here meanwhile is named as gone.
 */
function rename(
  queries: Queries,
  sid: number,
  identity: SessionIdentity,
  keyOf: (path: string) => string,
): void {
  queries.run(
    `UPDATE sessions SET id = ?, identity = ?, revision = 0, log_etag = NULL, log_digest = NULL, certain = 1, log_doubt = 0,
       attempts = 0, due_at_ms = 0, end_told = seal IS NOT NULL WHERE sid = ?`,
    identity.id,
    JSON.stringify(identity),
    sid,
  );
  queries.run('UPDATE uploads SET abandoned = 1 WHERE sid = ?', sid);
  const files = queries.statement(`SELECT path FROM files WHERE sid = ? AND role = 'companion'`).all(sid);
  for (const row of files) {
    const file = path(row, 'path');
    queries.run(
      `UPDATE files SET key = ?, receipt = NULL, listed = 0, uncertain = 0, attempts = 0, due_at_ms = 0,
         state = CASE state WHEN 'uploaded' THEN 'pending' WHEN 'deleted' THEN 'gone' ELSE state END WHERE sid = ? AND path = ?`,
      keyOf(file),
      sid,
      pathToBytes(file),
    );
  }
}
