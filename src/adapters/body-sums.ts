import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { formatCrc32 } from '../domain/crc32-combine.ts';

/** What a body comes to, as far as it was asked for. */
export interface BodySums {
  /** As S3 writes it. */
  readonly crc32: string;
  readonly md5?: Buffer | undefined;
  readonly sha256?: Buffer | undefined;
}

export interface WantedSums {
  /** For Content-MD5, and to compute an ETag. */
  readonly md5: boolean;
  /** For signatures over http. */
  readonly sha256: boolean;
}

/** The sums of a body while its bytes flow past, in order. MD5 and SHA-256 cost, so they are made only where needed. */
export class SumBuilder {
  readonly #md5;
  readonly #sha256;
  #crc = 0;

  constructor(wanted: WantedSums) {
    this.#md5 = wanted.md5 ? createHash('md5') : undefined;
    this.#sha256 = wanted.sha256 ? createHash('sha256') : undefined;
  }

  update(chunk: Buffer): void {
    this.#crc = crc32(chunk, this.#crc);
    this.#md5?.update(chunk);
    this.#sha256?.update(chunk);
  }

  finish(): BodySums {
    return { crc32: formatCrc32(this.#crc), md5: this.#md5?.digest(), sha256: this.#sha256?.digest() };
  }
}
