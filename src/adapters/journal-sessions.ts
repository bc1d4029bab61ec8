import { pathToBytes } from '../domain/watched-path.ts';
import type { Journal, SessionIdentity } from '../ports/journal.ts';
import type { Queries } from './journal-queries.ts';
import { number, path, sessionRecord } from './journal-rows.ts';

type SessionMethods = Pick<
  Journal,
  'sessions' | 'begin' | 'freeze' | 'rename' | 'idHolder' | 'setShape' | 'setProcess' | 'setPhase' | 'setGone'
>;

export function sessionQueries(queries: Queries): SessionMethods {
  const { statement, run, transaction } = queries;
  return {
    sessions: (folder) =>
      statement('SELECT * FROM sessions WHERE folder = ? AND gone = 0 ORDER BY sid')
        .all(folder)
        .map(sessionRecord),

    begin: (session) => {
      // A root that was away, on a disk that was unmounted for one, is the session that it was.
      const revived = statement(
        `UPDATE sessions SET gone = 0 WHERE sid = (SELECT sid FROM sessions WHERE folder = ? AND root = ?
           AND directory_identity = ? AND gone = 1 ORDER BY sid DESC LIMIT 1) RETURNING *`,
      ).get(session.folder, pathToBytes(session.root), session.directoryIdentity);
      if (revived) return sessionRecord(revived);
      const row = statement(
        `INSERT INTO sessions (folder, root, kind, directory_identity, phase, found_at_ms)
         VALUES (?, ?, ?, ?, ?, ?) RETURNING *`,
      ).get(
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
      const frozen = statement(
        'UPDATE sessions SET id = ?, identity = ? WHERE sid = ? AND id IS NULL RETURNING sid',
      ).get(identity.id, JSON.stringify(identity), sid);
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
    setGone: (sid) => run('UPDATE sessions SET gone = 1 WHERE sid = ?', sid),
  };
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
    `UPDATE sessions SET id = ?, identity = ?, revision = 0, log_etag = NULL, log_digest = NULL, certain = 1,
       attempts = 0, due_at_ms = 0 WHERE sid = ?`,
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
