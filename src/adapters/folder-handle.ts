import {
  type BigIntStats,
  closeSync,
  constants,
  existsSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { joinPath, pathToBytes, type WatchedPath } from '../domain/watched-path.ts';
import type { FileStat } from '../ports/file-source.ts';
import type { FolderCalls } from './folder-calls.ts';

/**
 * Directories held by descriptor, and the way down to their children.
 *
 * `/proc/self/fd/N/name` is looked up in the very directory that N holds, whatever was renamed or swapped for a link
 * above it since: what openat(2) is elsewhere. With O_NOFOLLOW at every step no link is followed on the way,
 * and a path longer than PATH_MAX cannot arise. Where there is no /proc (macOS) the real path stands in for it and
 * is compared after opening, which leaves a moment between the two.
 */
export interface DirectoryHandle {
  readonly fd: number;
  /** What the names of its children are appended to. */
  readonly base: string;
}

/** O_PATH of Linux, the same number on x64 and arm64; Node does not name it. Holds a place, reads nothing. */
const holdOnly = 0o10000000;
const descriptors = '/proc/self/fd';
const hasDescriptorPaths = existsSync(descriptors);

export const placeFlags = hasDescriptorPaths ? holdOnly : constants.O_RDONLY | constants.O_NONBLOCK;
export const canReopen = hasDescriptorPaths;

/** The folder itself may be given through a link. Throws the system's error. */
export async function openFolder(directory: string, calls: FolderCalls): Promise<DirectoryHandle> {
  const fd = await calls.open(directory, placeFlags | constants.O_DIRECTORY);
  return { fd, base: hasDescriptorPaths ? `${descriptors}/${fd}` : realpathSync.native(directory) };
}

/** One name down, never through a link. Throws the system's error; ENOTDIR for a link. */
export async function openBelow(
  parent: DirectoryHandle,
  name: WatchedPath,
  calls: FolderCalls,
): Promise<DirectoryHandle> {
  const path = childOf(parent, name);
  const fd = await calls.open(path, placeFlags | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  if (hasDescriptorPaths) return { fd, base: `${descriptors}/${fd}` };
  const base = path.toString();
  if (realpathSync.native(base) === base) return { fd, base };
  closeSync(fd);
  throw errorWithCode('ENOTDIR', `opening ${JSON.stringify(base)}: it goes through a link`);
}

/** What stands at `path`, opened name by name from the folder down, and the folder itself. */
export interface Descent {
  readonly root: DirectoryHandle;
  readonly at: DirectoryHandle;
}

/** Calls `use` with the directory at `path` held open. Throws the system's error, or what `use` throws. */
export async function withDirectory<T>(
  directory: string,
  path: WatchedPath,
  calls: FolderCalls,
  use: (descent: Descent) => T | Promise<T>,
): Promise<T> {
  const root = await openFolder(directory, calls);
  const held = [root];
  try {
    let at = root;
    for (const name of path === '' ? [] : path.split('/')) {
      // `..` would leave the folder without any link; no listing ever contains it.
      if (name === '' || name === '.' || name === '..')
        throw errorWithCode('ENOENT', 'not a path below the folder');
      at = await openBelow(at, name, calls);
      held.push(at);
    }
    return await use({ root, at });
  } finally {
    for (const handle of held) closeSync(handle.fd);
  }
}

export function errorWithCode(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

/** A string where the name is UTF-8, else bytes: the system must see exactly the name that was listed. */
export function childOf(directory: DirectoryHandle, name: WatchedPath): string | Buffer {
  if (name.isWellFormed()) return `${directory.base}/${name}`;
  return Buffer.concat([Buffer.from(`${directory.base}/`), pathToBytes(name)]);
}

/** Where the open descriptor lies now, by the system's own word; ends in ` (deleted)` when it is nowhere. */
export function whereIs(handle: DirectoryHandle): Buffer {
  if (!hasDescriptorPaths) return Buffer.from(handle.base);
  return readlinkSync(`${descriptors}/${handle.fd}`, { encoding: 'buffer' });
}

/** Where there are no descriptor paths: does the path still lead, without links, to what was opened? */
export function stillLeadsTo(root: DirectoryHandle, path: WatchedPath, opened: BigIntStats): boolean {
  const full = joinPath(root.base, path);
  const now = statSync(full, { bigint: true, throwIfNoEntry: false });
  return realpathSync.native(full) === full && now?.ino === opened.ino && now.dev === opened.dev;
}

export function toFileStat(stat: BigIntStats): FileStat {
  return {
    dev: stat.dev,
    ino: stat.ino,
    sizeBytes: Number(stat.size),
    mtimeNs: stat.mtimeNs,
    ctimeNs: stat.ctimeNs,
    birthtimeNs: stat.birthtimeNs,
  };
}
