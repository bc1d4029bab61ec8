import { mkdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type FileSystemKind, fileSystemKind } from './file-system-kind.ts';
import { journalVersion, migrate } from './journal-schema.ts';

/** The state directory cannot be used; the message says why and what to do. Ends the program with exit code 78. */
export class StateError extends Error {
  override readonly name = 'StateError';
}

export interface JournalHolder {
  readonly pid: number;
  readonly host: string;
  readonly folder: string;
  readonly startedAt: string;
}

const holderFile = 'holder.json';
/** Somebody who only looks, or is about to end, lets go within this time. */
const lockTimeoutMs = 2000;

/**
 * Opens the one journal of a state directory and holds it until it is closed or the process dies: SQLite's own
 * exclusive lock is the directory's lock, so a dead process never leaves one behind.
 * FULL: a transition that was promised survives a power cut.
 */
export function openJournalFile(
  stateDirectory: string,
  holder: JournalHolder | undefined,
  kindOf: (directory: string) => FileSystemKind = kindOfDirectory,
): DatabaseSync {
  const file = join(stateDirectory, 'journal.sqlite');
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
    refuseNetwork(stateDirectory, kindOf(stateDirectory));
    database = new DatabaseSync(file, { timeout: lockTimeoutMs });
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    database.exec('PRAGMA journal_mode = WAL');
    database.exec('PRAGMA synchronous = FULL');
    database.exec('PRAGMA foreign_keys = ON');
    database.exec('PRAGMA temp_store = MEMORY');
    database.exec('BEGIN EXCLUSIVE; COMMIT');
    migrate(database);
    if (holder)
      writeFileSync(join(stateDirectory, holderFile), `${JSON.stringify(holder)}\n`, { mode: 0o600 });
    return database;
  } catch (error) {
    database?.close();
    throw explain(error, stateDirectory, file);
  }
}

/** SQLite's locks and its log cannot be trusted there. FUSE is let pass: containers have their own disk behind it. */
function refuseNetwork(stateDirectory: string, kind: FileSystemKind): void {
  if (!kind.network || kind.name === 'fuse') return;
  throw new StateError(
    `opening the state directory ${JSON.stringify(stateDirectory)}: it is on a network file system (${kind.name}), where a journal is not safe: name a local directory as state.directory`,
  );
}

function kindOfDirectory(directory: string): FileSystemKind {
  return fileSystemKind(statfsSync(directory).type);
}

/** The disk under a journal that was open ran full, or went away. Undefined for any other error. */
export function journalTrouble(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_SQLITE_ERROR') return undefined;
  return `writing the journal: ${error.message}: free space in the state directory, or repair its disk, and start again; what is unsent goes on then`;
}

function explain(error: unknown, stateDirectory: string, file: string): Error {
  if (error instanceof StateError) return error;
  const opening = `opening the journal ${JSON.stringify(file)}`;
  if (error instanceof RangeError) {
    return new StateError(
      `${opening}: it is of version ${error.message}, this program knows up to ${journalVersion}: install the newer trainlogd again, or name another state.directory`,
    );
  }
  const detail = error instanceof Error ? error.message : String(error);
  if (/database is locked/.test(detail)) {
    return new StateError(
      `${opening}: ${describeHolder(stateDirectory)} holds it: stop that one first, or name another state.directory`,
    );
  }
  if (/not a database|malformed/.test(detail)) {
    return new StateError(
      `${opening}: it is damaged (${detail}): move the file away and start again; what is in the bucket is found and read first, nothing is lost`,
    );
  }
  return new StateError(
    `${opening}: ${detail}: make ${JSON.stringify(stateDirectory)} a directory with free space that this user can write to, or name another state.directory`,
    { cause: error },
  );
}

function describeHolder(stateDirectory: string): string {
  try {
    const holder = JSON.parse(readFileSync(join(stateDirectory, holderFile), 'utf8')) as JournalHolder;
    return `process ${holder.pid} on ${holder.host}, watching ${JSON.stringify(holder.folder)} since ${holder.startedAt},`;
  } catch {
    return 'another trainlogd'; // reason: the note is for people only, the lock itself is SQLite's
  }
}
