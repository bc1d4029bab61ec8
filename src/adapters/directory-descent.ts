import { closeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { syncDirectory } from './directory-layout.ts';
import { errnoOf } from './errno.ts';
import { threadedCalls } from './folder-calls.ts';
import { childOf, type DirectoryHandle, openBelow, openFolder } from './folder-handle.ts';

/**
 * Calls `use` with the path of the object, its directory held open: a directory above it that is swapped for a link
 * meanwhile leads nowhere. `create` makes what is missing; without it, a missing directory is ENOENT.
 * Throws the system's error; ENOTDIR where a link or a file stands for a directory.
 */
export async function withParent<T>(
  root: string,
  names: readonly string[],
  create: boolean,
  use: (path: string, parent: string) => Promise<T>,
): Promise<T> {
  let at = await openFolder(root, threadedCalls);
  try {
    for (const name of names.slice(0, -1)) {
      const below = await descend(at, name, create);
      closeSync(at.fd);
      at = below;
    }
    return await use(String(childOf(at, names.at(-1) ?? '')), at.base);
  } finally {
    closeSync(at.fd);
  }
}

async function descend(at: DirectoryHandle, name: string, create: boolean): Promise<DirectoryHandle> {
  try {
    return await openBelow(at, name, threadedCalls);
  } catch (error) {
    if (!create || errnoOf(error) !== 'ENOENT') throw error;
  }
  await makeDirectory(at, name);
  return await openBelow(at, name, threadedCalls);
}

async function makeDirectory(at: DirectoryHandle, name: string): Promise<void> {
  try {
    await mkdir(childOf(at, name));
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  await syncDirectory(at.base);
}
