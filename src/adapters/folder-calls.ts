import {
  type BigIntStats,
  close as closeCallback,
  closeSync,
  type Dir,
  fstat as fstatCallback,
  fstatSync,
  link as linkCallback,
  linkSync,
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
 * The few system calls of a scan, and of opening what it found, in two ways. On a local file system a blocking call costs 3 us where a
 * threaded one costs 10, and never waits long; on a network file system it may wait for ever, so there
 * the waiting is done on libuv's threads.
 */
export interface FolderCalls {
  open(path: string | Buffer, flags: number): Awaitable<number>;
  stat(fd: number): Awaitable<BigIntStats>;
  close(fd: number): Awaitable<void>;
  link(from: string | Buffer, to: string): Awaitable<void>;
  openDirectory(base: string): Awaitable<Dir>;
  /** Up to `count` names of a directory, one character per byte; fewer only at its end. */
  readNames(directory: Dir, count: number): Awaitable<string[]>;
  /** For each path its stat, or the system's code where there is none. */
  lstatAll(paths: readonly (string | Buffer)[]): Awaitable<(BigIntStats | string)[]>;
}

/** Names as bytes without a Buffer each: latin1 gives one character per byte, in byte order when compared. */
const asBytes = { encoding: 'latin1', bufferSize: 256 } as const;
const openThreaded = promisify(openCallback);
const fstatThreaded = promisify(fstatCallback);
const closeThreaded = promisify(closeCallback);
const linkThreaded = promisify(linkCallback);

export const blockingCalls: FolderCalls = {
  open: (path, flags) => openSync(path, flags),
  stat: (fd) => fstatSync(fd, { bigint: true }),
  close: (fd) => closeSync(fd),
  link: (from, to) => linkSync(from, to),
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
  stat: (fd) => fstatThreaded(fd, { bigint: true }),
  close: (fd) => closeThreaded(fd),
  link: (from, to) => linkThreaded(from, to),
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
