import type { BigIntStats } from 'node:fs';
import { constants } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { StoredObject } from '../ports/object-store.ts';
import type { DirectoryLayout } from './directory-layout.ts';
import { errnoOf, meansVanished } from './errno.ts';
import { errorWithCode } from './folder-handle.ts';
import { chunkSizeBytes, ObjectDigest } from './object-digest.ts';

/** What stands in `.trainlogd/meta`. Size and time hold it against the file: a person may have edited that. */
export const metaSchema = z.object({
  key: z.string(),
  sizeBytes: z.number(),
  mtimeNs: z.string(),
  etag: z.string(),
  contentType: z.string(),
  metadata: z.record(z.string(), z.string()),
});

export type ObjectMeta = z.infer<typeof metaSchema>;

export interface OpenObject {
  readonly file: FileHandle;
  readonly inode: bigint;
  readonly object: StoredObject;
}

/** The object at `path`, open; the caller closes. Undefined when nothing is there; throws when it is no regular file. */
export async function openObject(
  layout: DirectoryLayout,
  key: string,
  path: string,
): Promise<OpenObject | undefined> {
  const file = await openFile(path);
  if (file === undefined) return undefined;
  try {
    const stat = await file.stat({ bigint: true });
    if (!stat.isFile()) throw errorWithCode('NotAFile', 'not a regular file');
    const meta = await readMeta(layout.metaFile(key, stat.ino), stat);
    const sizeBytes = Number(stat.size);
    const etag = meta?.etag ?? (await digestFile(file, sizeBytes));
    const metadata = meta?.metadata ?? {};
    const object = { key, sizeBytes, etag, metadata, writtenAtMs: Number(stat.mtimeMs) };
    return { file, inode: stat.ino, object };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openFile(path: string): Promise<FileHandle | undefined> {
  try {
    // Without O_NONBLOCK a FIFO would hold us up for ever.
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function readMeta(metaFile: string, stat: BigIntStats): Promise<ObjectMeta | undefined> {
  try {
    const meta = metaSchema.parse(JSON.parse(await readFile(metaFile, 'utf8')));
    return meta.sizeBytes === Number(stat.size) && meta.mtimeNs === String(stat.mtimeNs) ? meta : undefined;
  } catch (error) {
    // A file that is not ours has none; one that cannot be parsed is as good as none.
    if (meansVanished(errnoOf(error)) || error instanceof SyntaxError || error instanceof z.ZodError)
      return undefined;
    throw error;
  }
}

/** The ETag of a file that we did not write, or that was edited since. */
async function digestFile(file: FileHandle, sizeBytes: number): Promise<string> {
  const digest = new ObjectDigest();
  const chunk = Buffer.allocUnsafe(Math.min(chunkSizeBytes, Math.max(1, sizeBytes)));
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) return digest.finish().etag;
    digest.update(chunk.subarray(0, bytesRead));
    position += bytesRead;
  }
}
