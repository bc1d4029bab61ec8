import { type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { Conflict } from '../domain/failure.ts';
import type { PutRequest, Receipt } from '../ports/object-store.ts';
import { withParent } from './directory-descent.ts';
import { type DirectoryLayout, splitKey, syncDirectory } from './directory-layout.ts';
import { withLock } from './directory-lock.ts';
import { type ObjectMeta, openObject } from './directory-object.ts';
import { errnoOf } from './errno.ts';
import { errorWithCode } from './folder-handle.ts';
import { type Digests, ObjectDigest, readChunks } from './object-digest.ts';
import { isPacked, packedChunks } from './packed-stream.ts';

/** The whole object below its temporary name, synced. */
interface Written extends Digests {
  readonly path: string;
  readonly inode: bigint;
  readonly sizeBytes: number;
  readonly mtimeNs: string;
}

/**
 * A write is: temporary file, sync, metadata under the new inode, and then the one step that shows it, a link where
 * nothing may be replaced and a rename where the old object may. Killed before that step, the old object still has
 * its old metadata; killed after it, the new one has the new.
 */
export class DirectoryWriter {
  readonly #layout: DirectoryLayout;

  constructor(layout: DirectoryLayout) {
    this.#layout = layout;
  }

  /** Throws Conflict, the system's error, or what the source threw. */
  async put(request: PutRequest, doing: string, signal: AbortSignal): Promise<Receipt> {
    const { key, condition } = request;
    const names = splitKey(key, doing);
    const temporary = await this.#layout.temporaryFile();
    let metaFile: string | undefined;
    try {
      const written = await writeObject(temporary, request, signal);
      metaFile = this.#layout.metaFile(key, written.inode);
      await this.#writeMeta(metaFile, metaOf(request, written));
      await withParent(this.#layout.root, names, true, async (path, parent) => {
        if ('absent' in condition) await this.#create(key, written, path, doing, signal);
        else await this.#replace(key, condition.etag, written, path, doing, signal);
        metaFile = undefined;
        await syncDirectory(parent);
      });
      return { etag: written.etag, sizeBytes: written.sizeBytes, crc32: written.crc32 };
    } finally {
      await rm(temporary, { force: true });
      if (metaFile !== undefined) await rm(metaFile, { force: true });
    }
  }

  async #create(
    key: string,
    written: Written,
    path: string,
    doing: string,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await link(written.path, path);
    } catch (error) {
      const code = errnoOf(error);
      if (code === 'EEXIST') throw new Conflict(key, 'another file is there');
      if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(code)) throw error;
      // No hard links on this file system, then for nobody who writes here: the lock keeps them apart.
      await this.#replace(key, undefined, written, path, doing, signal);
    }
  }

  /** `etag` undefined: only where nothing is. */
  async #replace(
    key: string,
    etag: string | undefined,
    written: Written,
    path: string,
    doing: string,
    signal: AbortSignal,
  ): Promise<void> {
    await withLock(this.#layout.lockFile(key), doing, signal, async () => {
      const found = await openObject(this.#layout, key, path);
      await found?.file.close();
      if (found?.object.etag !== etag) {
        const there = found === undefined ? 'nothing' : `ETag "${found.object.etag}"`;
        throw new Conflict(
          key,
          `expected ${etag === undefined ? 'nothing' : `ETag "${etag}"`}, found ${there}`,
        );
      }
      await rename(written.path, path);
      if (found !== undefined) await rm(this.#layout.metaFile(key, found.inode), { force: true });
    });
  }

  async #writeMeta(metaFile: string, meta: ObjectMeta): Promise<void> {
    const temporary = await this.#layout.temporaryFile();
    const file = await open(temporary, 'wx', 0o644);
    try {
      await file.writeFile(JSON.stringify(meta));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, metaFile);
    await syncDirectory(this.#layout.metaDirectory);
  }
}

async function writeObject(path: string, request: PutRequest, signal: AbortSignal): Promise<Written> {
  const { source, onProgress } = request;
  const file = await open(path, 'wx', 0o644);
  try {
    const digest = new ObjectDigest();
    let sizeBytes = 0;
    const chunks = isPacked(source) ? packedChunks(source, signal, onProgress) : readChunks(source);
    for await (const chunk of chunks) {
      signal.throwIfAborted();
      digest.update(chunk);
      await writeAll(file, chunk);
      sizeBytes += chunk.length;
      if (!isPacked(source)) onProgress?.(sizeBytes);
    }
    await source.assertUnchanged();
    await file.sync();
    signal.throwIfAborted();
    const stat = await file.stat({ bigint: true });
    if (Number(stat.size) !== sizeBytes) {
      throw errorWithCode('ShortWrite', `wrote ${sizeBytes} bytes, the file has ${stat.size}`);
    }
    return { ...digest.finish(), path, sizeBytes, inode: stat.ino, mtimeNs: String(stat.mtimeNs) };
  } finally {
    await file.close();
  }
}

/** write(2) may take less than it was given, and then says no more about it. */
async function writeAll(file: FileHandle, chunk: Buffer): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    done += (await file.write(chunk, done)).bytesWritten;
  }
}

function metaOf(
  { key, contentType, metadata }: PutRequest,
  { etag, mtimeNs, sizeBytes }: Written,
): ObjectMeta {
  return { key, sizeBytes, mtimeNs, etag, contentType, metadata: { ...metadata } };
}
