import { crc32 } from 'node:zlib';

/** Files as wandb writes them: its header, LevelDB's blocks, protobuf records. */

const blockBytes = 32 * 1024;
const pieceHeaderBytes = 7;

export const wandbMagic = Buffer.from([0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 0x00]);

export function wandbFile(records: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [wandbMagic];
  let at = wandbMagic.length;
  const put = (bytes: Buffer) => {
    parts.push(bytes);
    at += bytes.length;
  };
  for (const record of records) {
    let left = record;
    for (let isFirst = true; isFirst || left.length > 0; isFirst = false) {
      if (blockBytes - (at % blockBytes) < pieceHeaderBytes)
        put(Buffer.alloc(blockBytes - (at % blockBytes)));
      const room = blockBytes - (at % blockBytes) - pieceHeaderBytes;
      const data = left.subarray(0, room);
      left = left.subarray(data.length);
      const type = left.length === 0 ? (isFirst ? 1 : 4) : isFirst ? 2 : 3;
      put(piece(type, data));
      if (left.length === 0) break;
    }
  }
  return Buffer.concat(parts);
}

export function piece(type: number, data: Buffer): Buffer {
  const header = Buffer.alloc(pieceHeaderBytes);
  header.writeUInt32LE(crc32(Buffer.concat([Buffer.from([type]), data])));
  header.writeUInt16LE(data.length, 4);
  header.writeUInt8(type, 6);
  return Buffer.concat([header, data]);
}

/** A field with a number, a text, a message, or nothing when undefined. */
export function field(number: number, value: number | bigint | string | Buffer | undefined): Buffer {
  if (value === undefined) return Buffer.alloc(0);
  if (typeof value === 'number' || typeof value === 'bigint') {
    return Buffer.concat([varint(BigInt(number) << 3n), varint(BigInt.asUintN(64, BigInt(value)))]);
  }
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([varint((BigInt(number) << 3n) | 2n), varint(BigInt(bytes.length)), bytes]);
}

export function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80n; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(left)]);
}

/** `{repeated Item = 1}`: values are JSON texts unless they are given as such. */
function items(values: Readonly<Record<string, unknown>>, keyNumber = 1): Buffer {
  return Buffer.concat(
    Object.entries(values).map(([key, value]) => {
      const json = value instanceof Buffer ? value : Buffer.from(JSON.stringify(value));
      return field(1, Buffer.concat([field(keyNumber, key), field(16, json)]));
    }),
  );
}

export const record = {
  run: ({
    id = 'ab12cd34',
    config = {},
    startedAt,
    resumed,
  }: {
    id?: string;
    config?: Readonly<Record<string, unknown>>;
    /** Unix seconds. */
    startedAt?: number;
    resumed?: boolean;
  }): Buffer =>
    field(
      17,
      Buffer.concat([
        field(1, id),
        field(4, items(config)),
        field(13, 'node7'),
        field(
          17,
          startedAt === undefined ? undefined : Buffer.concat([field(1, startedAt), field(2, 250_000_000)]),
        ),
        field(18, resumed ? 1 : undefined),
      ]),
    ),
  config: (values: Readonly<Record<string, unknown>>): Buffer => field(5, items(values)),
  history: (values: Readonly<Record<string, unknown>>, keyNumber = 1): Buffer =>
    field(2, items(values, keyNumber)),
  summary: (values: Readonly<Record<string, unknown>>): Buffer => field(3, items(values)),
  exit: (code: number, runtime?: number): Buffer =>
    field(18, Buffer.concat([field(1, code === 0 ? undefined : code), field(2, runtime)])),
  preempting: (): Buffer => field(23, Buffer.alloc(0)),
  output: (line: string): Buffer => field(13, field(3, line)),
};
