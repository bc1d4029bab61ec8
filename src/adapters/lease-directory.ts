import { closeSync } from 'node:fs';
import { lstat, mkdir, rmdir } from 'node:fs/promises';
import { FileFailure } from '../domain/failure.ts';
import { leaseDirectoryName } from '../domain/lease.ts';
import { baseName, joinPath, quotePath, type WatchedPath } from '../domain/watched-path.ts';
import { errnoOf, remedyFor } from './errno.ts';
import { threadedCalls } from './folder-calls.ts';
import { childOf, type DirectoryHandle, openBelow, openFolder } from './folder-handle.ts';

/** Where the leases of one session lie: found, made and removed without ever following a link. */
export const leaseFolder = '.trainlogd';

/**
 * Calls `use` with the session's lease directory held open. Undefined when there is none and `create` is not asked for.
 * It is made only beside the session that it is for: a folder that is not mounted looks like an empty one.
 */
export async function withLeaseDirectory<T>(
  directory: string,
  root: WatchedPath,
  create: boolean,
  use: (at: DirectoryHandle) => Promise<T>,
): Promise<T | undefined> {
  const held: DirectoryHandle[] = [];
  try {
    const folder = await openTop(directory);
    held.push(folder);
    const names = [leaseFolder, leaseDirectoryName(root)];
    let at: DirectoryHandle | undefined = folder;
    for (const name of names) {
      at = await descend(folder, at, name, create ? root : undefined);
      if (!at) return undefined;
      held.push(at);
    }
    return await use(at);
  } finally {
    for (const { fd } of held) closeSync(fd);
  }
}

async function openTop(directory: string): Promise<DirectoryHandle> {
  try {
    return await openFolder(directory, threadedCalls);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw gone(`the folder ${JSON.stringify(directory)} is not there`);
  }
}

/** `createFor`: the session whose root must be there for a directory to be made. */
async function descend(
  folder: DirectoryHandle,
  at: DirectoryHandle,
  name: string,
  createFor: WatchedPath | undefined,
): Promise<DirectoryHandle | undefined> {
  try {
    return await openBelow(at, name, threadedCalls);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    if (createFor === undefined) return undefined;
  }
  if (!(await isThere(folder, createFor))) throw gone(`${quotePath(createFor)} is not there`);
  try {
    await mkdir(childOf(at, name), 0o755);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  return await openBelow(at, name, threadedCalls);
}

async function isThere(folder: DirectoryHandle, root: WatchedPath): Promise<boolean> {
  if (root === '') return true;
  const held: DirectoryHandle[] = [];
  try {
    let at = folder;
    for (const name of root.split('/').slice(0, -1)) {
      at = await openBelow(at, name, threadedCalls);
      held.push(at);
    }
    await lstat(childOf(at, baseName(root)));
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return false;
    throw error;
  } finally {
    for (const { fd } of held) closeSync(fd);
  }
}

/** Nothing while the session is there. What else lies in its lease directory keeps that directory. */
export async function removeLeaseDirectory(
  directory: string,
  root: WatchedPath,
  namesIn: (at: DirectoryHandle) => Promise<string[]>,
  unlinkQuietly: (at: DirectoryHandle, name: string) => Promise<void>,
): Promise<void> {
  const folder = await openTop(directory);
  let leases: DirectoryHandle | undefined;
  try {
    if (await isThere(folder, root)) return;
    leases = await descend(folder, folder, leaseFolder, undefined);
    const own = leases && (await descend(folder, leases, leaseDirectoryName(root), undefined));
    if (!leases || !own) return;
    try {
      for (const name of await namesIn(own)) await unlinkQuietly(own, name);
    } finally {
      closeSync(own.fd);
    }
    await rmdir(childOf(leases, leaseDirectoryName(root)));
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(errnoOf(error))) throw error;
  } finally {
    if (leases) closeSync(leases.fd);
    closeSync(folder.fd);
  }
}

function gone(what: string): FileFailure {
  return new FileFailure('vanished', 'ENOENT', what, 'mount or create it again');
}

export function leaseFailure(error: unknown, doing: string, root: WatchedPath): FileFailure {
  const place = quotePath(joinPath(leaseFolder, leaseDirectoryName(root)));
  const attempted = `${doing} the lease of session ${quotePath(root)} in ${place}`;
  if (error instanceof FileFailure) {
    return new FileFailure(error.reason, error.code, `${attempted}: ${error.message}`, error.remedy);
  }
  const code = errnoOf(error);
  if (code === 'UNKNOWN') throw error;
  const reason = code === 'ESTALE' || code === 'ENOENT' ? 'vanished' : 'unreadable';
  return new FileFailure(reason, code, `${attempted}: ${code}`, remedyOf(code, place));
}

function remedyOf(code: string, place: string): string {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `let the user that trainlogd runs as, the same on every host, write in ${quotePath(leaseFolder)} of the watched folder, or set watch.shared to false where one host alone watches it`;
    case 'ENOSPC':
    case 'EDQUOT':
      return 'make room on the file system of the watched folder';
    case 'ENOTDIR':
    case 'ELOOP':
    case 'E2BIG':
    case 'EOVERFLOW':
      return `remove ${place}: it holds something that trainlogd did not write`;
    default:
      return remedyFor(code, place);
  }
}
