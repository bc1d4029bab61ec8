import { accessSync, constants, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { errnoOf } from './errno.ts';
import { type FileSystemKind, fileSystemKind } from './file-system-kind.ts';
import { journalVersion, migrate } from './journal-schema.ts';
import { assertSealed, breakSeal } from './journal-seal.ts';
import { assertSound, wholeLookBytesMax } from './journal-soundness.ts';
import { damaged, type JournalTrouble, journalTrouble, StateError, sqliteCodeOf } from './journal-trouble.ts';
import { makeOwnDirectory } from './make-directory.ts';
import { closeToOthers, makeOwnersFile } from './state-owner.ts';

export interface JournalHolder {
  readonly pid: number;
  readonly host: string;
  readonly folder: string;
  readonly startedAt: string;
}

const holderFile = 'holder.json';
/** Somebody who only looks, or is about to end, lets go within this time. */
const lockTimeoutMs = 2000;

export function journalFileOf(stateDirectory: string): string {
  return join(stateDirectory, 'journal.sqlite');
}

/**
 * Whether a state directory has a journal. To whom it is closed, it would look like one where nothing was ever to be
 * sent: throws StateError.
 */
export function hasJournal(stateDirectory: string): boolean {
  const file = journalFileOf(stateDirectory);
  const { R_OK, W_OK, X_OK } = constants;
  try {
    if (statSync(file, { throwIfNoEntry: false }) === undefined) return false;
    // Also who only looks locks it.
    accessSync(dirname(file), R_OK | W_OK | X_OK);
    return true;
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOTDIR') return false;
    if (code !== 'EACCES' && code !== 'EPERM') return true; // reason: what is wrong with it is told by opening it
    throw new StateError({
      kind: 'refused',
      code,
      cause: `looking into the state directory ${JSON.stringify(stateDirectory)}: ${code}, it is closed to this user`,
      remedy: `run this as the user that trainlogd runs as${ownerSaid(stateDirectory)}, or name your own state.directory`,
    });
  }
}

function ownerSaid(stateDirectory: string): string {
  try {
    return ` (sudo -u '#${statSync(stateDirectory).uid}' trainlogd …)`;
  } catch {
    return ''; // reason: one cannot see whose it is from outside of a directory that is closed itself
  }
}

/**
 * Opens the one journal of a state directory and holds it until it is closed or the process dies: SQLite's own
 * exclusive lock is the directory's lock, so a dead process never leaves one behind.
 * FULL: a transition that was promised survives a power cut. Throws StateError.
 */
export function openJournalFile(
  stateDirectory: string,
  holder: JournalHolder | undefined,
  kindOf: (directory: string) => FileSystemKind = kindOfDirectory,
): DatabaseSync {
  const file = journalFileOf(stateDirectory);
  let database: DatabaseSync | undefined;
  try {
    makeOwnDirectory(stateDirectory);
    refuseNetwork(stateDirectory, kindOf(stateDirectory));
    // Whoever holds the journal has broken the seal.
    const isSealed = assertSealed(stateDirectory, file);
    // Files that SQLite makes beside it get its owner, too.
    makeOwnersFile(file);
    // The files beside it are made with its mode.
    for (const suffix of ['', '-wal', '-shm']) closeToOthers(`${file}${suffix}`);
    database = new DatabaseSync(file, { timeout: lockTimeoutMs });
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    database.exec('PRAGMA journal_mode = WAL');
    database.exec('PRAGMA synchronous = FULL');
    database.exec('PRAGMA foreign_keys = ON');
    database.exec('PRAGMA temp_store = MEMORY');
    database.exec('BEGIN EXCLUSIVE; COMMIT');
    migrate(database);
    assertSound(database, file, isSealed ? 0 : wholeLookBytesMax);
    if (holder) {
      breakSeal(stateDirectory);
      writeHolder(join(stateDirectory, holderFile), holder);
    }
    return database;
  } catch (error) {
    database?.close();
    throw explain(error, stateDirectory, file);
  }
}

/** A file of its own: one that root left, who was here to retry something, could not be written again by anybody else. */
function writeHolder(file: string, holder: JournalHolder): void {
  rmSync(file, { force: true });
  writeFileSync(file, `${JSON.stringify(holder)}\n`, { mode: 0o600, flag: 'wx' });
}

/** SQLite's locks and its log cannot be trusted there. FUSE is let pass: containers have their own disk behind it. */
function refuseNetwork(stateDirectory: string, kind: FileSystemKind): void {
  if (!kind.network || kind.name === 'fuse') return;
  throw new StateError({
    kind: 'refused',
    code: 'NETWORK',
    cause: `opening the state directory ${JSON.stringify(stateDirectory)}: it is on a network file system (${kind.name}), where a journal is not safe`,
    remedy: 'name a local directory as state.directory',
  });
}

function kindOfDirectory(directory: string): FileSystemKind {
  return fileSystemKind(statfsSync(directory).type);
}

function explain(error: unknown, stateDirectory: string, file: string): StateError {
  if (error instanceof StateError) return error;
  const opening = `opening the journal ${JSON.stringify(file)}`;
  const said = (trouble: JournalTrouble): StateError =>
    new StateError({ ...trouble, cause: `${opening}: ${trouble.cause}` }, error);
  if (error instanceof RangeError) {
    return said({
      kind: 'refused',
      code: 'NEWER',
      cause: `it is of version ${error.message}, this program knows up to ${journalVersion}`,
      remedy: 'install the newer trainlogd again, or name another state.directory',
    });
  }
  const detail = error instanceof Error ? error.message : String(error);
  const trouble = journalTrouble(error);
  if (trouble?.kind === 'held') {
    return said({
      ...trouble,
      cause: `${describeHolder(stateDirectory)} holds it`,
      remedy: 'stop that one first, or name another state.directory',
    });
  }
  // Nothing but our own statements runs here: one that fails for what it says has met tables of somebody else.
  const isStrange = trouble === undefined && sqliteCodeOf(error) !== undefined;
  if (trouble?.kind === 'damaged' || isStrange) return said(damaged(detail));
  return said({
    kind: 'disk',
    code: trouble?.code ?? errnoOf(error),
    cause: detail,
    remedy: `make ${JSON.stringify(stateDirectory)} a directory with free space that this user can write to, or name another state.directory`,
  });
}

function describeHolder(stateDirectory: string): string {
  try {
    const holder = JSON.parse(readFileSync(join(stateDirectory, holderFile), 'utf8')) as JournalHolder;
    return `process ${holder.pid} on ${holder.host}, watching ${JSON.stringify(holder.folder)} since ${holder.startedAt},`;
  } catch {
    return 'another trainlogd'; // reason: the note is for people only, the lock itself is SQLite's
  }
}
