import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { digestSource } from '../../src/adapters/object-digest.ts';
import { constantLayout, growingLayout } from '../../src/domain/part-layout.ts';
import { byteCheck } from '../../src/reading/byte-check.ts';
import { patternBytes, sourceOf } from '../support/byte-source.ts';

const bytes = patternBytes(20_000);
const { signal } = new AbortController();
const { etag, crc32 } = await digestSource(sourceOf(bytes), signal);
const sha256 = createHash('sha256').update(bytes).digest('base64');
const growing = await digestSource(sourceOf(bytes), signal, growingLayout(7));
const alike = await digestSource(sourceOf(bytes), signal, { firstBytes: 10, doublesEvery: 0 });

function verdict(expected: Omit<Parameters<typeof byteCheck>[0], 'bytes'>, body = bytes): string | undefined {
  const check = byteCheck({ bytes: bytes.length, ...expected });
  for (let at = 0; at < body.length; at += 999) check.update(body.subarray(at, at + 999));
  return check.finish();
}

const wrong = Buffer.concat([bytes.subarray(0, -1), Buffer.of((bytes.at(-1) ?? 0) ^ 1)]);

test.each<[string, Omit<Parameters<typeof byteCheck>[0], 'bytes'>, RegExp]>([
  ['a CRC-32', { etag: 'of-something-else', crc32 }, /CRC-32 is \S+, the log says/],
  ['a SHA-256', { etag: 'of-something-else', sha256 }, /SHA-256/],
  ['both', { etag: 'of-something-else', sha256, crc32 }, /CRC-32/],
  ['an ETag alone', { etag }, /ETag/],
  ['an ETag of parts that grow', { etag: growing.etag, partSize: 7 }, /ETag/],
])('bytes are held against %s', (_, expected, complaint) => {
  expect(verdict(expected)).toBeUndefined();
  expect(verdict(expected, wrong)).toMatch(complaint);
});

test('parts of one size are told by how many there are', () => {
  expect(growing.etag).not.toBe(alike.etag);
  expect(constantLayout(10, bytes.length)).toEqual({ firstBytes: 1024 * 1024, doublesEvery: 0 });
  expect(verdict({ etag: etag.replace(/$/, '-1'), partSize: 1024 * 1024 })).toMatch(/ETag/);
});

test('an ETag that is made of no bytes proves nothing, and refuses nothing', () => {
  expect(verdict({ etag: 'opaque' }, wrong)).toBeUndefined();
});
