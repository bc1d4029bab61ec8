import { inDoubt, withoutDoubt } from '../ports/file-source.ts';
import type { Journal, RetriedWork, TakenUp } from '../ports/journal.ts';
import type { Queries } from './journal-queries.ts';
import { number, optionalText, path, type Row, text } from './journal-rows.ts';

/** What was parked gets another chance because a person says so. */
export function retryQueries(queries: Queries): Pick<Journal, 'retry'> {
  return {
    retry: (folder, ids) => queries.transaction(() => retry(queries, folder, ids)),
  };
}

function retry(queries: Queries, folder: string, ids: readonly string[] | 'all'): RetriedWork {
  const { statement } = queries;
  const parked = statement(
    `SELECT sid, id, root, phase, gone, draft IS NOT NULL AS has_draft,
       (SELECT COUNT(*) FROM files WHERE files.sid = sessions.sid AND state = 'parked') AS files
     FROM sessions WHERE folder = ? AND phase <> 'elsewhere'
       AND (phase = 'parked' OR sid IN (SELECT sid FROM files WHERE state = 'parked')) ORDER BY sid`,
  ).all(folder);
  const wanted = ids === 'all' ? undefined : new Set(ids);
  const chosen = parked.filter((row) => wanted?.has(optionalText(row, 'id') ?? '') ?? true);
  const found = new Set(chosen.map((row) => optionalText(row, 'id')));
  const others = [...(wanted ?? [])].filter((id) => !found.has(id));
  const isKnown = (id: string) =>
    statement('SELECT 1 AS n FROM sessions WHERE folder = ? AND id = ?').get(folder, id) !== undefined;
  return {
    takenUp: chosen.map((row) => takeUp(queries, row)),
    notParked: others.filter(isKnown),
    unknown: others.filter((id) => !isKnown(id)),
  };
}

/**
 * With a draft its files are simply jobs again. Without one nothing can be shipped before the session is assembled anew:
 * its parked files are put in doubt, so that the next look at them queues them, and they stay parked until then. Of one
 * whose directory is gone there is no next look: what not even a claim keeps need not trouble anybody any more.
 */
function takeUp(queries: Queries, row: Row): TakenUp {
  const { run } = queries;
  const sid = number(row, 'sid');
  const phase = text(row, 'phase');
  const isQueued = number(row, 'has_draft') === 1 && (phase === 'shipping' || phase === 'parked');
  const isGone = !isQueued && number(row, 'gone') === 1;
  if (isQueued) {
    run(`UPDATE sessions SET phase = 'shipping', due_at_ms = 0, attempts = 0 WHERE sid = ?`, sid);
  } else if (isGone) {
    run(`UPDATE files SET state = 'gone' WHERE sid = ? AND state = 'parked' AND claim IS NULL`, sid);
  } else {
    run(`UPDATE sessions SET shape = '' WHERE sid = ?`, sid);
  }
  if (!isGone) takeUpFiles(queries, sid, isQueued);
  return {
    sid,
    root: path(row, 'root'),
    session: optionalText(row, 'id') ?? '',
    files: number(row, 'files'),
    log: phase === 'parked',
    at: isQueued ? 'queue' : isGone ? 'end' : 'look',
  };
}

/** Of a file without a fingerprint the next look tells anyway. */
function takeUpFiles({ statement, run }: Queries, sid: number, isQueued: boolean): void {
  const files = statement(
    `SELECT path, fingerprint FROM files WHERE sid = ? AND state = 'parked' AND fingerprint <> ''`,
  ).all(sid);
  for (const file of files) {
    const fingerprint = text(file, 'fingerprint');
    run(
      'UPDATE files SET state = ?, fingerprint = ?, attempts = 0, due_at_ms = 0 WHERE sid = ? AND path = ?',
      isQueued ? 'pending' : 'parked',
      isQueued ? withoutDoubt(fingerprint) : inDoubt(fingerprint),
      sid,
      file['path'] ?? null,
    );
  }
}
