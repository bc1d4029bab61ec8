import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { link, lstat, open, unlink } from 'node:fs/promises';
import { type FoundLease, type Lease, leaseNumberMax, leaseSchema } from '../domain/lease.ts';
import type { WatchedPath } from '../domain/watched-path.ts';
import type { LeaseStore } from '../ports/lease-store.ts';
import { errnoOf } from './errno.ts';
import { threadedCalls } from './folder-calls.ts';
import { canReopen, childOf, type DirectoryHandle, errorWithCode, placeFlags } from './folder-handle.ts';
import { leaseFailure, removeLeaseDirectory, withLeaseDirectory } from './lease-directory.ts';

/**
 * Leases as files of the watched folder, the one place in it that is written to:
 *
 *   .trainlogd/{session}/lease.{number}        the highest number counts; it and the two before it are kept
 *   .trainlogd/{session}/.new.{number}.{uuid}  a lease while it is written
 *
 * A number is made by link(2): whole and exclusive at once, on NFS as well. Where there are no hard links it is made by
 * an exclusive open: a moment long it can be seen half written, and counts as one that cannot be read.
 */
const leaseName = /^lease\.([1-9]\d{0,11})$/;
const newName = /^\.new\.(\d{1,12})\.[0-9a-f-]{36}$/;
const keptBefore = 2;
/** Ours has a handful; somebody else's million is not read. */
const namesMax = 4096;
const leaseBytesMax = 256 * 1024;

export function createLeaseFiles(directory: string): LeaseStore {
  let ownUid: bigint | undefined;

  async function makeNew(at: DirectoryHandle, number: number, text: string) {
    const name = `.new.${number}.${randomUUID()}`;
    const path = childOf(at, name);
    const file = await open(path, newFlags, 0o644);
    try {
      await file.writeFile(text);
      // What the file system makes of us, which need not be what we are here: root is often nobody on NFS.
      ownUid = (await file.stat({ bigint: true })).uid;
    } finally {
      await file.close();
    }
    return path;
  }

  async function isOwnUser(at: DirectoryHandle, uid: bigint): Promise<boolean> {
    if (ownUid === undefined) {
      try {
        await unlink(await makeNew(at, 0, ''));
      } catch (error) {
        if (errnoOf(error) === 'UNKNOWN') throw error;
        return false; // reason: who cannot write here wrote none of it
      }
    }
    return ownUid === uid;
  }

  async function found(at: DirectoryHandle, number: number): Promise<FoundLease> {
    const { text, uid } = await readLease(at, number);
    const lease = text === undefined ? undefined : parse(text);
    return { number, lease, trusted: lease !== undefined && (await isOwnUser(at, uid)) };
  }

  return {
    async read(root) {
      return attempt('reading', root, async () =>
        withLeaseDirectory(directory, root, false, async (at) => {
          for (let tries = 0; tries < 3; tries++) {
            const number = highest(await namesIn(at));
            if (number === 0) return undefined;
            try {
              return await found(at, number);
            } catch (error) {
              // Two more were written meanwhile and this one is not kept any more.
              if (errnoOf(error) !== 'ENOENT') throw error;
            }
          }
          throw errorWithCode('EAGAIN', 'it changes faster than it can be read');
        }),
      );
    },

    async write(root, number, lease) {
      if (number > leaseNumberMax) throw tooHigh(root);
      return attempt('writing', root, async () => {
        const text = `${JSON.stringify(lease)}\n`;
        const written = await withLeaseDirectory(directory, root, true, async (at) => {
          const fresh = await makeNew(at, number, text);
          const isMade = await makeNumber(at, fresh, number, text);
          if (!isMade) return false;
          // The number may have been free only because those who passed it have removed it since.
          const names = await namesIn(at);
          if (highest(names) > number) {
            await unlinkQuietly(at, `lease.${number}`);
            return false;
          }
          await prune(at, names, number - keptBefore);
          return true;
        });
        return written ?? false;
      });
    },

    remove: (root) =>
      attempt('removing', root, () => removeLeaseDirectory(directory, root, ownNamesIn, unlinkQuietly)),
  };
}

const newFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

async function attempt<T>(doing: string, root: WatchedPath, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw leaseFailure(error, doing, root);
  }
}

async function namesIn(at: DirectoryHandle): Promise<string[]> {
  const listing = await threadedCalls.openDirectory(at.base);
  try {
    const names = await threadedCalls.readNames(listing, namesMax + 1);
    if (names.length > namesMax) throw errorWithCode('E2BIG', `there are more than ${namesMax} names`);
    return names;
  } finally {
    listing.closeSync();
  }
}

async function ownNamesIn(at: DirectoryHandle): Promise<string[]> {
  return (await namesIn(at)).filter((name) => leaseName.test(name) || newName.test(name));
}

function highest(names: readonly string[]): number {
  return names.reduce((max, name) => Math.max(max, Number(leaseName.exec(name)?.[1] ?? 0)), 0);
}

/** Undefined text: no regular file, or one that is larger than any lease. Throws ENOENT. */
async function readLease(
  at: DirectoryHandle,
  number: number,
): Promise<{ text: string | undefined; uid: bigint }> {
  // Held before it is opened: a FIFO that somebody put there feels nothing and keeps nobody waiting.
  const place = await open(childOf(at, `lease.${number}`), placeFlags | constants.O_NOFOLLOW);
  try {
    const stat = await place.stat({ bigint: true });
    if (!stat.isFile() || stat.size > BigInt(leaseBytesMax)) return { text: undefined, uid: stat.uid };
    if (!canReopen) return { text: await bounded(place), uid: stat.uid };
    const file = await open(`/proc/self/fd/${place.fd}`, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return { text: await bounded(file), uid: stat.uid };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errnoOf(error) !== 'EACCES') throw error;
    return { text: undefined, uid: -1n };
  } finally {
    await place.close();
  }
}

/** It may grow while it is read. */
async function bounded(file: Awaited<ReturnType<typeof open>>): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(leaseBytesMax), 0, leaseBytesMax, 0);
  return buffer.subarray(0, bytesRead).toString('utf8');
}

function parse(text: string): Lease | undefined {
  try {
    return leaseSchema.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // reason: damage is what the caller is told of
    throw error;
  }
}

/** Takes `fresh` over: it becomes the number, or goes. */
async function makeNumber(at: DirectoryHandle, fresh: string | Buffer, number: number, text: string) {
  const path = childOf(at, `lease.${number}`);
  try {
    await link(fresh, path);
    return true;
  } catch (error) {
    const code = errnoOf(error);
    // Over a network the answer may have got lost and the link been asked for again: two names tell.
    if (code === 'EEXIST') return (await lstat(fresh)).nlink === 2;
    if (!noHardLinks.has(code)) throw error;
    return await makeExclusively(path, text);
  } finally {
    await unlink(fresh);
  }
}

const noHardLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'EMLINK']);

async function makeExclusively(path: string | Buffer, text: string): Promise<boolean> {
  try {
    const file = await open(path, newFlags, 0o644);
    await file.writeFile(text).finally(() => file.close());
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Old numbers, and what hosts that died while they wrote left behind. */
async function prune(at: DirectoryHandle, names: readonly string[], below: number): Promise<void> {
  for (const name of names) {
    const number = (leaseName.exec(name) ?? newName.exec(name))?.[1];
    if (number !== undefined && Number(number) < below) await unlinkQuietly(at, name);
  }
}

/** Whoever writes the next number tries again. */
async function unlinkQuietly(at: DirectoryHandle, name: string): Promise<void> {
  try {
    await unlink(childOf(at, name));
  } catch (error) {
    if (errnoOf(error) === 'UNKNOWN') throw error; // reason: a bug; what the system refuses costs a name
  }
}

function tooHigh(root: WatchedPath): Error {
  return leaseFailure(
    errorWithCode('EOVERFLOW', 'its number is higher than any that was counted to'),
    'writing',
    root,
  );
}
