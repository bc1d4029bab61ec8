import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
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
  readonly #partSizeBytes: number | undefined;
  readonly #partDigests: Buffer[] = [];
  #hash: Hash = createHash('md5');
  #partBytes = 0;
  #crc = 0;

  constructor(partSizeBytes?: number) {
    this.#partSizeBytes = partSizeBytes;
  }

  update(chunk: Buffer): void {
    this.#crc = crc32(chunk, this.#crc);
    let rest = chunk;
    while (this.#partSizeBytes !== undefined && this.#partBytes + rest.length > this.#partSizeBytes) {
      const room = this.#partSizeBytes - this.#partBytes;
      this.#hash.update(rest.subarray(0, room));
      this.#endPart();
      rest = rest.subarray(room);
    }
    this.#hash.update(rest);
    this.#partBytes += rest.length;
  }

  finish(): Digests {
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(this.#crc);
    return { etag: this.#finishEtag(), crc32: crc.toString('base64') };
  }

  #finishEtag(): string {
    if (this.#partSizeBytes === undefined) return this.#hash.digest('hex');
    this.#endPart();
    const whole = createHash('md5').update(Buffer.concat(this.#partDigests)).digest('hex');
    return `${whole}-${this.#partDigests.length}`;
  }

  #endPart(): void {
    this.#partDigests.push(this.#hash.digest());
    this.#hash = createHash('md5');
    this.#partBytes = 0;
  }
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
  partSizeBytes?: number,
): Promise<Digests> {
  const digest = new ObjectDigest(partSizeBytes);
  for await (const chunk of readChunks(source)) {
    signal.throwIfAborted();
    digest.update(chunk);
  }
  return digest.finish();
}
