import { lstatSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DroppedClaims, KeptClaims } from '../ports/file-source.ts';
import { errnoOf, meansVanished } from './errno.ts';
import { makeOwnDirectory } from './make-directory.ts';
import { giveDirectoryToOwner } from './state-owner.ts';

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

/**
 * Says what was moved; what was not is where it was, and `onLeft` is told why. Throws the system's error when none could be
 * moved for one.
 */
export function keepClaims(
  claims: string,
  why: 'damaged' | 'unknown',
  names: readonly string[],
  nowMs: number,
  onLeft: (error: unknown) => void = () => undefined,
): KeptClaims | undefined {
  if (names.length === 0) return undefined;
  const directory = `${claims}.${why}-${stampOf(nowMs)}`;
  if (makeOwnDirectory(directory)) giveDirectoryToOwner(directory);
  const errors = names.flatMap((name) => moved(join(claims, name), join(directory, name)) ?? []);
  const files = names.length - errors.length;
  const failures = errors.filter((error) => !meansVanished(errnoOf(error)));
  if (files === 0 && failures.length > 0) throw failures[0];
  for (const error of failures) onLeft(error);
  return files === 0 ? undefined : { directory, files };
}

/** The error where it could not be. */
function moved(from: string, to: string): unknown {
  try {
    renameSync(from, to);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** By the wall clock, which may be set at any time, and how long this program has run by one that nobody sets. */
export interface KeptNow {
  readonly nowMs: number;
  readonly runningMs: number;
  readonly missingBytes: number;
}

/**
 * Removes what has lain for too long, and more, oldest first, until so many bytes are free. Throws the system's error.
 * A host's clock may be years off while it boots, when the files were moved or now: no age counts for more than what this
 * program has seen of it, so that a person has these days whatever the clock says.
 */
export function dropKept(claims: string, { nowMs, runningMs, missingBytes }: KeptNow): DroppedClaims[] {
  const dropped: DroppedClaims[] = [];
  let stillMissing = missingBytes;
  for (const { directory, names, sinceMs } of keptBeside(claims)) {
    if (names.length === 0) {
      rmdirSync(directory);
      continue;
    }
    const isOver = Math.min(nowMs - sinceMs, runningMs) > keptMs;
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
