import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  openSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from './errno.ts';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;

const forOwner = 0o600;
const forOthers = 0o077;

/** An empty file, where there is none, of whoever owns the directory that it is in, and for nobody else to read. */
export function makeOwnersFile(path: string): void {
  try {
    const fd = openSync(path, O_CREAT | O_EXCL | O_WRONLY, forOwner);
    // A umask takes away as it likes.
    fchmodSync(fd, forOwner);
    giveToOwner(fd, path);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

/** A file that an earlier version made, or another program, is closed to others, too. */
export function closeToOthers(path: string): void {
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isFile() && (stat.mode & forOthers) !== 0) chmodSync(path, forOwner);
  } catch (error) {
    if (!['EPERM', 'EROFS', 'EACCES', 'ENOENT'].includes(errnoOf(error))) throw error; // reason: what is in the way is told by opening it
  }
}

/** A directory that is just made becomes that of whoever owns the one that it is in. */
export function giveDirectoryToOwner(path: string): void {
  giveToOwner(openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), path);
}

/**
 * Root is here to drain or to retry by hand, in the state directory of the user that the service runs as: what root
 * makes there would be closed to the service.
 */
function giveToOwner(fd: number, path: string): void {
  try {
    const { uid, gid } = statSync(dirname(path));
    if (fstatSync(fd).uid !== uid) fchownSync(fd, uid, gid);
  } catch (error) {
    if (errnoOf(error) !== 'EPERM') throw error; // reason: we are not root, and the directory is shared by a group
  } finally {
    closeSync(fd);
  }
}
