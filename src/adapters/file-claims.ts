import { closeSync, constants, fstatSync, openSync, unlinkSync } from 'node:fs';
import { lstat, readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { FileFailure } from '../domain/failure.ts';
import { baseName, parentPath, type WatchedPath } from '../domain/watched-path.ts';
import type { ClaimInfo, DroppedClaims, FileStat, KeptClaims, OpenFile } from '../ports/file-source.ts';
import { linkRegular } from './claim-link.ts';
import { claimRemedy } from './claim-remedy.ts';
import { errnoOf, meansVanished } from './errno.ts';
import type { FolderCalls } from './folder-calls.ts';
import { childOf, placeFlags, toFileStat, withDirectory } from './folder-handle.ts';
import { dropKept, keepClaims } from './kept-claims.ts';
import { makeOwnDirectory } from './make-directory.ts';
import { openOwn } from './safe-open.ts';
import { giveDirectoryToOwner } from './state-owner.ts';

/** For a person; said once for each cause. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

export interface ClaimFloor {
  readonly freeBytesMin: number;
  /** Of the file system's size; the larger of the two counts. */
  readonly freeShareMin: number;
}

export function claimsDirectory(stateDirectory: string): string {
  return join(stateDirectory, 'claims');
}

export const claimFloor: ClaimFloor = { freeBytesMin: 1024 ** 3, freeShareMin: 0.05 };

/**
 * Hard links to queued files in a directory of ours, so that a trainer that cleans up takes no bytes away.
 * They survive unlink and rename, not truncation. Each is tried and may be refused, which is normal:
 * EXDEV across file systems, EPERM under fs.protected_hardlinks for files of another user, EMLINK.
 */
export class FileClaims {
  readonly #folder: string;
  readonly #calls: () => FolderCalls;
  readonly #directory: string;
  readonly #floor: ClaimFloor;
  readonly #onImpossible: (problem: Problem) => void;
  readonly #told = new Set<string>();

  constructor(options: {
    folder: string;
    /** How the folder is to be walked; the directory of claims is on a local disk. */
    calls: () => FolderCalls;
    directory: string;
    floor: ClaimFloor;
    onImpossible: (problem: Problem) => void;
  }) {
    this.#folder = options.folder;
    this.#calls = options.calls;
    this.#directory = options.directory;
    this.#floor = options.floor;
    this.#onImpossible = options.onImpossible;
  }

  /** The file's stat with the link made; undefined where there can be none. */
  async claim(path: WatchedPath, claim: string): Promise<FileStat | undefined> {
    const own = this.#pathOf(claim);
    try {
      if (makeOwnDirectory(this.#directory)) giveDirectoryToOwner(this.#directory);
      const calls = this.#calls();
      return await withDirectory(this.#folder, parentPath(path), calls, ({ at }) =>
        linkRegular(childOf(at, baseName(path)), own, calls),
      );
    } catch (error) {
      const code = errnoOf(error);
      // Too many links, or a link in the way: of this one file.
      if (code === 'EMLINK' || code === 'ELOOP') return undefined;
      this.#tellOnce(
        code,
        `keeping queued files alive by hard links in ${JSON.stringify(this.#directory)} is not possible: ${code}; a file that its owner deletes before it was shipped is lost`,
      );
      return undefined;
    }
  }

  /** Undefined when there is no such claim. Throws FileFailure. */
  async open(claim: string, path: WatchedPath): Promise<OpenFile | undefined> {
    try {
      return await openOwn(this.#pathOf(claim), path);
    } catch (error) {
      if (error instanceof FileFailure && error.reason === 'vanished') return undefined;
      throw error;
    }
  }

  /**
   * The stat right after the link is gone, which moved ctime; taken from a descriptor, so it is of that very file.
   * A link that cannot be taken away, on a disk that is read-only for one, costs space and nothing else: it stays until
   * the next start, and that is said once.
   */
  async release(claim: string): Promise<FileStat | undefined> {
    const own = this.#pathOf(claim);
    try {
      const place = openSync(own, placeFlags | constants.O_NOFOLLOW);
      try {
        unlinkSync(own);
        return toFileStat(fstatSync(place, { bigint: true }));
      } finally {
        closeSync(place);
      }
    } catch (error) {
      const code = errnoOf(error);
      if (code === 'UNKNOWN') throw error;
      this.#tellOnce(code, `letting go of hard links in ${JSON.stringify(this.#directory)} failed: ${code}`);
      return undefined;
    }
  }

  async list(): Promise<readonly ClaimInfo[]> {
    return (await this.#linksByAge()).map(({ diskBytes: _, ...info }) => info);
  }

  async keepAside(claims: readonly string[], nowMs: number): Promise<KeptClaims | undefined> {
    const onLeft = (error: unknown) => this.#tellUntidy(error);
    return this.#tidied(() => keepClaims(this.#directory, 'unknown', claims, nowMs, onLeft), undefined);
  }

  async dropKept(nowMs: number, runningMs: number): Promise<readonly DroppedClaims[]> {
    const missingBytes = await this.#missingBytes();
    return this.#tidied(() => dropKept(this.#directory, { nowMs, runningMs, missingBytes }), []);
  }

  /** What cannot be tidied up on a disk that is full or read-only costs space only, and is tried again at the next turn. */
  #tidied<T>(work: () => T, otherwise: T): T {
    try {
      return work();
    } catch (error) {
      this.#tellUntidy(error);
      return otherwise;
    }
  }

  #tellUntidy(error: unknown): void {
    const code = errnoOf(error);
    if (code === 'UNKNOWN') throw error;
    this.#tellOnce(code, `tidying up beside ${JSON.stringify(this.#directory)} failed: ${code}`);
  }

  /**
   * Lets go of claims, oldest first, while the state's file system has less free than the floor. Only those that are
   * the last link to their bytes: the others cost nothing. Two to the same bytes go together: one would set nothing free.
   * Returns the names, for a person to be told of each.
   */
  async releaseBelowFloor(): Promise<readonly string[]> {
    const released: string[] = [];
    let missingBytes = await this.#missingBytes();
    if (missingBytes <= 0) return released;
    const lastLinks = (await this.#linksByAge()).filter(({ isLastLink }) => isLastLink);
    for (const links of Map.groupBy(lastLinks, ({ stat }) => stat.ino).values()) {
      for (const { claim } of links) {
        await this.release(claim);
        released.push(claim);
      }
      missingBytes -= links[0]?.diskBytes ?? 0;
      if (missingBytes <= 0) break;
    }
    return released;
  }

  async #missingBytes(): Promise<number> {
    try {
      const { bavail, blocks, bsize } = await statfs(this.#directory);
      return Math.max(this.#floor.freeBytesMin, blocks * bsize * this.#floor.freeShareMin) - bavail * bsize;
    } catch {
      return 0; // reason: no directory, no claims
    }
  }

  async #linksByAge() {
    const found: (Omit<ClaimInfo, 'isLastLink'> & { readonly links: number; readonly diskBytes: number })[] =
      [];
    for (const claim of await this.#names()) {
      const link = await lstat(join(this.#directory, claim), { bigint: true }).catch(() => undefined); // reason: released meanwhile
      if (link?.isFile() !== true || claim.startsWith('.')) continue;
      const stat = toFileStat(link);
      found.push({
        claim,
        sizeBytes: stat.sizeBytes,
        // ctime moves when the link is made and when the owner deletes the file: since then it costs space.
        claimedAtMs: Number(link.ctimeMs),
        stat,
        links: Number(link.nlink),
        diskBytes: Number(link.blocks) * 512,
      });
    }
    const ours = Map.groupBy(found, ({ stat }) => stat.ino);
    const claims = found.map(({ links, ...claim }) => ({
      ...claim,
      isLastLink: links <= (ours.get(claim.stat.ino)?.length ?? 0),
    }));
    return claims.sort((a, b) => order(a.stat.ctimeNs, b.stat.ctimeNs) || (a.claim < b.claim ? -1 : 1));
  }

  async #names(): Promise<readonly string[]> {
    try {
      return await readdir(this.#directory);
    } catch (error) {
      const code = errnoOf(error);
      if (code === 'UNKNOWN') throw error;
      this.#tellOnce(code, `listing ${JSON.stringify(this.#directory)} failed: ${code}`);
      return [];
    }
  }

  #pathOf(claim: string): string {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(claim)) {
      throw new TypeError(`naming a claim: ${JSON.stringify(claim)} is not 1 to 200 of A-Z a-z 0-9 . _ -`);
    }
    return join(this.#directory, claim);
  }

  /** Not for the single file: the queue works without, only less safe, so it is said once for each cause. */
  #tellOnce(code: string, message: string): void {
    if (meansVanished(code) || this.#told.has(code)) return;
    this.#told.add(code);
    this.#onImpossible({ code, message, remedy: claimRemedy(code) });
  }
}

function order(a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b);
}
