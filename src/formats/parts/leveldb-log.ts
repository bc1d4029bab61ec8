import { crc32 } from 'node:zlib';

/**
 * A growing log of records as wandb writes it (wandb/sdk/internal/datastore.py): 7 bytes of its own, then blocks of 32 KiB
 * as in LevelDB's log format: `u32le crc | u16le length | u8 type | data`, type 1 a whole record, 2, 3, 4 its first, middle
 * and last piece; less than 7 bytes before a block's end are padding. The crc is zlib's, over type and data.
 *
 * A short tail waits. Damage ends the reading: after it nothing says where a record begins that could be trusted.
 */

export const blockBytes = 32 * 1024;
const magic = Buffer.from([0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 0x00]);
const pieceHeaderBytes = 7;
const recordBytesMax = 4 * 1024 * 1024;

const whole = 1;
const first = 2;
const middle = 3;
const last = 4;

export class LevelDbLog {
  readonly #onRecord: (record: Buffer) => void;
  /** From the next piece on, at most one piece. */
  #rest = Buffer.alloc(0);
  /** Of `#rest` in the file. */
  #offset = 0;
  #pieces: Buffer[] = [];
  #piecesBytes = 0;
  #tooLarge = 0;
  #damage: string | undefined;

  /** Records are views, valid during the call. */
  constructor(onRecord: (record: Buffer) => void) {
    this.#onRecord = onRecord;
  }

  get damage(): string | undefined {
    return this.#damage;
  }

  /** Records that were passed over for their size. */
  get tooLarge(): number {
    return this.#tooLarge;
  }

  push(bytes: Buffer): void {
    if (this.#damage !== undefined) return;
    const all = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes;
    let at = 0;
    for (let length = this.#next(all, at); length > 0; length = this.#next(all, at)) {
      at += length;
      this.#offset += length;
    }
    // A copy: the bytes that were handed over are used again.
    this.#rest = this.#damage === undefined ? Buffer.from(all.subarray(at)) : Buffer.alloc(0);
  }

  /** How many bytes were used up; 0: more are needed, or the rest cannot be read. */
  #next(all: Buffer, at: number): number {
    if (this.#offset === 0) return this.#takeMagic(all);
    const inBlock = blockBytes - (this.#offset % blockBytes);
    const there = all.length - at;
    if (inBlock < pieceHeaderBytes) return there >= inBlock ? inBlock : 0;
    if (there < pieceHeaderBytes) return 0;
    const length = all.readUInt16LE(at + 4);
    const type = all.readUInt8(at + 6);
    if (pieceHeaderBytes + length > inBlock) return this.#damaged('a piece that is longer than its block');
    // Space that was reserved and never written.
    if (type === 0 && length === 0) return there >= inBlock ? inBlock : 0;
    if (there < pieceHeaderBytes + length) return 0;
    const checked = all.subarray(at + 6, at + pieceHeaderBytes + length);
    if (crc32(checked) !== all.readUInt32LE(at)) return this.#damaged('a piece whose checksum is wrong');
    if (!this.#takePiece(type, checked.subarray(1))) return this.#damaged(`a piece of type ${type}`);
    return pieceHeaderBytes + length;
  }

  #takeMagic(all: Buffer): number {
    const there = Math.min(all.length, magic.length);
    if (!all.subarray(0, there).equals(magic.subarray(0, there))) return this.#damaged('no log of wandb');
    return there === magic.length ? there : 0;
  }

  #takePiece(type: number, data: Buffer): boolean {
    const isOpen = this.#piecesBytes > 0;
    if (isOpen !== (type === middle || type === last)) return false;
    if (type === whole) this.#onRecord(data);
    else if (type === first || type === middle || type === last) this.#gather(type, data);
    else return false;
    return true;
  }

  #gather(type: number, data: Buffer): void {
    // One more than the data, so that an empty first piece opens a record, too.
    this.#piecesBytes += data.length + 1;
    if (this.#piecesBytes <= recordBytesMax) this.#pieces.push(Buffer.from(data));
    else this.#pieces = [];
    if (type !== last) return;
    if (this.#piecesBytes <= recordBytesMax) this.#onRecord(Buffer.concat(this.#pieces));
    else this.#tooLarge += 1;
    this.#pieces = [];
    this.#piecesBytes = 0;
  }

  #damaged(found: string): 0 {
    this.#damage = `${found} at byte ${this.#offset}, not read on from there`;
    this.#pieces = [];
    return 0;
  }
}

export function isWandbLog(bytes: Buffer): boolean {
  return bytes.length >= magic.length && bytes.subarray(0, magic.length).equals(magic);
}
