import { lstatSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DroppedClaims, KeptClaims } from '../ports/file-source.ts';
import { errnoOf, meansVanished } from './errno.ts';
import { makeOwnDirectory } from './make-directory.ts';

/**
 * Claims that nobody can ship any more, each the only link to its bytes, in directories beside that of the claims:
 *
 *   claims.damaged-{time}    only a journal that is damaged knew what they are called
 *   claims.unknown-{time}    a kill came before the journal knew
 *
 * They are for a person, who has so many days; a directory that was emptied goes at once.
 */
export const keptDays = 7;
const keptMs = keptDays * 24 * 3_600_000;

/** Throws the system's error; what was not moved is where it was. */
export function keepClaims(
  claims: string,
  why: 'damaged' | 'unknown',
  names: readonly string[],
  nowMs: number,
): KeptClaims | undefined {
  if (names.length === 0) return undefined;
  const directory = `${claims}.${why}-${stampOf(nowMs)}`;
  makeOwnDirectory(directory);
  for (const name of names) renameSync(join(claims, name), join(directory, name));
  return { directory, files: names.length };
}

/** Removes what has lain for too long, and more, oldest first, until so many bytes are free. Throws the system's error. */
export function dropKept(claims: string, nowMs: number, missingBytes: number): DroppedClaims[] {
  const dropped: DroppedClaims[] = [];
  let stillMissing = missingBytes;
  for (const { directory, names, sinceMs } of keptBeside(claims)) {
    if (names.length === 0) {
      rmdirSync(directory);
      continue;
    }
    const isOver = nowMs - sinceMs > keptMs;
    if (!isOver && stillMissing <= 0) continue;
    stillMissing -= names.reduce((sum, name) => sum + diskBytesOf(join(directory, name)), 0);
    rmSync(directory, { recursive: true, force: true });
    dropped.push({
      directory,
      files: names.length,
      because: isOver ? `it lay there for ${keptDays} days` : 'the disk is nearly full',
    });
  }
  return dropped;
}

/** In order of age: a directory's time is that of the last file that came or went. */
function keptBeside(claims: string): { directory: string; names: string[]; sinceMs: number }[] {
  const isKept = new RegExp(`^${basename(claims)}\\.(damaged|unknown)-\\d{8}T\\d{9}Z$`);
  const found = namesIn(dirname(claims)).flatMap((name) => {
    const directory = join(dirname(claims), name);
    const stat = isKept.test(name) ? lstatSync(directory, { throwIfNoEntry: false }) : undefined;
    return stat?.isDirectory() ? [{ directory, names: readdirSync(directory), sinceMs: stat.mtimeMs }] : [];
  });
  return found.sort((a, b) => a.sinceMs - b.sinceMs);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (meansVanished(errnoOf(error))) return [];
    throw error;
  }
}

/** What its end sets free: nothing, where there is another link by now. */
function diskBytesOf(file: string): number {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  return stat?.nlink === 1 ? stat.blocks * 512 : 0;
}

export function stampOf(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/[-:.]/g, '');
}
