import { crc32, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Encoding } from '../../src/domain/compression.ts';
import { Conflict, FileFailure } from '../../src/domain/failure.ts';
import type { ObjectStore, PutRequest } from '../../src/ports/object-store.ts';
import { type BytesOptions, patternBytes, sourceOf } from '../support/byte-source.ts';
import type { StoreUnderTest } from './object-store.ts';

const never = new AbortController().signal;
const mebibyte = 1024 * 1024;
/** More than a part, and nothing that packing makes smaller. */
const noise = patternBytes(6 * mebibyte);

const unpack: Readonly<Record<Encoding, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => gunzipSync(bytes),
  zstd: (bytes) => zstdDecompressSync(bytes),
};

/** `count` lines, as logs have them: much smaller when packed. */
function lines(count: number, seed = 1): Buffer {
  let text = '';
  for (let n = 0; n < count; n++) text += `step ${n} of run ${seed}: loss ${(n * seed) % 997}\n`;
  return Buffer.from(text);
}

/** What a destination promises of sources that it is to pack; beside test/contracts/object-store.ts. */
export function packedObjectContract(name: string, under: StoreUnderTest): void {
  let opened: Promise<ObjectStore> | undefined;
  let keys = 0;
  const store = () => {
    opened ??= under.open();
    return opened;
  };
  const freshKey = () => {
    keys += 1;
    return `training-logs/packed-${keys}/train.log.gz`;
  };
  const packed = (encoding: Encoding, bytes: Buffer, options: BytesOptions = {}) =>
    Object.assign(sourceOf(bytes, options), { encoding });
  const request = (
    key: string,
    source: PutRequest['source'],
    more: Partial<PutRequest> = {},
  ): PutRequest => ({
    key,
    source,
    contentType: 'application/gzip',
    metadata: { session: 's1' },
    condition: { absent: true },
    ...more,
  });
  const errorOf = (work: Promise<unknown>) =>
    work.then(
      () => expect.fail('did not throw'),
      (error: unknown) => error,
    );

  describe(`packed objects: ${name}`, () => {
    const cases = (['gzip', 'zstd'] as const).flatMap((encoding) => [
      { what: 'lines', encoding, bytes: lines(30_000) },
      { what: 'noise that needs parts', encoding, bytes: noise },
    ]);
    test.each(cases)(
      '$what as $encoding hold the file, with a receipt of what is there',
      async ({ encoding, bytes }) => {
        const key = freshKey();
        const told: number[] = [];
        const source = packed(encoding, bytes);
        const receipt = await (await store()).put(
          request(key, source, { onProgress: (readBytes) => told.push(readBytes) }),
          never,
        );
        const there = await under.bytes(key);
        expect(unpack[encoding](there).equals(bytes)).toBe(true);
        const sum = Buffer.alloc(4);
        sum.writeUInt32BE(crc32(there));
        expect(receipt).toMatchObject({ sizeBytes: there.length, crc32: sum.toString('base64') });
        expect(told.at(-1)).toBe(bytes.length);
        const found = await (await store()).find(key, never);
        expect(found).toMatchObject({
          etag: receipt.etag,
          sizeBytes: there.length,
          metadata: { session: 's1' },
        });
        if (found === undefined) return;
        expect(await (await store()).verify(found, packed(encoding, bytes), never)).toEqual(receipt);
        const other = Buffer.from(bytes);
        other[other.length >> 1] = (other[other.length >> 1] ?? 0) ^ 1;
        expect(await (await store()).verify(found, packed(encoding, other), never)).toBeUndefined();
        expect(await (await store()).verify(found, sourceOf(bytes), never)).toBeUndefined();
      },
    );

    test('a condition holds, and nothing is written over what is there', async () => {
      const key = freshKey();
      const first = await (await store()).put(request(key, packed('gzip', lines(100))), never);
      for (const bytes of [lines(200), noise]) {
        expect(await errorOf((await store()).put(request(key, packed('gzip', bytes)), never))).toBeInstanceOf(
          Conflict,
        );
        const stale = { condition: { etag: 'd41d8cd98f00b204e9800998ecf8427e' } };
        expect(
          await errorOf((await store()).put(request(key, packed('gzip', bytes), stale), never)),
        ).toBeInstanceOf(Conflict);
      }
      expect(gunzipSync(await under.bytes(key)).equals(lines(100))).toBe(true);
      const condition = { etag: first.etag };
      await (await store()).put(request(key, packed('gzip', lines(300)), { condition }), never);
      expect(gunzipSync(await under.bytes(key)).equals(lines(300))).toBe(true);
    });

    const sizes = [
      ['one request', 300_000],
      ['parts', noise.length],
    ] as const;

    test.each(sizes)('a file that changed becomes nothing, in %s', async (_, size) => {
      const key = freshKey();
      const changed = new FileFailure('changing', 'Changed', 'reading "f": it changed', 'none');
      const source = packed('gzip', noise.subarray(0, size), { changed });
      expect(await errorOf((await store()).put(request(key, source), never))).toBe(changed);
      expect(await under.visible(key)).toEqual([]);
    });

    test.each(sizes)('a file that was cut becomes nothing, in %s', async (_, size) => {
      const key = freshKey();
      const source = packed('zstd', noise.subarray(0, size), { availableBytes: size - 10 });
      expect(await errorOf((await store()).put(request(key, source), never))).toMatchObject({
        code: 'ShortRead',
      });
      expect(await under.visible(key)).toEqual([]);
    });

    test.each(sizes)(
      'one that is stopped becomes nothing, and is not read any more, in %s',
      async (_, size) => {
        const key = freshKey();
        const stop = new AbortController();
        const source = packed('gzip', noise.subarray(0, size), {
          onRead: (position) => position >= size / 2 - mebibyte && stop.abort(),
        });
        expect(await errorOf((await store()).put(request(key, source), stop.signal))).toMatchObject({
          name: 'Failure',
          kind: 'cancelled',
        });
        const { reads } = source;
        expect(await under.visible(key)).toEqual([]);
        expect(source.reads).toBe(reads);
      },
    );
  });
}
