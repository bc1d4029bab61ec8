import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { combineCrc32, combinePieces, formatCrc32 } from '../../src/domain/crc32-combine.ts';

test('combinePieces() comes to the checksum of the whole, however it is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 8 }), (pieces) => {
      const summed = pieces.map((piece) => ({ sizeBytes: piece.length, crc32: formatCrc32(crc32(piece)) }));
      expect(combinePieces(summed)).toBe(formatCrc32(crc32(Buffer.concat(pieces))));
    }),
  );
});

test('combineCrc32() takes sizes beyond 32 bits', () => {
  const tebibyte = 1024 ** 4;
  const zeros = (count: number) => {
    let crc = 0;
    // Twice as many zeros: the same zeros after themselves.
    let known = { bytes: 1, crc: crc32(Buffer.alloc(1)) };
    for (let rest = count; rest > 0; rest = Math.floor(rest / 2)) {
      if (rest % 2 === 1) crc = combineCrc32(crc, known.crc, known.bytes);
      known = { bytes: known.bytes * 2, crc: combineCrc32(known.crc, known.crc, known.bytes) };
    }
    return crc;
  };
  expect(zeros(1_000_003)).toBe(crc32(Buffer.alloc(1_000_003)));
  const [first, second] = [5 * tebibyte + 12_345, 3 * tebibyte + 7];
  expect(combineCrc32(zeros(first), zeros(second), second)).toBe(zeros(first + second));
});

test('combinePieces() refuses what is no checksum', () => {
  expect(() => combinePieces([{ sizeBytes: 1, crc32: 'AAA=' }])).toThrow('"AAA="');
});
