import { type BigIntStats, read as readCallback } from 'node:fs';
import { promisify } from 'node:util';
import { FileFailure } from '../domain/failure.ts';
import { quotePath, type WatchedPath } from '../domain/watched-path.ts';
import type { FileStat, OpenFile } from '../ports/file-source.ts';
import { fileFailure } from './errno.ts';
import type { FolderCalls } from './folder-calls.ts';
import { toFileStat } from './folder-handle.ts';

/** Bytes may have to come from a disk: never waited for in the event loop. */
const readThreaded = promisify(readCallback);

/**
 * An open regular file. It is unchanged while inode, size, mtime and ctime are those of the moment it was opened, with
 * one exception: ctime may move together with the link count. Deleting the file and making or releasing a claim do
 * that, and what is being read must survive its owner's clean-up.
 */
export class SafeFile implements OpenFile {
  readonly stat: FileStat;
  readonly sizeBytes: number;
  readonly #fd: number;
  readonly #calls: FolderCalls;
  readonly #links: bigint;
  readonly #path: WatchedPath;
  /** A descriptor that is closed under a read may be another file's by the time it is read. */
  readonly #reads = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(fd: number, calls: FolderCalls, opened: BigIntStats, path: WatchedPath) {
    this.#fd = fd;
    this.#calls = calls;
    this.stat = toFileStat(opened);
    this.#links = opened.nlink;
    this.sizeBytes = this.stat.sizeBytes;
    this.#path = path;
  }

  async read(position: number, length: number, into?: Buffer): Promise<Buffer> {
    const attempted = `reading ${length} bytes at ${position} of file ${quotePath(this.#path)}`;
    const buffer = into?.subarray(0, length) ?? Buffer.allocUnsafe(length);
    for (let have = 0; have < length; ) {
      const bytesRead = await this.#readInto(buffer, have, position + have, attempted);
      if (bytesRead === 0) throw changing('EOF', `${attempted}: it ends at ${position + have}`);
      have += bytesRead;
    }
    return buffer;
  }

  async #readInto(buffer: Buffer, offset: number, position: number, attempted: string): Promise<number> {
    if (this.#closing) throw new Error(`${attempted}: it was closed before`);
    const read = readThreaded(this.#fd, buffer, offset, buffer.length - offset, position);
    this.#reads.add(read);
    try {
      return (await read).bytesRead;
    } catch (error) {
      throw fileFailure(error, attempted, this.#path);
    } finally {
      this.#reads.delete(read);
    }
  }

  async statNow(): Promise<FileStat> {
    return toFileStat(await this.#look());
  }

  async assertUnchanged(): Promise<void> {
    const { stat } = this;
    const now = await this.#look();
    const sameBytes =
      now.ino === stat.ino && Number(now.size) === stat.sizeBytes && now.mtimeNs === stat.mtimeNs;
    if (sameBytes && (now.ctimeNs === stat.ctimeNs || now.nlink !== this.#links)) return;
    const found = `it had ${stat.sizeBytes} bytes when it was opened and has ${now.size} now, or was written meanwhile`;
    throw changing('CHANGED', `reading file ${quotePath(this.#path)}: ${found}`);
  }

  async #look(): Promise<BigIntStats> {
    if (this.#closing) throw new Error(`looking at file ${quotePath(this.#path)}: it was closed before`);
    try {
      return await this.#calls.stat(this.#fd);
    } catch (error) {
      throw fileFailure(error, `looking at file ${quotePath(this.#path)}`, this.#path);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#reads);
    await this.#calls.close(this.#fd);
  }
}

function changing(code: string, attempted: string): FileFailure {
  return new FileFailure('changing', code, attempted, 'none needed: it is read again once it stops changing');
}
