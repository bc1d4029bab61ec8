import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { BufferPool } from '../../src/adapters/buffer-pool.ts';
import { openBody } from '../../src/adapters/s3-body.ts';
import { SumThread } from '../../src/adapters/sum-thread.ts';
import type { ByteSource } from '../../src/ports/object-store.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { crc32Of } from '../fakes/memory-digest.ts';
import { patternBytes, sourceOf } from '../support/byte-source.ts';

const never = new AbortController().signal;
const wanted = { md5: true, sha256: true };
const sumThread = new SumThread();
const poolOf = () => new BufferPool({ bytesMax: 80, chunkBytes: 10, clock: new FakeClock() });

/** Over one buffer, which may be changed, and into the memory that it is given. */
function sourceOver(bytes: Buffer): ByteSource {
  return {
    sizeBytes: bytes.length,
    async read(position, length, into = Buffer.alloc(length)) {
      bytes.copy(into, 0, position, position + length);
      return into.subarray(0, length);
    },
    async assertUnchanged() {},
  };
}

describe('openBody()', () => {
  test.each([
    ['nothing', 0],
    ['a chunk', 10],
    ['what is held', 20],
    ['what is read twice', 21],
    ['much more than the pool', 1000],
  ])('sums and sends %s, as often as wanted', async (_, size) => {
    const bytes = patternBytes(size + 7);
    const pool = poolOf();
    const range = { source: sourceOver(bytes), position: 7, sizeBytes: size };
    const body = await openBody(range, { pool, sumThread }, wanted, never);
    const expected = bytes.subarray(7);
    expect(body.sums.crc32).toBe(crc32Of(expected));
    expect(body.sums.md5).toEqual(createHash('md5').update(expected).digest());
    expect(body.sums.sha256).toEqual(createHash('sha256').update(expected).digest());
    for (let time = 0; time < 2; time++) {
      const sent: Buffer[] = [];
      await body.send(async (piece) => {
        // As a socket does: the bytes are taken later.
        await new Promise((resolve) => setImmediate(resolve));
        sent.push(Buffer.from(piece));
      });
      expect(Buffer.concat(sent).equals(expected)).toBe(true);
    }
    expect(pool.heldBytes).toBeLessThanOrEqual(Math.min(size, 20));
    body.release();
  });

  test('of bytes that changed between two looks never sends the last ones', async () => {
    const bytes = patternBytes(100);
    const body = await openBody(
      { source: sourceOver(bytes), position: 0, sizeBytes: 100 },
      { pool: poolOf(), sumThread },
      wanted,
      never,
    );
    bytes[50] = (bytes[50] ?? 0) ^ 1;
    let sentBytes = 0;
    const sending = body.send(async (piece) => {
      sentBytes += piece.length;
    });
    await expect(sending).rejects.toMatchObject({ code: 'IntegrityMismatch', kind: 'transient' });
    expect(sentBytes).toBe(90);
  });

  test('asks for leave after the last byte was read and before it is sent', async () => {
    const changed = new Error('it changed');
    const beforeEnd = () => Promise.reject(changed);
    const range = { source: sourceOver(patternBytes(100)), position: 0, sizeBytes: 100, beforeEnd };
    const body = await openBody(range, { pool: poolOf(), sumThread }, wanted, never);
    let sentBytes = 0;
    const sending = body.send(async (piece) => {
      sentBytes += piece.length;
    });
    await expect(sending).rejects.toBe(changed);
    expect(sentBytes).toBe(90);
  });

  test.each([20, 100])('gives its memory back when reading fails, of %i bytes', async (size) => {
    const pool = poolOf();
    const source = sourceOf(patternBytes(size), { availableBytes: size - 1 });
    const opening = openBody({ source, position: 0, sizeBytes: size }, { pool, sumThread }, wanted, never);
    await expect(opening).rejects.toMatchObject({ code: 'ShortRead' });
    await pool.lease(80, never);
  });
});
