import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { formatCrc32 } from '../domain/crc32-combine.ts';
import { type PartLayout, partBytes } from '../domain/part-layout.ts';
import type { ByteSource } from '../ports/object-store.ts';

/** What an object's bytes come to: the ETag that S3 gives them without KMS, and the CRC-32 as S3 writes it. */
export interface Digests {
  readonly etag: string;
  readonly crc32: string;
}

/** Bytes read at a time: small against a part, so that reading adds little to what the parts hold in memory. */
export const chunkSizeBytes = 1024 * 1024;

/**
 * The digests of an object while its bytes flow past, in order.
 * ETag: MD5 of the bytes; of an object in parts, MD5 of the parts' MD5s, `-`, and how many parts.
 */
export class ObjectDigest {
  readonly #layout: PartLayout | undefined;
  readonly #partDigests: Buffer[] = [];
  #hash: Hash = createHash('md5');
  #room: number;
  #crc = 0;

  /** `layout`: how the object was cut, when it was sent in parts. */
  constructor(layout?: PartLayout) {
    this.#layout = layout;
    this.#room = this.#nextPartBytes();
  }

  update(chunk: Buffer): void {
    this.#crc = crc32(chunk, this.#crc);
    let rest = chunk;
    while (rest.length > this.#room) {
      this.#hash.update(rest.subarray(0, this.#room));
      rest = rest.subarray(this.#room);
      this.#endPart();
    }
    this.#hash.update(rest);
    this.#room -= rest.length;
  }

  finish(): Digests {
    return { etag: this.#finishEtag(), crc32: formatCrc32(this.#crc) };
  }

  #finishEtag(): string {
    if (this.#layout === undefined) return this.#hash.digest('hex');
    this.#endPart();
    return etagOfParts(this.#partDigests);
  }

  #endPart(): void {
    this.#partDigests.push(this.#hash.digest());
    this.#hash = createHash('md5');
    this.#room = this.#nextPartBytes();
  }

  #nextPartBytes(): number {
    const { length } = this.#partDigests;
    return this.#layout === undefined ? Number.POSITIVE_INFINITY : partBytes(this.#layout, length + 1);
  }
}

/** What S3 makes of the MD5s of the parts. */
export function etagOfParts(digests: readonly Buffer[]): string {
  return `${createHash('md5').update(Buffer.concat(digests)).digest('hex')}-${digests.length}`;
}

/** The whole of `source` in order, in bounded chunks. */
export async function* readChunks(source: ByteSource): AsyncGenerator<Buffer> {
  for (let position = 0; position < source.sizeBytes; position += chunkSizeBytes) {
    yield await source.read(position, Math.min(chunkSizeBytes, source.sizeBytes - position));
  }
}

export async function digestSource(
  source: ByteSource,
  signal: AbortSignal,
  layout?: PartLayout,
): Promise<Digests> {
  const digest = new ObjectDigest(layout);
  for await (const chunk of readChunks(source)) {
    signal.throwIfAborted();
    digest.update(chunk);
  }
  return digest.finish();
}
