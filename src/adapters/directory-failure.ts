import { Failure, type FailureKind } from '../domain/failure.ts';
import { errnoOf } from './errno.ts';

interface Row {
  readonly codes: readonly string[];
  readonly kind: FailureKind;
  readonly denied?: true;
  readonly remedy?: string;
}

/** What a file system answers to a write. Where no file can be written at all, the destination is blocked. */
const rows: readonly Row[] = [
  { codes: ['ENOSPC', 'EDQUOT'], kind: 'blocked', remedy: 'free space there, or raise the quota' },
  { codes: ['EROFS'], kind: 'blocked', remedy: 'mount it writable: it is read-only now' },
  {
    codes: ['EACCES', 'EPERM'],
    kind: 'blocked',
    denied: true,
    remedy: 'let the user that trainlogd runs as write there: chown or chmod the directory',
  },
  { codes: ['EIO'], kind: 'blocked', remedy: 'check the disk or the mount (dmesg, smartctl)' },
  {
    codes: ['ENOENT', 'ENODEV', 'ENXIO'],
    kind: 'blocked',
    remedy: 'mount it or create the directory: it is gone',
  },
  {
    codes: ['ENAMETOOLONG'],
    kind: 'permanent',
    remedy: 'shorten the name: this file system takes 255 bytes for each part of a path',
  },
  {
    codes: ['ENOTDIR', 'EISDIR', 'ELOOP', 'NotAFile'],
    kind: 'permanent',
    remedy: 'move away what is in the way: links are never followed, and a file cannot be a directory too',
  },
  { codes: ['EFBIG'], kind: 'permanent', remedy: 'use a file system that takes files this large' },
  { codes: ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'ESTALE', 'ETIMEDOUT', 'EBUSY'], kind: 'transient' },
];

const rowOf = new Map(rows.flatMap((row) => row.codes.map((code) => [code, row] as const)));

/** A system error as one of the four kinds; unknown ones are transient. `doing` quotes what it was done on. */
export function directoryFailure(error: unknown, doing: string, signal: AbortSignal): Failure {
  if (error instanceof Failure) return error;
  if (signal.aborted)
    return new Failure({ kind: 'cancelled', code: 'AbortError', attempted: `${doing}: cancelled` });
  const code = errnoOf(error);
  const row = rowOf.get(code);
  return new Failure({
    kind: row?.kind ?? 'transient',
    code,
    attempted: `${doing}: ${code}`,
    ...(row?.remedy === undefined ? {} : { remedy: row.remedy }),
    ...(row?.denied === undefined ? {} : { denied: row.denied }),
    cause: error,
  });
}

/** The directory itself cannot be used, so no write can succeed: blocked, unless it passes by itself. */
export function openFailure(error: unknown, directory: string): Failure {
  const code = errnoOf(error);
  const row = rowOf.get(code);
  return new Failure({
    kind: row?.kind === 'transient' ? 'transient' : 'blocked',
    code,
    attempted: `opening the directory ${JSON.stringify(directory)}: ${code}`,
    remedy: row?.remedy ?? 'name a directory in destination.url that can be written to',
    ...(row?.denied === undefined ? {} : { denied: row.denied }),
    cause: error,
  });
}
