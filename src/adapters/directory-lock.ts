import { randomUUID } from 'node:crypto';
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { Failure } from '../domain/failure.ts';
import { describeOwner, isOwnerGone } from './directory-owner.ts';
import { errnoOf } from './errno.ts';
import { systemClock } from './system-time.ts';

const retryMs = 20;
const attemptsMax = 500;
/** Looking for staleness costs more than trying again. */
const attemptsPerLook = 50;
/** A lock is held for a few system calls. One this old was left behind by a host that is gone. */
const abandonedAfterMs = 5 * 60_000;

/**
 * Calls `use` while no other process that writes here does so under the same lock. A stale lock is taken over: at
 * once where its process is known to be gone, else by its age.
 */
export async function withLock<T>(
  lockFile: string,
  doing: string,
  signal: AbortSignal,
  use: () => Promise<T>,
): Promise<T> {
  await acquire(lockFile, doing, signal);
  try {
    return await use();
  } finally {
    await rm(lockFile, { force: true });
  }
}

async function acquire(lockFile: string, doing: string, signal: AbortSignal): Promise<void> {
  const owner = await describeOwner();
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    signal.throwIfAborted();
    if (await tryCreate(lockFile, owner)) return;
    if (attempt % attemptsPerLook === 0 && (await isStale(lockFile))) await takeAway(lockFile);
    else await systemClock.sleep(retryMs, signal);
  }
  throw new Failure({
    kind: 'transient',
    code: 'LockHeld',
    attempted: `${doing}: another process holds the lock`,
    remedy: `remove ${JSON.stringify(lockFile)} if no trainlogd writes there`,
  });
}

async function tryCreate(lockFile: string, owner: string): Promise<boolean> {
  try {
    await writeFile(lockFile, owner, { flag: 'wx' });
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function isStale(lockFile: string): Promise<boolean> {
  if (await isOwnerGone(lockFile)) return true;
  // The age by the clock that gave the lock its time: a server's clock need not be ours.
  const probe = `${lockFile}.${randomUUID()}`;
  try {
    await writeFile(probe, '', { flag: 'wx' });
    const [held, now] = await Promise.all([stat(lockFile), stat(probe)]);
    return now.mtimeMs - held.mtimeMs > abandonedAfterMs;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  } finally {
    await rm(probe, { force: true });
  }
}

/** Renamed first: of two that find it stale, one takes it away, and the other finds nothing or a lock that is not. */
async function takeAway(lockFile: string): Promise<void> {
  const aside = `${lockFile}.${randomUUID()}`;
  try {
    await rename(lockFile, aside);
    // A quicker one may have made the lock anew between our look and the rename: it goes back where it was.
    if (await isStale(aside)) await rm(aside, { force: true });
    else await rename(aside, lockFile);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
