import type { DatabaseSync } from 'node:sqlite';

/**
 * The journal's tables, one step a version. A step that was released is never edited; a new one is added.
 * `PRAGMA user_version` is the number of steps that a file has seen.
 *
 *   sessions  one row a session; `phase` is the state that survives a crash, `draft` what its next log will say,
 *             `end_told` whether one may be in the bucket that says that it has ended
 *   files     one row a file of a session: companions with their way to the bucket, all others by fingerprint alone
 *   uploads   one row an upload in parts: at most one open a file, and those given up whose parts are not freed yet
 *   parts     the ledger: what of an upload is in the bucket
 *   views     what a page shows of a session once its draft is gone
 *   meta      single facts: the writer, what has been seen of a folder
 *
 * Paths are blobs, since a file name is bytes.
 */
const steps: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE sessions (
    sid INTEGER PRIMARY KEY,
    folder TEXT NOT NULL,
    root BLOB NOT NULL,
    kind TEXT NOT NULL,
    directory_identity TEXT NOT NULL,
    phase TEXT NOT NULL,
    gone INTEGER NOT NULL DEFAULT 0,
    found_at_ms INTEGER NOT NULL,
    id TEXT UNIQUE,
    identity TEXT,
    seal TEXT,
    shape TEXT NOT NULL DEFAULT '',
    process TEXT,
    draft TEXT,
    work INTEGER NOT NULL DEFAULT 0,
    revision INTEGER NOT NULL DEFAULT 0,
    log_etag TEXT,
    log_digest TEXT,
    missing INTEGER NOT NULL DEFAULT 0,
    certain INTEGER NOT NULL DEFAULT 1,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at_ms INTEGER NOT NULL DEFAULT 0,
    failure TEXT
  ) STRICT;
  CREATE INDEX sessions_by_root ON sessions (folder, root);
  CREATE INDEX sessions_by_phase ON sessions (folder, phase, due_at_ms);
  CREATE TABLE files (
    sid INTEGER NOT NULL REFERENCES sessions (sid),
    path BLOB NOT NULL,
    role TEXT NOT NULL,
    key TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at_ms INTEGER NOT NULL DEFAULT 0,
    uncertain INTEGER NOT NULL DEFAULT 0,
    listed INTEGER NOT NULL DEFAULT 0,
    claim TEXT,
    receipt TEXT,
    failure TEXT,
    PRIMARY KEY (sid, path)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX files_unsent ON files (sid, size_bytes) WHERE state = 'pending';
  CREATE INDEX files_parked ON files (sid) WHERE state = 'parked';
  `,
  `
  CREATE TABLE uploads (
    upload INTEGER PRIMARY KEY,
    sid INTEGER NOT NULL REFERENCES sessions (sid),
    path BLOB NOT NULL,
    key TEXT NOT NULL,
    upload_id TEXT NOT NULL,
    checksum TEXT NOT NULL,
    first_part_bytes INTEGER NOT NULL,
    doubles_every INTEGER NOT NULL,
    file TEXT NOT NULL,
    began_at_ms INTEGER NOT NULL,
    abandoned INTEGER NOT NULL DEFAULT 0,
    resume_etag TEXT,
    resume_parts INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  ALTER TABLE sessions ADD COLUMN log_doubt INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX sessions_unfinished ON sessions (folder, sid, due_at_ms) WHERE phase = 'shipping';
  CREATE INDEX sessions_drafted ON sessions (sid) WHERE draft IS NOT NULL;
  CREATE UNIQUE INDEX uploads_open ON uploads (sid, path) WHERE abandoned = 0;
  CREATE INDEX uploads_abandoned ON uploads (upload) WHERE abandoned = 1;
  CREATE TABLE parts (
    upload INTEGER NOT NULL REFERENCES uploads (upload) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    etag TEXT NOT NULL,
    crc32 TEXT NOT NULL,
    PRIMARY KEY (upload, number)
  ) STRICT, WITHOUT ROWID;
  `,
  'ALTER TABLE uploads ADD COLUMN token TEXT;',
  `
  ALTER TABLE uploads ADD COLUMN record_void INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX uploads_named ON uploads (sid) WHERE abandoned = 1 AND record_void = 0;
  `,
  `
  CREATE TABLE views (
    sid INTEGER PRIMARY KEY REFERENCES sessions (sid),
    brief TEXT NOT NULL,
    detail TEXT
  ) STRICT;
  CREATE INDEX sessions_here ON sessions (folder, phase) WHERE gone = 0;
  CREATE INDEX views_detailed ON views (sid) WHERE detail IS NOT NULL;
  CREATE INDEX sessions_recent ON sessions (
    folder,
    COALESCE(CASE WHEN json_valid(identity) THEN json_extract(identity, '$.startedAtMs') END, found_at_ms)
  ) WHERE phase <> 'skipped';
  `,
  `
  ALTER TABLE sessions ADD COLUMN end_told INTEGER NOT NULL DEFAULT 0;
  UPDATE sessions SET end_told = 1 WHERE seal IS NOT NULL;
  CREATE INDEX sessions_corrected ON sessions (folder, sid) WHERE phase = 'shipping' AND end_told = 1 AND seal IS NULL;
  `,
];

export const journalVersion = steps.length;

/** Throws RangeError with the found version when the file is newer than this program. */
export function migrate(database: DatabaseSync): void {
  const row = database.prepare('PRAGMA user_version').get();
  const found = Number(row?.['user_version'] ?? 0);
  if (found > journalVersion) throw new RangeError(String(found));
  for (let version = found; version < journalVersion; version++) {
    database.exec('BEGIN IMMEDIATE');
    try {
      database.exec(steps[version] ?? '');
      database.exec(`PRAGMA user_version = ${version + 1}`);
      database.exec('COMMIT');
    } catch (error) {
      database.exec('ROLLBACK');
      throw error;
    }
  }
}
