import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ObjectDigest } from '../../src/adapters/object-digest.ts';
import { choosePartSize, compare, partSizeMetadata, partSizeOf } from '../../src/adapters/s3-verdict.ts';

const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest();

test('ObjectDigest comes to the same whatever the chunks are', () => {
  const chunked = fc.tuple(
    fc.uint8Array({ maxLength: 300 }),
    fc.integer({ min: 1, max: 50 }),
    fc.integer({ min: 1, max: 70 }),
  );
  fc.assert(
    fc.property(chunked, ([array, partSizeBytes, chunkBytes]) => {
      const bytes = Buffer.from(array);
      const whole = new ObjectDigest();
      const inParts = new ObjectDigest(partSizeBytes);
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        whole.update(bytes.subarray(at, at + chunkBytes));
        inParts.update(bytes.subarray(at, at + chunkBytes));
      }
      const parts: Buffer[] = [];
      for (let at = 0; at === 0 || at < bytes.length; at += partSizeBytes) {
        parts.push(md5(bytes.subarray(at, at + partSizeBytes)));
      }
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

test('choosePartSize() keeps every object within 10,000 parts, and small ones whole', () => {
  const size = fc.integer({ min: 0, max: 50 * 1024 ** 4 });
  fc.assert(
    fc.property(size, (sizeBytes) => {
      const chosen = choosePartSize(sizeBytes, 8 * 1024 ** 2);
      if (chosen === undefined) return sizeBytes <= 8 * 1024 ** 2;
      const count = Math.ceil(sizeBytes / chosen);
      return count > 1 && count <= 10_000 && partSizeOf(partSizeMetadata(chosen)) === chosen;
    }),
  );
});

test.each([
  [{}],
  [{ 'part-size': '0' }],
  [{ 'part-size': '-1' }],
  [{ 'part-size': '1e9' }],
  [{ 'part-size': '' }],
])('partSizeOf() believes no such metadata: %j', (metadata) => {
  expect(partSizeOf(metadata)).toBeUndefined();
});
