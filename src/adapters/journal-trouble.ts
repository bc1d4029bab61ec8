/**
 * What keeps a state directory from being used. `disk` passes once somebody made room or repaired it, `damaged` once
 * the file is set aside; `held` and `refused` are for a person to settle.
 */
export interface JournalTrouble {
  readonly kind: 'disk' | 'damaged' | 'held' | 'refused';
  /** The system's or SQLite's own word: `ENOSPC`, `SQLITE_FULL`. */
  readonly code: string;
  readonly cause: string;
  readonly remedy: string;
}

/** The state directory cannot be used as it is; the message says why and what to do. */
export class StateError extends Error {
  override readonly name = 'StateError';
  readonly trouble: JournalTrouble;

  constructor(trouble: JournalTrouble, cause?: unknown) {
    super(`${trouble.cause}: ${trouble.remedy}`, cause === undefined ? undefined : { cause });
    this.trouble = trouble;
  }
}

/** A row, or the file as a whole, is not what this program writes. */
export class JournalDamaged extends Error {
  override readonly name = 'JournalDamaged';
}

export const setAsideRemedy =
  'the next run or drain sets the file aside and begins a new one; what is in the bucket is found and read first, nothing is lost';

interface Row {
  /** Primary result codes: https://www.sqlite.org/rescode.html */
  readonly codes: Readonly<Record<number, string>>;
  readonly kind: JournalTrouble['kind'];
  readonly remedy: string;
}

/** Errors of a journal that was open. What is not named here is a mistake of this program, not of the disk. */
const rows: readonly Row[] = [
  { codes: { 13: 'SQLITE_FULL' }, kind: 'disk', remedy: 'free space on its disk, or raise the quota' },
  {
    codes: { 8: 'SQLITE_READONLY', 3: 'SQLITE_PERM' },
    kind: 'disk',
    remedy: 'mount its disk writable, and let the user that trainlogd runs as write there',
  },
  {
    codes: { 14: 'SQLITE_CANTOPEN' },
    kind: 'disk',
    remedy:
      'make it a directory that this user can write to; free inodes (df -i); raise the limit of open files',
  },
  { codes: { 10: 'SQLITE_IOERR' }, kind: 'disk', remedy: 'check the disk below it (dmesg, smartctl)' },
  { codes: { 7: 'SQLITE_NOMEM' }, kind: 'disk', remedy: 'give trainlogd more memory' },
  {
    codes: { 5: 'SQLITE_BUSY', 6: 'SQLITE_LOCKED', 15: 'SQLITE_PROTOCOL' },
    kind: 'held',
    remedy: 'stop the other program that has the file open',
  },
  {
    codes: { 11: 'SQLITE_CORRUPT', 26: 'SQLITE_NOTADB', 24: 'SQLITE_FORMAT' },
    kind: 'damaged',
    remedy: setAsideRemedy,
  },
];

const primaryCodeMask = 0xff;

/** Undefined for an error that says nothing of the state directory. Looks through what an error was caused by. */
export function journalTrouble(error: unknown): JournalTrouble | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if (at instanceof StateError) return at.trouble;
    if (at instanceof JournalDamaged) return damaged(at.message);
    if (isUnreadableNumber(at)) return damaged(at.message);
    const code = sqliteCodeOf(at);
    if (code === undefined) continue;
    const row = rows.find(({ codes }) => code in codes);
    if (!row) return undefined;
    const { kind, remedy } = row;
    return { kind, code: row.codes[code] ?? '', cause: `using the journal: ${at.message}`, remedy };
  }
  return undefined;
}

export function damaged(what: string): JournalTrouble {
  return {
    kind: 'damaged',
    code: 'DAMAGED',
    cause: `it is damaged (${what.replace(/\s+/g, ' ')})`,
    remedy: setAsideRemedy,
  };
}

/** Nobody wrote a number that JavaScript cannot hold. */
function isUnreadableNumber(error: Error): boolean {
  return (
    'code' in error && error.code === 'ERR_OUT_OF_RANGE' && /too large to be represented/.test(error.message)
  );
}

/** The primary result code of SQLite; undefined for an error that is not its own. */
export function sqliteCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_SQLITE_ERROR') return undefined;
  return 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & primaryCodeMask : 1;
}
