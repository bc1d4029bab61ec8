import type { WatchedPath } from '../domain/watched-path.ts';
import type { ByteSource } from './object-store.ts';

/**
 * The watched folder. The contract (test/contracts/file-source.ts proves it for the real and the fake one):
 *
 * - `list` and `scan` are the truth; hints only say where to look sooner. A missed hint costs time, never a file.
 * - Nothing is written in the folder, no link is followed, nothing but regular files is opened.
 * - An opened file was, when it was opened, a regular file that lay below the folder by the path that was asked for.
 * - Errors about one file are `FileFailure`; errors about the folder itself are `FolderState`.
 */
export interface FileSource {
  /** Absolute path, for people. */
  readonly directory: string;

  /** Is the folder there, and is it still the same one? Never throws. */
  state(): Promise<FolderState>;

  /** The entries straight in `at`, ignored names left out. Undefined when `at` is not a directory (any more). */
  list(at: WatchedPath, signal: AbortSignal): Promise<Listing | undefined>;

  /** Everything below `at` (`at` itself included as `self`), ignored names and what is below them left out. */
  scan(at: WatchedPath, signal: AbortSignal): Promise<Listing | undefined>;

  /** Opens a regular file safely. Throws FileFailure. The caller closes it. */
  open(path: WatchedPath): Promise<OpenFile>;

  /**
   * Tries to keep the bytes of a file alive under `claim` (a name of ours) should its owner delete it: a hard link in
   * the claim directory. The file's stat with the link made (a link moves ctime), undefined where the system does not
   * allow one; never throws for that reason.
   */
  claim(path: WatchedPath, claim: string): Promise<FileStat | undefined>;
  openClaim(claim: string, path: WatchedPath): Promise<OpenFile | undefined>;
  /** The stat of the file that was claimed, once the link is gone; undefined when there was no such claim. */
  releaseClaim(claim: string): Promise<FileStat | undefined>;
  claims(): Promise<readonly ClaimInfo[]>;
  /** Moves claims to where a person finds them and nobody else looks; undefined when none was moved. */
  keepAside(claims: readonly string[], nowMs: number): Promise<KeptClaims | undefined>;
  /**
   * Removes what was kept aside for a week, and more of it while the disk has too little room. The wall clock may be set at
   * any time: a week is over only when this program has run for one.
   */
  dropKeptAside(nowMs: number, runningMs: number): Promise<readonly DroppedClaims[]>;
  /** Lets claims go, oldest first, whose owners deleted the file, while their disk has too little room. Names them. */
  releaseClaimsBelowFloor(): Promise<readonly string[]>;

  /** Deletes one regular file if, looked at once more right before, it is exactly `expected`. */
  removeIfUnchanged(path: WatchedPath, expected: FileStat): Promise<'removed' | 'changed' | 'gone'>;

  /** Directories to watch for hints: these and no others. */
  watch(roots: ReadonlySet<WatchedPath>): void;
  /** Called with the path of something that may have changed. Set once, before the first `watch`. */
  onHint(listener: (path: WatchedPath) => void): void;

  close(): Promise<void>;
}

export type FolderState =
  | {
      readonly state: 'present';
      readonly identity: string;
      readonly fileSystem: string;
      readonly network: boolean;
    }
  | { readonly state: 'missing' }
  | { readonly state: 'unreadable'; readonly code: string };

/** As the system gives it; times in nanoseconds since 1970, device and inode as they are. */
export interface FileStat {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly sizeBytes: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** 0 where the file system does not know. */
  readonly birthtimeNs: bigint;
}

export type EntryKind = 'file' | 'directory' | 'link' | 'other';

export interface Entry {
  /** Relative to the watched folder. */
  readonly path: WatchedPath;
  readonly kind: EntryKind;
  readonly stat: FileStat;
}

export interface Listing {
  readonly self: Entry;
  /** In byte order of their paths. */
  readonly entries: readonly Entry[];
  /** Directories that could not be read, and where a bound was hit; the rest of the listing is good. */
  readonly problems: readonly {
    readonly path: WatchedPath;
    readonly code: string;
    readonly remedy: string;
  }[];
}

export interface OpenFile extends ByteSource {
  /** Taken from the open descriptor. */
  readonly stat: FileStat;
  /** The descriptor's present stat. */
  statNow(): Promise<FileStat>;
  close(): Promise<void>;
}

export interface ClaimInfo {
  readonly claim: string;
  readonly sizeBytes: number;
  readonly claimedAtMs: number;
  readonly stat: FileStat;
  /** No name but claims of ours leads to these bytes: with the last of them they are gone. */
  readonly isLastLink: boolean;
}

export interface KeptClaims {
  readonly directory: string;
  readonly files: number;
}

export interface DroppedClaims extends KeptClaims {
  readonly because: string;
}

/** Inode, size and times as one comparable word: a cheap hint that nothing changed. Device numbers may change at a reboot. */
export function fingerprintOf(stat: FileStat): string {
  return `${stat.ino}:${stat.sizeBytes}:${stat.mtimeNs}:${stat.ctimeNs}`;
}

/** File times move in ticks: of some milliseconds on Linux's own file systems, of up to two seconds on others. */
export const tickMaxMs = 2000;

/**
 * A file that was opened so soon after it was written that another write, to the same size, may leave every time as it
 * is. An empty file cannot be written without a sign, nor one whose times were set to another day.
 */
export function isRacy({ sizeBytes, mtimeNs, ctimeNs }: FileStat, openedAtMs: number): boolean {
  const isNear = (timeNs: bigint) => Math.abs(openedAtMs - Number(timeNs / 1_000_000n)) < tickMaxMs;
  return sizeBytes > 0 && isNear(mtimeNs) && isNear(ctimeNs);
}

const doubt = ':racy';

/** Equal to no fingerprint that a look takes: whoever asks whether the bytes are those that were sent must read them. */
export function inDoubt(fingerprint: string): string {
  return withoutDoubt(fingerprint) + doubt;
}

export function withoutDoubt(fingerprint: string): string {
  return isInDoubt(fingerprint) ? fingerprint.slice(0, -doubt.length) : fingerprint;
}

export function isInDoubt(fingerprint: string): boolean {
  return fingerprint.endsWith(doubt);
}

/** The same file after a link of ours was let go, which moves its ctime; a doubt stays. */
export function fingerprintAfter(before: string, stat: FileStat): string {
  const fingerprint = fingerprintOf(stat);
  return isInDoubt(before) ? inDoubt(fingerprint) : fingerprint;
}

/** The same bytes, as far as a stat can tell, whatever links were made or let go meanwhile: those move ctime alone. */
export function isKnownAs(fingerprint: string, stat: FileStat): boolean {
  return fingerprint.startsWith(`${stat.ino}:${stat.sizeBytes}:${stat.mtimeNs}:`);
}

/** What a directory is, so that one made again under the same name is another. */
export function directoryIdentity(stat: FileStat): string {
  return `${stat.ino}:${stat.birthtimeNs}`;
}

/** When bytes or inode last changed, in wall-clock milliseconds. */
export function changedMsOf({ mtimeNs, ctimeNs }: FileStat): number {
  return Math.max(Number(mtimeNs / 1_000_000n), Number(ctimeNs / 1_000_000n));
}
