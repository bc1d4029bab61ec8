import { displayPath, pathToBytes } from '../domain/watched-path.ts';
import { type Backlog, type BacklogCounts, namedInStatus, type ParkedReason } from '../ports/backlog.ts';
import type { Journal } from '../ports/journal.ts';
import type { Queries } from './journal-queries.ts';
import { fileRecord, json, number, optionalText, path, type Row, text } from './journal-rows.ts';

/**
 * The backlog is asked for every second while somebody looks, in journals of a hundred thousand sessions: it may cost what waits or is
 * parked, not what was ever shipped. CROSS JOIN keeps SQLite from beginning with the sessions.
 */
export function reportQueries({
  statement,
}: Queries): Pick<Journal, 'deletable' | 'backlog' | 'backlogCounts'> {
  return {
    // Only sessions that ended by evidence, whose shipped log lists the file, and that owe nothing to anyone.
    deletable: (folder, receiptBeforeMs, limit, after) =>
      statement(
        `SELECT files.*, sessions.id AS id, sessions.root AS root, sessions.kind AS kind FROM files JOIN sessions USING (sid)
         WHERE folder = ? AND phase = 'shipped' AND gone = 0 AND certain = 1 AND missing = 0
           AND json_extract(seal, '$.evidence') = 1 AND state = 'uploaded' AND listed = 1 AND fingerprint <> ''
           AND json_extract(receipt, '$.receivedAtMs') <= ?
           AND NOT EXISTS (SELECT 1 FROM files AS other WHERE other.sid = files.sid
                           AND other.state IN ('pending', 'parked', 'gone'))
           AND (files.sid, files.path) > (?, ?) ORDER BY files.sid, files.path LIMIT ?`,
      )
        .all(folder, receiptBeforeMs, after?.sid ?? -1, pathToBytes(after?.file.path ?? ''), limit)
        .map((row) => ({
          sid: number(row, 'sid'),
          session: text(row, 'id'),
          root: path(row, 'root'),
          kind: text(row, 'kind') === 'file' ? 'file' : 'directory',
          file: fileRecord(row),
        })),

    backlogCounts: (folder) => counts(statement, folder),
    backlog: (folder, namedMax = namedInStatus) => ({
      ...counts(statement, folder),
      unsent: unsent(statement, folder, namedMax),
      parked: parked(statement, folder, namedMax),
    }),
  };
}

function counts(statement: Queries['statement'], folder: string): BacklogCounts {
  const phases = new Map<string, number>();
  for (const row of statement(
    'SELECT phase, COUNT(*) AS n FROM sessions WHERE folder = ? AND gone = 0 GROUP BY phase',
  ).all(folder)) {
    phases.set(text(row, 'phase'), number(row, 'n'));
  }
  const pending = statement(
    `SELECT COUNT(*) AS n, COALESCE(SUM(size_bytes), 0) AS bytes FROM files CROSS JOIN sessions USING (sid)
     WHERE folder = ? AND phase <> 'elsewhere' AND state = 'pending'`,
  ).get(folder);
  const oldest = statement(
    `SELECT MIN(found_at_ms) AS oldest FROM sessions WHERE folder = ? AND phase = 'shipping'`,
  ).get(folder)?.['oldest'];
  return {
    open: phases.get('open') ?? 0,
    shipping: unfinished(statement, folder),
    shipped: phases.get('shipped') ?? 0,
    skipped: phases.get('skipped') ?? 0,
    pendingFiles: number(pending ?? {}, 'n'),
    pendingBytes: number(pending ?? {}, 'bytes'),
    oldestPendingFoundAtMs: typeof oldest === 'number' ? oldest : undefined,
    parkedFiles: countedParked(statement, folder),
  };
}

function unfinished(statement: Queries['statement'], folder: string): number {
  const row = statement(`SELECT COUNT(*) AS n FROM sessions WHERE folder = ? AND phase = 'shipping'`).get(
    folder,
  );
  return number(row ?? {}, 'n');
}

function countedParked(statement: Queries['statement'], folder: string): number {
  const row = statement(
    `SELECT (SELECT COUNT(*) FROM sessions WHERE folder = ? AND phase = 'parked')
          + (SELECT COUNT(*) FROM files CROSS JOIN sessions USING (sid)
             WHERE folder = ? AND phase <> 'elsewhere' AND state = 'parked') AS n`,
  ).get(folder, folder);
  return number(row ?? {}, 'n');
}

function sessionName(row: Row): string {
  return optionalText(row, 'id') ?? displayPath(path(row, 'root'));
}

function unsent(statement: Queries['statement'], folder: string, namedMax: number): Backlog['unsent'] {
  const files = statement(
    `SELECT sessions.id AS id, root, path, size_bytes, files.failure AS failure, files.attempts AS attempts
     FROM files INDEXED BY files_unsent CROSS JOIN sessions USING (sid)
     WHERE folder = ? AND phase <> 'elsewhere' AND state = 'pending' ORDER BY files.sid, size_bytes, path LIMIT ?`,
  )
    .all(folder, namedMax)
    .map((row) => ({
      session: sessionName(row),
      path: displayPath(path(row, 'path')),
      sizeBytes: number(row, 'size_bytes'),
      reason: json<ParkedReason>(row, 'failure')?.cause ?? 'waiting',
      attempts: number(row, 'attempts'),
    }));
  const logs = statement(
    `SELECT id, root, failure, identity, attempts FROM sessions WHERE folder = ? AND phase = 'shipping' ORDER BY sid LIMIT ?`,
  )
    .all(folder, namedMax)
    .map((row) => ({
      session: sessionName(row),
      path: json<{ key: string }>(row, 'identity')?.key ?? 'session log',
      sizeBytes: 0,
      reason: json<ParkedReason>(row, 'failure')?.cause ?? 'waiting',
      attempts: number(row, 'attempts'),
    }));
  return [...files, ...logs];
}

function parked(statement: Queries['statement'], folder: string, namedMax: number): Backlog['parked'] {
  const files = statement(
    `SELECT sessions.id AS id, root, path, files.failure AS failure FROM files CROSS JOIN sessions USING (sid)
     WHERE folder = ? AND phase <> 'elsewhere' AND state = 'parked' ORDER BY sid, path LIMIT ?`,
  ).all(folder, namedMax);
  const logs = statement(
    `SELECT id, root, root AS path, failure FROM sessions WHERE folder = ? AND phase = 'parked' LIMIT ?`,
  ).all(folder, namedMax);
  return [...files, ...logs].flatMap((row) => {
    const failure = json<ParkedReason>(row, 'failure');
    return failure ? [{ ...failure, session: sessionName(row), path: displayPath(path(row, 'path')) }] : [];
  });
}
