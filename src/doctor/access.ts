import { access, constants, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from '../adapters/errno.ts';

/** Why this user cannot write into a directory, or make it where it is not yet; nothing is written. */
export async function writableProblem(path: string): Promise<string | undefined> {
  try {
    if (!(await stat(path)).isDirectory()) return `${JSON.stringify(path)} is no directory`;
    await access(path, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' && dirname(path) !== path) return await writableProblem(dirname(path));
    return `${JSON.stringify(path)}: ${code}`;
  }
}

/** It, or the nearest directory above it that is there. */
export async function existing(path: string): Promise<string> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  return isThere || dirname(path) === path ? path : await existing(dirname(path));
}

/** Whom a process acts as; undefined for one that is gone. */
export async function uidOf(proc: string, pid: number | 'self'): Promise<number | undefined> {
  return await stat(`${proc}/${pid}`).then(
    ({ uid }) => uid,
    () => undefined, // reason: a process that has just ended has no user
  );
}

/** A small file of the system, trimmed; undefined where there is none. */
export async function systemText(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    return undefined; // reason: a system without the file says nothing by it
  }
}

export async function systemNumber(path: string): Promise<number | undefined> {
  const number = Number.parseInt((await systemText(path)) ?? '', 10);
  return Number.isNaN(number) ? undefined : number;
}
