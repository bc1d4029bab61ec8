import { type BigIntStats, constants } from 'node:fs';
import { FileFailure } from '../domain/failure.ts';
import { pathToBytes, quotePath, type WatchedPath } from '../domain/watched-path.ts';
import type { OpenFile } from '../ports/file-source.ts';
import { kindOf } from './directory-children.ts';
import { fileFailure, remedyFor } from './errno.ts';
import { blockingCalls, type FolderCalls } from './folder-calls.ts';
import {
  canReopen,
  childOf,
  type DirectoryHandle,
  placeFlags,
  stillLeadsTo,
  whereIs,
  withDirectory,
} from './folder-handle.ts';
import { SafeFile } from './safe-file.ts';

/**
 * Opens a regular file of the folder for reading, in an order that leaves nothing to a race:
 *
 * 1. hold the place (O_PATH, O_NOFOLLOW): nothing is opened yet, so a FIFO or a device swapped in feels nothing
 * 2. it must be a regular file
 * 3. the system must say that what we hold lies at the folder's real path + `path`; it does not where a parent is a link
 * 4. open exactly what we hold
 *
 * Throws FileFailure.
 */
export async function openSafely(
  directory: string,
  path: WatchedPath,
  calls: FolderCalls,
): Promise<OpenFile> {
  const attempted = `opening file ${quotePath(path)}`;
  try {
    return await withDirectory(directory, '', calls, async ({ root }) => {
      const place = await calls.open(childOf(root, path), placeFlags | constants.O_NOFOLLOW);
      const stat = await inspected(place, calls, path, attempted, (seen) =>
        assertBelow(root, place, path, seen, attempted),
      );
      return await reopened(place, calls, stat, path, attempted);
    });
  } catch (error) {
    throw fileFailure(error, attempted, path);
  }
}

/** Opens a file by a path on a local disk that only we write to; `path` is for messages. Throws FileFailure. */
export async function openOwn(ownPath: string, path: WatchedPath): Promise<OpenFile> {
  const attempted = `opening the kept link of file ${quotePath(path)}`;
  try {
    const calls = blockingCalls;
    const place = await calls.open(ownPath, placeFlags | constants.O_NOFOLLOW);
    const stat = await inspected(place, calls, path, attempted, () => undefined);
    return await reopened(place, calls, stat, path, attempted);
  } catch (error) {
    throw fileFailure(error, attempted, path);
  }
}

async function inspected(
  place: number,
  calls: FolderCalls,
  path: WatchedPath,
  attempted: string,
  check: (stat: BigIntStats) => void,
): Promise<BigIntStats> {
  try {
    const stat = await calls.stat(place);
    assertRegular(stat, path, attempted);
    check(stat);
    return stat;
  } catch (error) {
    await calls.close(place);
    throw error;
  }
}

function assertRegular(stat: BigIntStats, path: WatchedPath, attempted: string): void {
  const kind = kindOf(stat);
  if (kind === 'file') return;
  if (kind === 'link') {
    throw new FileFailure(
      'unreadable',
      'ELOOP',
      `${attempted}: it is a symbolic link`,
      remedyFor('ELOOP', quotePath(path)),
    );
  }
  const found = kind === 'directory' ? 'a directory' : 'a FIFO, a socket or a device';
  const code = kind === 'directory' ? 'EISDIR' : 'ENXIO';
  throw new FileFailure(
    'unreadable',
    code,
    `${attempted}: it is ${found}`,
    `put a regular file at ${quotePath(path)}`,
  );
}

function assertBelow(
  root: DirectoryHandle,
  place: number,
  path: WatchedPath,
  stat: BigIntStats,
  attempted: string,
): void {
  if (!canReopen) {
    if (stillLeadsTo(root, path, stat)) return;
  } else {
    const expected = Buffer.concat([withSlash(whereIs(root)), pathToBytes(path)]);
    const found = whereIs({ fd: place, base: '' });
    if (found.equals(expected)) return;
    if (found.equals(Buffer.concat([expected, Buffer.from(' (deleted)')]))) {
      throw new FileFailure(
        'vanished',
        'ENOENT',
        `${attempted}: it was deleted meanwhile`,
        `write ${quotePath(path)} again if it is needed`,
      );
    }
  }
  throw new FileFailure(
    'vanished',
    'ELOOP',
    `${attempted}: the path leads somewhere else, through a link or because a directory was moved`,
    remedyFor('ELOOP', quotePath(path)),
  );
}

/** The folder may be `/` itself. */
function withSlash(path: Buffer): Buffer {
  return path.at(-1) === 0x2f ? path : Buffer.concat([path, Buffer.from('/')]);
}

/** Takes `place` over: it is closed, or becomes the result. */
async function reopened(
  place: number,
  calls: FolderCalls,
  stat: BigIntStats,
  path: WatchedPath,
  attempted: string,
): Promise<OpenFile> {
  if (!canReopen) return new SafeFile(place, calls, stat, path);
  try {
    const file = await calls.open(`/proc/self/fd/${place}`, constants.O_RDONLY | constants.O_NONBLOCK);
    return await heldOpen(file, calls, path);
  } catch (error) {
    const owner = `owner uid ${stat.uid}, mode ${(stat.mode & 0o7777n).toString(8).padStart(4, '0')}`;
    throw fileFailure(error, `${attempted} (${owner})`, path);
  } finally {
    await calls.close(place);
  }
}

async function heldOpen(file: number, calls: FolderCalls, path: WatchedPath): Promise<OpenFile> {
  try {
    // Taken again: what was appended since is part of what will be read.
    return new SafeFile(file, calls, await calls.stat(file), path);
  } catch (error) {
    await calls.close(file);
    throw error;
  }
}
