import type { EndedStatus } from '../domain/end-rule.ts';
import type { SessionDraft } from '../domain/session-draft.ts';
import { type SessionBrief, type SessionDetail, viewOf } from '../domain/session-view.ts';
import type { ParkedReason } from '../ports/backlog.ts';
import type { SessionIdentity, SessionPhase } from '../ports/journal-records.ts';
import type { RecentSession, SessionViews, ViewedFile } from '../ports/session-views.ts';
import type { Queries } from './journal-queries.ts';
import { json, number, path, type Row, text } from './journal-rows.ts';

/** Of how many sessions, the last that were found, more than a line is kept: some ten kilobytes each. */
const detailedMax = 500;
const filesMax = 500;

/** As the index `sessions_recent` has it, to the letter. */
const startedAt =
  "COALESCE(CASE WHEN json_valid(identity) THEN json_extract(identity, '$.startedAtMs') END, found_at_ms)";
const columns = `sessions.sid AS sid, id, root, phase, seal, revision, missing, ${startedAt} AS started_at_ms, brief`;

export function viewQueries({ statement }: Queries): SessionViews {
  return {
    // The index alone is what is skipped over for a later page.
    recentSessions: (folder, offset, limit) =>
      statement(
        `SELECT ${columns} FROM sessions LEFT JOIN views USING (sid) WHERE sessions.sid IN (
           SELECT sid FROM sessions WHERE folder = ? AND phase <> 'skipped'
           ORDER BY ${startedAt} DESC, sid DESC LIMIT ? OFFSET ?)
         ORDER BY started_at_ms DESC, sid DESC`,
      )
        .all(folder, limit, offset)
        .map(recentSession),

    recentCount: (folder) =>
      number(
        statement(`SELECT COUNT(*) AS n FROM sessions WHERE folder = ? AND phase <> 'skipped'`).get(folder) ??
          {},
        'n',
      ),

    sessionView: (folder, id) => {
      const row = statement(
        `SELECT ${columns}, identity, failure, detail FROM sessions LEFT JOIN views USING (sid)
         WHERE id = ? AND folder = ?`,
      ).get(id, folder);
      const identity = row && json<SessionIdentity>(row, 'identity');
      if (!row || !identity) return undefined;
      // Those that need a person first: they must not be the ones that are left out.
      const files = ['=', '<>'].flatMap((is) =>
        statement(
          `SELECT path, size_bytes, state, failure FROM files WHERE sid = ? AND role = 'companion' AND state ${is} 'parked'
           ORDER BY path LIMIT ${filesMax + 1}`,
        ).all(number(row, 'sid')),
      );
      const failure = json<ParkedReason>(row, 'failure');
      const detail = json<SessionDetail>(row, 'detail');
      return {
        ...recentSession(row),
        key: identity.key,
        origin: identity.origin,
        folder,
        ...(failure && { failure }),
        ...(detail && { detail }),
        files: files.slice(0, filesMax).map(viewedFile),
        hasMoreFiles: files.length > filesMax,
      };
    },
  };
}

/** With the work that it describes, in its transaction: the draft is gone once it is shipped. */
export function recordView({ statement, run }: Queries, sid: number, draft: SessionDraft): void {
  const row = statement('SELECT identity FROM sessions WHERE sid = ?').get(sid);
  const identity = row && json<SessionIdentity>(row, 'identity');
  if (!identity) return;
  const { brief, detail } = viewOf(draft, identity);
  run(
    'INSERT OR REPLACE INTO views (sid, brief, detail) VALUES (?, ?, ?)',
    sid,
    JSON.stringify(brief),
    JSON.stringify(detail),
  );
  run(
    `UPDATE views SET detail = NULL WHERE detail IS NOT NULL AND sid <=
       (SELECT sid FROM views WHERE detail IS NOT NULL ORDER BY sid DESC LIMIT 1 OFFSET ${detailedMax})`,
  );
}

function recentSession(row: Row): RecentSession {
  const brief = json<SessionBrief>(row, 'brief');
  const seal = json<{ status: EndedStatus }>(row, 'seal');
  const phase = text(row, 'phase') as SessionPhase;
  // What fell silent and goes on again is told to run, whatever was last said of it.
  const status = phase === 'open' ? 'running' : (brief?.status ?? seal?.status ?? 'running');
  return {
    ...(row['id'] !== null && { id: text(row, 'id') }),
    root: path(row, 'root'),
    phase,
    status,
    startedAtMs: number(row, 'started_at_ms'),
    revision: number(row, 'revision'),
    missing: number(row, 'missing'),
    ...(brief && { brief }),
  };
}

function viewedFile(row: Row): ViewedFile {
  const failure = json<ParkedReason>(row, 'failure');
  return {
    path: path(row, 'path'),
    sizeBytes: number(row, 'size_bytes'),
    state: text(row, 'state') as ViewedFile['state'],
    ...(failure && { failure }),
  };
}
