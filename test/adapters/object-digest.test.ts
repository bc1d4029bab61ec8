import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ObjectDigest } from '../../src/adapters/object-digest.ts';
import { compare, layoutMetadata, layoutOf } from '../../src/adapters/s3-verdict.ts';
import { constantLayout, growingLayout, partsOf } from '../../src/domain/part-layout.ts';

const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest();

test('ObjectDigest comes to the same whatever the chunks are', () => {
  const chunked = fc.tuple(
    fc.uint8Array({ maxLength: 300 }),
    fc.integer({ min: 1, max: 50 }),
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 1, max: 70 }),
  );
  fc.assert(
    fc.property(chunked, ([array, firstBytes, doublesEvery, chunkBytes]) => {
      const bytes = Buffer.from(array);
      const whole = new ObjectDigest();
      const layout = { firstBytes, doublesEvery };
      const inParts = new ObjectDigest(layout);
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        whole.update(bytes.subarray(at, at + chunkBytes));
        inParts.update(bytes.subarray(at, at + chunkBytes));
      }
      const ranges = [...partsOf(layout, bytes.length)];
      const parts = ranges.map(({ position, sizeBytes }) =>
        md5(bytes.subarray(position, position + sizeBytes)),
      );
      if (parts.length === 0) parts.push(md5(bytes));
      const checksum = Buffer.alloc(4);
      checksum.writeUInt32BE(crc32(bytes));
      expect(whole.finish()).toEqual({
        etag: md5(bytes).toString('hex'),
        crc32: checksum.toString('base64'),
      });
      expect(inParts.finish().etag).toBe(`${md5(Buffer.concat(parts)).toString('hex')}-${parts.length}`);
    }),
  );
});

const etag = '0123456789abcdef0123456789abcdef';
const other = 'ffffffffffffffffffffffffffffffff';
const expected = { etag, crc32: 'AAAAAA==', sizeBytes: 5 };

test.each([
  [{ etag }, 'same'],
  [{ etag, sizeBytes: 5 }, 'same'],
  [{ etag, sizeBytes: 6 }, 'different'],
  [{ etag: other }, 'different'],
  [{ etag: `${other}-2` }, 'different'],
  [{ etag: other, encryption: 'AES256' }, 'different'],
  [{ etag: other, encryption: 'aws:kms' }, 'unknown'],
  [{ etag: other, encryption: 'aws:kms:dsse' }, 'unknown'],
  [{ etag: other, encryption: 'aws:kms', crc32: 'AAAAAA==' }, 'same'],
  [{ etag: other, encryption: 'aws:kms', crc32: 'AAAAAQ==' }, 'different'],
  [{ etag: 'not-an-md5' }, 'unknown'],
  [{ etag: '' }, 'unknown'],
] as const)('compare() says of %j: %s', (found, verdict) => {
  expect(compare(expected, found)).toBe(verdict);
});

test('compare() without an ETag of its own takes no ETag for proof', () => {
  const unsummed = { crc32: 'AAAAAA==', sizeBytes: 5 };
  expect(compare(unsummed, { etag: '' })).toBe('unknown');
  expect(compare(unsummed, { etag })).toBe('unknown');
  expect(compare(unsummed, { etag, crc32: 'AAAAAA==' })).toBe('same');
  expect(compare(unsummed, { etag, crc32: 'AAAAAQ==' })).toBe('different');
});

test('layoutOf() reads what layoutMetadata() wrote', () => {
  const own = growingLayout(8 * 1024 ** 2);
  for (const layout of [growingLayout(5 * 1024 ** 2), constantLayout(8 * 1024 ** 2, 1), own])
    expect(layoutOf(layoutMetadata(layout), own)).toEqual(layout);
  // Whoever remembers the size alone means how this store cuts.
  const alike = constantLayout(8 * 1024 ** 2, 1);
  expect(layoutOf({ 'part-size': String(alike.firstBytes) }, alike)).toEqual(alike);
});

test.each([
  [{}],
  [{ 'part-size': '0' }],
  [{ 'part-size': '-1' }],
  [{ 'part-size': '1e9' }],
  [{ 'part-size': '' }],
])('layoutOf() believes no such metadata: %j', (metadata) => {
  expect(layoutOf(metadata, growingLayout(1))).toBeUndefined();
});
