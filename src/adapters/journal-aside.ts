import { existsSync, lstatSync, readdirSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { KeptClaims } from '../ports/file-source.ts';
import { claimsDirectory } from './file-claims.ts';
import { journalFileOf } from './journal-file.ts';
import { keepClaims, stampOf } from './kept-claims.ts';

export interface SetAside {
  /** Where the damaged journal lies now; undefined when there was none to move. */
  readonly file: string | undefined;
  /** Where the only links to bytes lie whose owners deleted the file before it was sent; undefined without any. */
  readonly kept: KeptClaims | undefined;
}

/** They are for a person who wants to know what happened; on a small disk they must not become many. */
const journalsKept = 3;
const mark = '.damaged-';

/**
 * Makes way for a new journal. The damaged one is renamed with its log, never deleted before three newer ones are there.
 * Only the lost journal knew what a claim is called in its session. Where the file is still in the folder its claim is
 * let go, since it will be queued and claimed anew; a last link is the file's only copy, and is kept for a person.
 * Nobody may hold the journal. Throws the system's error.
 */
export function setJournalAside(stateDirectory: string, nowMs: number): SetAside {
  const stamp = stampOf(nowMs);
  const kept = setClaimsAside(claimsDirectory(stateDirectory), nowMs);
  const journal = journalFileOf(stateDirectory);
  const file = existsSync(journal) ? `${journal}${mark}${stamp}` : undefined;
  // The log first: should we die in between, a journal without its log is damaged still, or is as it was before it.
  for (const suffix of ['-wal', '-shm', '']) {
    if (existsSync(journal + suffix)) renameSync(journal + suffix, `${journal}${mark}${stamp}${suffix}`);
  }
  removeOldest(stateDirectory, journal);
  return { file, kept };
}

/** What is in the folder may have been shipped long ago, or have been waiting: a new journal cannot tell. */
export function hasJournalAside(stateDirectory: string): boolean {
  return stampsOf(stateDirectory, journalFileOf(stateDirectory)).length > 0;
}

function setClaimsAside(claims: string, nowMs: number): KeptClaims | undefined {
  const lastLinks: string[] = [];
  for (const name of existsSync(claims) ? readdirSync(claims) : []) {
    const claim = join(claims, name);
    if (lstatSync(claim).nlink > 1) unlinkSync(claim);
    else lastLinks.push(name);
  }
  return keepClaims(claims, 'damaged', lastLinks, nowMs);
}

function stampsOf(stateDirectory: string, journal: string): string[] {
  const prefix = `${basename(journal)}${mark}`;
  const names = existsSync(stateDirectory) ? readdirSync(stateDirectory) : [];
  const stamps = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  return [...new Set(stamps.map((stamp) => stamp.replace(/-(wal|shm)$/, '')))].sort();
}

function removeOldest(stateDirectory: string, journal: string): void {
  for (const stamp of stampsOf(stateDirectory, journal).slice(0, -journalsKept)) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${journal}${mark}${stamp}${suffix}`, { force: true });
  }
}
