import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip, createZstdCompress } from 'node:zlib';
import type { Encoding } from '../domain/compression.ts';
import type { PartLayout } from '../domain/part-layout.ts';
import type { ByteSource } from '../ports/object-store.ts';
import { type Digests, ObjectDigest, readChunks } from './object-digest.ts';

const chunkBytes = 64 * 1024;

export interface PackedSource extends ByteSource {
  readonly encoding: Encoding;
}

export function isPacked(source: ByteSource): source is PackedSource {
  return source.encoding !== undefined;
}

/**
 * The packed bytes of a source, the same each time that it holds the same: nothing of time or name is put in, and it is
 * read in pieces of one size. Throws what the source threw. Nothing is being read any more when it has ended.
 */
export async function* packedChunks(
  source: PackedSource,
  signal: AbortSignal,
  onRead?: (readBytes: number) => void,
): AsyncGenerator<Buffer> {
  const packer = createPacker(source.encoding);
  const feeding = pipeline(Readable.from(counted(source, onRead)), packer, { signal });
  // Awaited below; without this, what it rejects with while nobody waits would end the process.
  const fed = feeding.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  try {
    for await (const chunk of packer) yield chunk;
  } finally {
    packer.destroy();
    await fed;
  }
  const failed = await fed;
  if (failed !== undefined) throw failed.error;
}

async function* counted(source: ByteSource, onRead?: (readBytes: number) => void): AsyncGenerator<Buffer> {
  let readBytes = 0;
  for await (const chunk of readChunks(source)) {
    yield chunk;
    readBytes += chunk.length;
    onRead?.(readBytes);
  }
}

function createPacker(encoding: Encoding): Transform {
  if (encoding === 'gzip') return createGzip({ level: 6, chunkSize: chunkBytes });
  const params = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 };
  return createZstdCompress({ params, chunkSize: chunkBytes });
}

/** What the object comes to that holds the packed source. */
export async function digestPacked(
  source: PackedSource,
  signal: AbortSignal,
  layout?: PartLayout,
): Promise<Digests & { sizeBytes: number }> {
  const digest = new ObjectDigest(layout);
  let sizeBytes = 0;
  for await (const chunk of packedChunks(source, signal)) {
    digest.update(chunk);
    sizeBytes += chunk.length;
  }
  return { ...digest.finish(), sizeBytes };
}
