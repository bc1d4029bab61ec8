import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../domain/failure.ts';
import { openFailure } from './directory-failure.ts';
import { describeOwner, isOwnerGone } from './directory-owner.ts';
import { errnoOf } from './errno.ts';
import { makeDirectory } from './make-directory.ts';

/**
 * What lies in the directory beside the objects:
 *
 *   .trainlogd/tmp/{random}/owner       who writes below; the directory goes when that process is gone
 *   .trainlogd/tmp/{random}/{random}    an object or its metadata while it is written
 *   .trainlogd/meta/{sha256 of the key}.{inode}.json
 *   .trainlogd/locks/{sha256 of the key}
 */
export const privateName = '.trainlogd';

/** A directory of another host's process, or of one that cannot be seen, goes when nothing was made in it for so long. */
const abandonedAfterMs = 7 * 24 * 3_600_000;

export class DirectoryLayout {
  readonly root: string;
  #own: Promise<string> | undefined;
  #wasMade = false;

  constructor(root: string) {
    this.root = root;
  }

  /**
   * The directory of this process for what is not yet whole. The directory of the store is made for the first call
   * only: gone later, it was unmounted, and what we wrote to its mount point would be lost to sight.
   */
  async temporary(): Promise<string> {
    this.#own ??= this.#make();
    try {
      const own = await this.#own;
      await access(own);
      return own;
    } catch (error) {
      this.#own = undefined;
      throw openFailure(error, this.root);
    }
  }

  async temporaryFile(): Promise<string> {
    return join(await this.temporary(), randomUUID());
  }

  lockFile(key: string): string {
    return join(this.root, privateName, 'locks', digestOf(key));
  }

  /** The inode says to which file the metadata belong, so that they can be there before the file is. */
  metaFile(key: string, inode: bigint): string {
    return join(this.metaDirectory, `${digestOf(key)}.${inode}.json`);
  }

  get metaDirectory(): string {
    return join(this.root, privateName, 'meta');
  }

  async close(): Promise<void> {
    const made = await this.#own?.catch(() => undefined); // reason: what was not made need not be removed
    if (made !== undefined) await rm(made, { recursive: true, force: true });
  }

  async #make(): Promise<string> {
    const all = join(this.root, privateName, 'tmp');
    const own = join(all, randomUUID());
    if (!this.#wasMade) {
      await makeDirectory(join(this.root, privateName, 'locks'));
      await makeDirectory(this.metaDirectory);
      await makeDirectory(all);
    }
    await mkdir(own);
    this.#wasMade = true;
    await writeFile(join(own, 'owner'), await describeOwner());
    await removeAbandoned(all, own);
    return own;
  }
}

async function removeAbandoned(all: string, own: string): Promise<void> {
  const nowMs = (await stat(own)).mtimeMs;
  for (const name of await readdir(all)) {
    const directory = join(all, name);
    if (directory !== own && (await isAbandoned(directory, nowMs))) {
      await rm(directory, { recursive: true, force: true });
    }
  }
}

async function isAbandoned(directory: string, nowMs: number): Promise<boolean> {
  if (await isOwnerGone(join(directory, 'owner'))) return true;
  try {
    return nowMs - (await stat(directory)).mtimeMs > abandonedAfterMs;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** The key as the names below the directory, or a Failure where it would not stay one path of its own. */
export function splitKey(key: string, doing: string): readonly string[] {
  const names = key.split('/');
  const isRefused =
    names.some((name) => /^\.{0,2}$/.test(name) || name.includes('\0')) || names[0] === privateName;
  if (!isRefused) return names;
  throw new Failure({
    kind: 'permanent',
    code: 'InvalidKey',
    attempted: `${doing}: a key with an empty, "." or ".." part, a NUL, or "${privateName}" at its start is no path`,
    remedy: 'rename the file or its directory, or exclude it',
  });
}

/** Makes names in a directory survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } catch (error) {
    // reason: some network file systems sync names at once and have no such call
    if (!['EINVAL', 'ENOTSUP'].includes(errnoOf(error))) throw error;
  } finally {
    await directory.close();
  }
}

function digestOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
