import {
  type BigIntStats,
  type Dir,
  lstatSync,
  open as openCallback,
  opendirSync,
  openSync,
  promises,
} from 'node:fs';
import { promisify } from 'node:util';
import { errnoOf } from './errno.ts';

type Awaitable<T> = T | Promise<T>;

/**
 * The few system calls of a scan, in two ways. On a local file system a blocking call costs 3 us where a
 * threaded one costs 10, and never waits long; on a network file system it may wait for ever, so there
 * the waiting is done on libuv's threads.
 */
export interface FolderCalls {
  open(path: string | Buffer, flags: number): Awaitable<number>;
  openDirectory(base: string): Awaitable<Dir>;
  /** Up to `count` names of a directory, one character per byte; fewer only at its end. */
  readNames(directory: Dir, count: number): Awaitable<string[]>;
  /** For each path its stat, or the system's code where there is none. */
  lstatAll(paths: readonly (string | Buffer)[]): Awaitable<(BigIntStats | string)[]>;
}

/** Names as bytes without a Buffer each: latin1 gives one character per byte, in byte order when compared. */
const asBytes = { encoding: 'latin1', bufferSize: 256 } as const;
const openThreaded = promisify(openCallback);

export const blockingCalls: FolderCalls = {
  open: (path, flags) => openSync(path, flags),
  openDirectory: (base) => opendirSync(base, asBytes),
  readNames(directory, count) {
    const names: string[] = [];
    while (names.length < count) {
      const found = directory.readSync();
      if (found === null) break;
      names.push(found.name);
    }
    return names;
  },
  lstatAll: (paths) => paths.map(lstatOrCode),
};

export const threadedCalls: FolderCalls = {
  open: (path, flags) => openThreaded(path, flags),
  openDirectory: (base) => promises.opendir(base, asBytes),
  async readNames(directory, count) {
    const names: string[] = [];
    while (names.length < count) {
      const found = await directory.read();
      if (found === null) break;
      names.push(found.name);
    }
    return names;
  },
  lstatAll: (paths) =>
    Promise.all(paths.map((path) => promises.lstat(path, { bigint: true }).catch(errnoOf))),
};

function lstatOrCode(path: string | Buffer): BigIntStats | string {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false }) ?? 'ENOENT';
  } catch (error) {
    return errnoOf(error);
  }
}
