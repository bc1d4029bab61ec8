import type { BigIntStats } from 'node:fs';
import { closeSync, fstat, lstatSync, unlinkSync } from 'node:fs';
import { opendir, statfs } from 'node:fs/promises';
import { promisify } from 'node:util';
import { FileFailure } from '../domain/failure.ts';
import { baseName, parentPath, pathFromBytes, quotePath, type WatchedPath } from '../domain/watched-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { FileSource, FileStat, FolderState } from '../ports/file-source.ts';
import { ChokidarHints, type HintsOptions, type WatchMode } from './chokidar-hints.ts';
import { errnoOf, fileFailure, isLimit, meansVanished, remedyFor } from './errno.ts';
import { type ClaimFloor, claimFloor, claimsDirectory, FileClaims, type Problem } from './file-claims.ts';
import { fileSystemKind } from './file-system-kind.ts';
import { blockingCalls, type FolderCalls, threadedCalls } from './folder-calls.ts';
import { childOf, openFolder, toFileStat, whereIs, withDirectory } from './folder-handle.ts';
import { type ScanBounds, scanBounds, scanFolder } from './folder-scan.ts';
import { openSafely } from './safe-open.ts';

export interface FolderSourceOptions {
  /** Absolute. May itself be a link, and need not be there yet. */
  readonly directory: string;
  /** Claims are kept in `claims` below it. */
  readonly stateDirectory: string;
  /** `auto`: inotify on local file systems, scans alone on network file systems. True: polling. False: inotify. */
  readonly polling: 'auto' | boolean;
  readonly clock: Clock;
  readonly onDegraded: (problem: Problem) => void;
  readonly onClaimsImpossible: (problem: Problem) => void;
  /** No descriptor is left, for now: what was to be opened is tried again. */
  readonly onLimit: (problem: Problem) => void;
  readonly bounds?: Partial<ScanBounds>;
  readonly claimFloor?: Partial<ClaimFloor>;
  /** How long the folder has to answer whether it is there. */
  readonly answerMs?: number;
  readonly watch?: NonNullable<HintsOptions['watch']>;
}

const fstatThreaded = promisify(fstat);
const answerMs = 5_000;
/** The system's word for a server that is gone, where it gives one. */
const silent = { state: { state: 'unreadable', code: 'ETIMEDOUT' } } as const;

export function createFolderSource(options: FolderSourceOptions): FileSource {
  const { directory, clock } = options;
  const bounds: ScanBounds = { ...scanBounds, ...options.bounds };
  let known: FolderState | undefined;
  let listener: (path: WatchedPath) => void = () => undefined;
  const hints = new ChokidarHints({
    onHint: (path) => listener(path),
    onDegraded: options.onDegraded,
    ...(options.watch === undefined ? {} : { watch: options.watch }),
  });
  /** On a network, or before anybody knows, nothing is waited for in the event loop. */
  const callsNow = (): FolderCalls =>
    known?.state === 'present' && !known.network ? blockingCalls : threadedCalls;
  const claims = new FileClaims({
    folder: directory,
    calls: callsNow,
    directory: claimsDirectory(options.stateDirectory),
    floor: { ...claimFloor, ...options.claimFloor },
    onImpossible: options.onClaimsImpossible,
  });
  const slice = { startMs: Number.NEGATIVE_INFINITY };
  const scanning = () => ({ directory, calls: callsNow(), clock, bounds, slice });
  let watched: string | undefined;
  let looking: ReturnType<typeof lookAtFolder> | undefined;
  const told = new Set<string>();

  function tellLimit(code: string): void {
    if (!isLimit(code) || told.has(code)) return;
    told.add(code);
    options.onLimit({
      code,
      message:
        'the limit of open files is reached: what cannot be opened now is tried again, nothing is given up',
      remedy: remedyFor(code, ''),
    });
  }

  async function tellingLimit<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (error instanceof FileFailure) tellLimit(error.code);
      throw error;
    }
  }

  /** A mount whose server is gone takes a thread until it is back: one look is under way, and no second one. */
  async function lookInTime(): ReturnType<typeof lookAtFolder> {
    looking ??= lookAtFolder(directory).finally(() => {
      looking = undefined;
    });
    const answered = new AbortController();
    const late = clock.sleep(options.answerMs ?? answerMs, answered.signal).then(() => silent);
    return await Promise.race([looking, late]).finally(() => answered.abort());
  }

  /** The watchers belong to one directory, wherever the path leads: another identity gets new ones. */
  async function follow(found: Found | undefined): Promise<void> {
    const wanted = found === undefined ? undefined : `${found.state.identity} ${found.realPath}`;
    if (wanted === watched) return;
    watched = wanted;
    if (found === undefined) return hints.detach();
    await hints.attach(found.realPath, watchMode(options.polling, found));
  }

  return {
    directory,
    async state() {
      const found = await lookInTime();
      const { state } = found;
      if (state.state === 'unreadable' && isLimit(state.code)) {
        tellLimit(state.code);
        // Nothing is known of the folder now, so it is what it was.
        if (known) return known;
      }
      known = state;
      await follow('realPath' in found ? found : undefined);
      return state;
    },
    list: (at, signal) => tellingLimit(scanFolder({ ...scanning(), at, recursive: false, signal })),
    scan: (at, signal) => tellingLimit(scanFolder({ ...scanning(), at, recursive: true, signal })),
    open: (path) => tellingLimit(openSafely(directory, path, callsNow())),
    claim: (path, claim) => claims.claim(path, claim),
    openClaim: (claim, path) => claims.open(claim, path),
    releaseClaim: (claim) => claims.release(claim),
    claims: () => claims.list(),
    keepAside: (names, nowMs) => claims.keepAside(names, nowMs),
    dropKeptAside: (nowMs, runningMs) => claims.dropKept(nowMs, runningMs),
    releaseClaimsBelowFloor: () => claims.releaseBelowFloor(),
    removeIfUnchanged: (path, expected) => removeIfUnchanged(directory, path, expected),
    watch: (roots) => hints.watch(roots),
    onHint: (heard) => {
      listener = heard;
    },
    async close() {
      listener = () => undefined;
      await hints.close();
    },
  };
}

interface Found {
  readonly state: Extract<FolderState, { state: 'present' }>;
  readonly realPath: string;
}

async function lookAtFolder(directory: string): Promise<Found | { readonly state: FolderState }> {
  try {
    const folder = await openFolder(directory, threadedCalls);
    try {
      // Opened, since access(2) asks for the rights of a user without capabilities, and the service has one to read all.
      await (await opendir(`${folder.base}/.`)).close();
      const { dev, ino, birthtimeNs } = await fstatThreaded(folder.fd, { bigint: true });
      const kind = fileSystemKind((await statfs(folder.base)).type);
      // Birth time too: a directory made right after its predecessor was removed often gets the same inode number.
      const identity = `${dev}:${ino}:${birthtimeNs}`;
      const realPath = pathFromBytes(whereIs(folder));
      return {
        state: { state: 'present', identity, fileSystem: kind.name, network: kind.network },
        realPath,
      };
    } finally {
      closeSync(folder.fd);
    }
  } catch (error) {
    const code = errnoOf(error);
    return { state: code === 'ENOENT' ? { state: 'missing' } : { state: 'unreadable', code } };
  }
}

function watchMode(polling: 'auto' | boolean, { state, realPath }: Found): WatchMode {
  if (!realPath.isWellFormed()) return 'off';
  if (polling === true) return 'polling';
  return polling === 'auto' && state.network ? 'off' : 'inotify';
}

/**
 * The parents are opened name by name, so no link can lead the deletion elsewhere. Linux cannot delete "this inode,
 * if it is still there" in one step: the look and the unlink are two calls with nothing between them.
 */
async function removeIfUnchanged(directory: string, path: WatchedPath, expected: FileStat) {
  try {
    return await withDirectory(directory, parentPath(path), threadedCalls, ({ at }) => {
      const file = childOf(at, baseName(path));
      const stat = lstatSync(file, { bigint: true });
      if (!stat.isFile() || !isExactly(stat, expected)) return 'changed';
      unlinkSync(file);
      return 'removed';
    });
  } catch (error) {
    if (meansVanished(errnoOf(error))) return 'gone';
    throw fileFailure(error, `deleting file ${quotePath(path)}`, path);
  }
}

function isExactly(stat: BigIntStats, expected: FileStat): boolean {
  const now = toFileStat(stat);
  return (
    now.dev === expected.dev &&
    now.ino === expected.ino &&
    now.sizeBytes === expected.sizeBytes &&
    now.mtimeNs === expected.mtimeNs &&
    now.ctimeNs === expected.ctimeNs
  );
}
