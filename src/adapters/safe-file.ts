import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { FileFailure } from '../domain/failure.ts';
import { quotePath, type WatchedPath } from '../domain/watched-path.ts';
import type { FileStat, OpenFile } from '../ports/file-source.ts';
import { fileFailure } from './errno.ts';
import { toFileStat } from './folder-handle.ts';

/**
 * An open regular file. It is unchanged while inode, size, mtime and ctime are those of the moment it was opened, with
 * one exception: ctime may move together with the link count. Deleting the file and making or releasing a claim do
 * that, and what is being read must survive its owner's clean-up.
 */
export class SafeFile implements OpenFile {
  readonly stat: FileStat;
  readonly sizeBytes: number;
  readonly #handle: FileHandle;
  readonly #links: bigint;
  readonly #path: WatchedPath;

  constructor(handle: FileHandle, opened: BigIntStats, path: WatchedPath) {
    this.#handle = handle;
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
    try {
      return (await this.#handle.read(buffer, offset, buffer.length - offset, position)).bytesRead;
    } catch (error) {
      throw fileFailure(error, attempted, this.#path);
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
    try {
      return await this.#handle.stat({ bigint: true });
    } catch (error) {
      throw fileFailure(error, `looking at file ${quotePath(this.#path)}`, this.#path);
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

function changing(code: string, attempted: string): FileFailure {
  return new FileFailure('changing', code, attempted, 'none needed: it is read again once it stops changing');
}
