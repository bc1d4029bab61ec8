import type { BigIntStats } from 'node:fs';
import {
  isIgnoredName,
  joinPath,
  pathFromBytes,
  pathToBytes,
  type WatchedPath,
} from '../domain/watched-path.ts';
import type { Entry, EntryKind } from '../ports/file-source.ts';
import { errnoOf, isLimit, meansVanished } from './errno.ts';
import type { FolderCalls } from './folder-calls.ts';
import { childOf, type DirectoryHandle, toFileStat } from './folder-handle.ts';

export interface Children {
  /** In no order. `key` has one character per byte of the name, so that comparing keys compares bytes. */
  readonly found: { readonly key: string; readonly entry: Entry }[];
  readonly problems: { readonly path: WatchedPath; readonly code: string }[];
}

export interface ChildrenRequest {
  readonly directory: DirectoryHandle;
  readonly path: WatchedPath;
  readonly calls: FolderCalls;
  readonly entriesMax: number;
  /** Absolute paths longer than this cannot be used by anyone; bytes left for the path relative to the folder. */
  readonly pathBytesMax: number;
  /** Called between slices of work; may wait, throws when the scan was cancelled. */
  readonly pause: () => Promise<void>;
}

const sliceNames = 64;
const asciiOnly = /^[\x20-\x7e]*$/;

/**
 * One directory: its names, and the lstat of each that is not ignored. Never throws for what it finds, but for the
 * system's limit of open files: then nothing is known.
 */
export async function readChildren(request: ChildrenRequest): Promise<Children> {
  const children: Children = { found: [], problems: [] };
  const directory = await openOrCode(request);
  if (typeof directory === 'string') {
    if (!meansVanished(directory)) children.problems.push({ path: request.path, code: directory });
    return children;
  }
  const reported = new Set<string>();
  try {
    for (let more = true; more; ) {
      const names = await request.calls.readNames(directory, sliceNames);
      more = names.length === sliceNames && children.found.length < request.entriesMax;
      const stats = await lookAt(names, request);
      for (const { key, path, stat } of stats) {
        if (typeof stat !== 'string') children.found.push({ key, entry: entryOf(path, stat) });
        else report(children, reported, stat, path, request.path);
      }
      await request.pause();
    }
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'UNKNOWN') throw error;
    if (!meansVanished(code)) children.problems.push({ path: request.path, code });
  } finally {
    directory.closeSync();
  }
  return children;
}

async function openOrCode({ calls, directory }: ChildrenRequest) {
  try {
    return await calls.openDirectory(directory.base);
  } catch (error) {
    const code = errnoOf(error);
    if (isLimit(code)) throw error;
    return code;
  }
}

async function lookAt(keys: readonly string[], request: ChildrenRequest) {
  const seen: { key: string; path: WatchedPath; stat: BigIntStats | string }[] = [];
  const asked: (string | Buffer)[] = [];
  for (const key of keys) {
    const name = asciiOnly.test(key) ? key : pathFromBytes(Buffer.from(key, 'latin1'));
    if (isIgnoredName(name)) continue;
    const path = joinPath(request.path, name);
    // Three bytes are the most that one UTF-16 unit becomes: exact counting only where it can matter.
    const tooLong = path.length * 3 > request.pathBytesMax && pathToBytes(path).length > request.pathBytesMax;
    seen.push({ key, path, stat: 'ENAMETOOLONG' });
    asked.push(tooLong ? '' : childOf(request.directory, name));
  }
  const stats = await request.calls.lstatAll(asked.filter((path) => path !== ''));
  let next = 0;
  return seen.map((child, index) =>
    asked[index] === '' ? child : { ...child, stat: stats[next++] ?? 'ENOENT' },
  );
}

/** Once for each directory and code: a directory that may be listed but not entered refuses every one of its names. */
function report(
  children: Children,
  reported: Set<string>,
  code: string,
  path: WatchedPath,
  parent: WatchedPath,
): void {
  if (meansVanished(code)) return;
  const ofDirectory = code === 'EACCES' || code === 'EPERM' || code === 'ENAMETOOLONG';
  const named = ofDirectory ? parent : path;
  if (reported.has(`${code} ${named}`)) return;
  reported.add(`${code} ${named}`);
  children.problems.push({ path: named, code });
}

function entryOf(path: WatchedPath, stat: BigIntStats): Entry {
  return { path, kind: kindOf(stat), stat: toFileStat(stat) };
}

export function kindOf(stat: BigIntStats): EntryKind {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  return stat.isSymbolicLink() ? 'link' : 'other';
}
