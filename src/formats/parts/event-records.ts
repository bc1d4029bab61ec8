import { crc32c } from './crc32c.ts';

/**
 * The records of an event file, as TFRecord frames them (tensorflow/core/lib/io/record_writer.h):
 * `u64le length | u32le masked crc32c(length) | data | u32le masked crc32c(data)`, mask `rotr(crc, 15) + 0xa282ead8`.
 */
export const recordBytesMax = 1024 * 1024;
const headerBytes = 12;
const footerBytes = 4;

/** Cut anywhere; records of more than `recordBytesMax` (graphs, pictures) are passed by without being kept. */
export class EventRecords {
  readonly #onRecord: (data: Buffer) => void;
  /** Bytes of a record that is not whole yet, as they came. */
  #chunks: Buffer[] = [];
  #chunkBytes = 0;
  #neededBytes = headerBytes;
  /** Of the byte that comes next out of `#chunks`. */
  #offset = 0;
  #toSkip = 0;
  #damage: string | undefined;
  #skipped = 0;

  constructor(onRecord: (data: Buffer) => void) {
    this.#onRecord = onRecord;
  }

  /** What stopped the reading, with its place. After it nothing is read any more. */
  get damage(): string | undefined {
    return this.#damage;
  }

  get skippedCount(): number {
    return this.#skipped;
  }

  push(bytes: Buffer): void {
    if (this.#damage !== undefined) return;
    const skipped = Math.min(this.#toSkip, bytes.length);
    this.#toSkip -= skipped;
    this.#offset += skipped;
    const rest = bytes.subarray(skipped);
    if (rest.length === 0) return;
    this.#chunks.push(rest);
    this.#chunkBytes += rest.length;
    if (this.#chunkBytes < this.#neededBytes) {
      // Copied: a view would keep the whole chunk that it lies in alive.
      this.#chunks[this.#chunks.length - 1] = Buffer.from(rest);
      return;
    }
    const all = this.#chunks.length === 1 ? rest : Buffer.concat(this.#chunks);
    this.#keep(Buffer.from(all.subarray(this.#takeRecords(all))));
  }

  #keep(bytes: Buffer): void {
    const isOver = this.#damage !== undefined || bytes.length === 0;
    this.#chunks = isOver ? [] : [bytes];
    this.#chunkBytes = isOver ? 0 : bytes.length;
  }

  #takeRecords(all: Buffer): number {
    let at = 0;
    this.#neededBytes = headerBytes;
    while (this.#damage === undefined && all.length - at >= headerBytes) {
      const lengthBytes = all.subarray(at, at + 8);
      if (unmask(all.readUInt32LE(at + 8)) !== crc32c(lengthBytes)) {
        this.#damage = `no record at byte ${this.#offset}: the checksum of its length is wrong`;
        return at;
      }
      const length = lengthBytes.readBigUInt64LE();
      if (length > BigInt(Number.MAX_SAFE_INTEGER - footerBytes)) {
        this.#damage = `a record of ${length} bytes at byte ${this.#offset}`;
        return at;
      }
      const whole = headerBytes + Number(length) + footerBytes;
      if (length > BigInt(recordBytesMax)) {
        this.#skipped += 1;
        const here = Math.min(whole, all.length - at);
        this.#toSkip = whole - here;
        at += here;
        this.#offset += here;
        continue;
      }
      if (all.length - at < whole) {
        this.#neededBytes = whole;
        return at;
      }
      this.#take(
        all.subarray(at + headerBytes, at + whole - footerBytes),
        all.readUInt32LE(at + whole - footerBytes),
      );
      at += whole;
      this.#offset += whole;
    }
    return at;
  }

  #take(data: Buffer, masked: number): void {
    if (unmask(masked) === crc32c(data)) this.#onRecord(data);
    else this.#damage = `the record at byte ${this.#offset} is damaged: its checksum is wrong`;
  }
}

/** Do these bytes begin as an event file does, as far as they go? */
export function beginsWithRecord(bytes: Buffer): boolean {
  return bytes.length >= headerBytes && unmask(bytes.readUInt32LE(8)) === crc32c(bytes.subarray(0, 8));
}

function unmask(masked: number): number {
  const rotated = (masked - 0xa282ead8) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}
