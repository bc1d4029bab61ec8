import { UnreadableFile } from '../reader.ts';

/** One field of a message. `varint` and the fixed ones are not interpreted: `int32`, `sint64`, `float` are the caller's. */
export type WireField = { readonly number: number } & (
  | { readonly type: 'varint'; readonly value: bigint }
  | { readonly type: 'fixed64'; readonly value: Buffer }
  | { readonly type: 'bytes'; readonly value: Buffer }
  | { readonly type: 'fixed32'; readonly value: Buffer }
);

export const wireFieldsMax = 100_000;

/**
 * The fields of one protobuf message, in the order in which they lie there (protobuf.dev/programming-guides/encoding).
 * Buffers are views into `message`, nothing is copied. Groups are skipped over. Throws UnreadableFile at damage: what
 * came before it was whole. At most `fieldsMax` fields.
 */
export function* readWire(message: Buffer, fieldsMax = wireFieldsMax): Generator<WireField, void, undefined> {
  let at = 0;
  for (let count = 0; at < message.length; count += 1) {
    if (count >= fieldsMax) throw damaged(`more than ${fieldsMax} fields`, at);
    const key = readVarint(message, at);
    const number = Number(key.value >> 3n);
    if (number < 1 || number > 0x1fffffff) throw damaged(`field number ${number}`, at);
    const field = readValue(message, key.next, number, Number(key.value & 7n));
    at = field.next;
    if (field.found) yield field.found;
  }
}

/** A varint that holds a signed 64-bit integer (`int32`, `int64`, not `sint`); undefined beyond 2^53. */
export function signedOf(value: bigint): number | undefined {
  const number = Number(BigInt.asIntN(64, value));
  return Number.isSafeInteger(number) ? number : undefined;
}

interface Taken {
  /** Undefined for the start or the end of a group. */
  readonly found?: WireField;
  readonly next: number;
}

function readValue(message: Buffer, at: number, number: number, wireType: number): Taken {
  switch (wireType) {
    case 0: {
      const { value, next } = readVarint(message, at);
      return { found: { number, type: 'varint', value }, next };
    }
    case 1:
      return { found: { number, type: 'fixed64', value: take(message, at, 8) }, next: at + 8 };
    case 2: {
      const { value: length, next } = readVarint(message, at);
      // Compared as a bigint: a length of 2^63 must not become a place in the message.
      if (length > BigInt(message.length - next)) throw damaged(`${length} bytes announced`, at);
      const end = next + Number(length);
      return { found: { number, type: 'bytes', value: message.subarray(next, end) }, next: end };
    }
    case 3:
    case 4:
      return { next: at };
    case 5:
      return { found: { number, type: 'fixed32', value: take(message, at, 4) }, next: at + 4 };
    default:
      throw damaged(`wire type ${wireType}`, at);
  }
}

function take(message: Buffer, at: number, length: number): Buffer {
  if (at + length > message.length) throw damaged('it ends in the middle', at);
  return message.subarray(at, at + length);
}

function readVarint(message: Buffer, start: number): { value: bigint; next: number } {
  let low = 0;
  // 28 bits fit a number's shifts; most varints are shorter, and bigints are slow.
  for (let index = 0; index < 4; index += 1) {
    const byte = byteAt(message, start + index);
    low |= (byte & 0x7f) << (7 * index);
    if (byte < 0x80) return { value: BigInt(low), next: start + index + 1 };
  }
  let value = BigInt(low);
  for (let index = 4; index < 10; index += 1) {
    const byte = byteAt(message, start + index);
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), next: start + index + 1 };
  }
  throw damaged('a varint of more than 10 bytes', start);
}

function byteAt(message: Buffer, at: number): number {
  const byte = message[at];
  if (byte === undefined) throw damaged('it ends in the middle', at);
  return byte;
}

function damaged(found: string, at: number): UnreadableFile {
  return new UnreadableFile(`no protobuf message: ${found} at byte ${at} of it`);
}
