import { mkdirSync, statSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from './errno.ts';

/**
 * As `mkdir -p`, one step for each name of the path. Node's own goes round for ever where the system answers ENOENT below
 * a directory that is there: /proc and /sys do. Throws the system's error.
 */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (mayBeThere(error) && (await stat(path)).isDirectory()) return;
    if (errnoOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    await mkdir(path).catch((again: unknown) => {
      if (errnoOf(again) !== 'EEXIST') throw again; // reason: somebody else made it in between
    });
  }
}

/** The same for a directory of ours on a local disk, for nobody but this user. Returns whether it was not there. */
export function makeOwnDirectory(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (mayBeThere(error) && statSync(path).isDirectory()) return false;
    if (errnoOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    makeOwnDirectory(dirname(path));
    try {
      mkdirSync(path, { mode: 0o700 });
      return true;
    } catch (again) {
      if (errnoOf(again) !== 'EEXIST') throw again; // reason: somebody else made it in between
      return false;
    }
  }
}

/** EISDIR: the system's answer for a root directory on some systems. */
function mayBeThere(error: unknown): boolean {
  return ['EEXIST', 'EISDIR'].includes(errnoOf(error));
}
