import { FileFailure } from '../domain/failure.ts';
import { quotePath, type WatchedPath } from '../domain/watched-path.ts';

/** The system's code of an error (`ENOENT`), or `UNKNOWN` for what is not a system error. */
export function errnoOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return 'UNKNOWN';
}

/** The path is no longer what it was when it was listed. ESTALE: a network file system's way to say so. */
export function meansVanished(code: string): boolean {
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ESTALE';
}

/** The process or the system has no descriptor left, for now: it says nothing of what was to be opened. */
export function isLimit(code: string): boolean {
  return code === 'EMFILE' || code === 'ENFILE';
}

/** What a person can do when the system refuses `what` (already quoted). */
export function remedyFor(code: string, what: string): string {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return `let the user that trainlogd runs as read ${what}: chmod o+r (directories o+rx), a group that both are in, or run trainlogd as the owner of the files`;
    case 'EIO':
      return `check the disk or the network mount below ${what} (dmesg, smartctl): the system could not read it`;
    case 'ENAMETOOLONG':
      return `shorten the names above ${what} or move it up: the whole path must stay below 4096 bytes`;
    case 'EMFILE':
    case 'ENFILE':
      return `raise the limit of open files (LimitNOFILE= in the unit, ulimit -n, sysctl fs.file-max)`;
    case 'ELOOP':
      return `put the files themselves there: symbolic links are never followed (${what})`;
    default:
      return `find out why the system answers ${code} for ${what}, then it is read at the next scan`;
  }
}

/** The failure of one file as the rest of the program knows it. `attempted` names the path already. */
export function fileFailure(error: unknown, attempted: string, path: WatchedPath): FileFailure {
  if (error instanceof FileFailure) return error;
  const code = errnoOf(error);
  const quoted = quotePath(path);
  if (meansVanished(code)) {
    return new FileFailure(
      'vanished',
      code,
      `${attempted}: it is no longer there`,
      `write ${quoted} again if it is needed`,
    );
  }
  if (isLimit(code))
    return new FileFailure('changing', code, `${attempted}: ${code}`, remedyFor(code, quoted));
  if (code === 'EAGAIN') {
    return new FileFailure(
      'changing',
      code,
      `${attempted}: another process holds a lease on it`,
      'wait until that process is done',
    );
  }
  return new FileFailure('unreadable', code, `${attempted}: ${code}`, remedyFor(code, quoted));
}
