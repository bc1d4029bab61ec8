import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Conflict, Failure, FileFailure } from '../../src/domain/failure.ts';
import type { ObjectStore, PutCondition, PutRequest } from '../../src/ports/object-store.ts';
import { patternBytes, sourceOf } from '../support/byte-source.ts';

/** Bodies up to this size go in one request; the least that S3 takes. */
export const contractPartSizeBytes = 5 * 1024 * 1024;

export interface StoreUnderTest {
  /** Opened once for the suite, with parts of `contractPartSizeBytes`; every test uses keys of its own. */
  open(): Promise<ObjectStore>;
  /** Seen past the store: every visible key that begins with `prefix`, one entry per version. */
  visible(prefix: string): Promise<string[]>;
  bytes(key: string): Promise<Buffer>;
  /** Keys that this store takes beyond the ordinary ones, and keys that it refuses. */
  readonly extraKeys?: readonly string[];
  readonly refusedKeys?: readonly string[];
}

const never = new AbortController().signal;
const absent: PutCondition = { absent: true };

/** What src/ports/object-store.ts promises, for every destination. */
export function objectStoreContract(name: string, under: StoreUnderTest): void {
  let opened: Promise<ObjectStore> | undefined;
  let keys = 0;
  const store = () => {
    opened ??= under.open();
    return opened;
  };
  const freshKey = (tail = 'object.log') => {
    keys += 1;
    return `training-logs/case-${keys}/${tail}`;
  };
  const request = (key: string, bytes: Buffer | string, more: Partial<PutRequest> = {}): PutRequest => ({
    key,
    source: sourceOf(bytes),
    contentType: 'application/json',
    metadata: { session: 's1', writer: 'host-1' },
    condition: absent,
    ...more,
  });
  const failureOf = (work: Promise<unknown>) =>
    work.then(
      () => expect.fail('did not throw'),
      (error: unknown) => error,
    );

  describe(`object store contract: ${name}`, () => {
    describe('put() creates', () => {
      const sizes = [
        ['nothing', 0],
        ['one byte', 1],
        ['exactly one part', contractPartSizeBytes],
        ['one byte more than a part', contractPartSizeBytes + 1],
        ['more than two parts', 2 * contractPartSizeBytes + 4321],
      ] as const;
      test.each(sizes)(
        'an object of %s, whole, with a receipt that find() and verify() agree with',
        async (_, size) => {
          const bytes = patternBytes(size);
          const key = freshKey();
          const receipt = await (await store()).put(request(key, bytes), never);
          expect(bytes.equals(await under.bytes(key))).toBe(true);
          expect(receipt.sizeBytes).toBe(size);
          expect(receipt.crc32).toBe(crc32Of(bytes));
          const found = await (await store()).find(key, never);
          expect(found).toMatchObject({ key, sizeBytes: size, etag: receipt.etag });
          expect(found && (await (await store()).verify(found, sourceOf(bytes), never))).toEqual(receipt);
        },
      );

      test('an object with the metadata that it was given', async () => {
        const key = freshKey();
        const metadata = { session: 'a b', writer: 'x/y=1', revision: '7' };
        await (await store()).put(request(key, 'x', { metadata }), never);
        expect((await (await store()).find(key, never))?.metadata).toMatchObject(metadata);
        expect((await (await store()).get(key, 10, never)).object.metadata).toMatchObject(metadata);
      });

      test('and reports progress up to the whole', async () => {
        const bytes = patternBytes(2 * contractPartSizeBytes + 1);
        const sent: number[] = [];
        await (await store()).put(
          request(freshKey(), bytes, { onProgress: (count) => sent.push(count) }),
          never,
        );
        expect(sent.at(-1)).toBe(bytes.length);
        expect(sent).toEqual(sent.toSorted((a, b) => a - b));
      });

      const odd = [
        'with space.log',
        'new\nline.log',
        'tab\tand\u0001control.log',
        'ünï/code-日本-🙂.log',
        'nfd-u\u0308.log',
        'percent%2e%2E/%.log',
        'plus+and=and&and?and#.log',
        '..dots/...more',
        'quote"\'<>&;:@$,!*().log',
        'back\\slash.log',
      ];
      const longest = `${'long/'.repeat(180)}`;
      test.each([...odd, ...(under.extraKeys ?? [])])('an object at the key %j', async (tail) => {
        const key = freshKey(tail);
        await (await store()).put(request(key, tail), never);
        expect(await under.visible(key)).toEqual([key]);
        expect(String(await under.bytes(key))).toBe(tail);
        expect((await (await store()).find(key, never))?.key).toBe(key);
        expect(String((await (await store()).get(key, 1000, never)).bytes)).toBe(tail);
      });

      test('an object at a key of 1,000 bytes', async () => {
        const start = freshKey(longest);
        const key = start + 'x'.repeat(1000 - Buffer.byteLength(start));
        await (await store()).put(request(key, 'long'), never);
        expect(await under.visible(key)).toEqual([key]);
        expect(await (await store()).find(key, never)).toMatchObject({ key, sizeBytes: 4 });
      });

      test.each(under.refusedKeys ?? [])('nothing at the key %j, which is refused for good', async (key) => {
        const error = await failureOf((await store()).put(request(key, 'x'), never));
        expect(error).toMatchObject({ name: 'Failure', kind: 'permanent', remedy: expect.any(String) });
      });
    });

    describe('put() keeps its condition', () => {
      const sizes = [
        ['small', 100],
        ['large', contractPartSizeBytes + 100],
      ] as const;

      test.each(sizes)('and creates nothing over another object, %s', async (_, size) => {
        const key = freshKey();
        await (await store()).put(request(key, 'first'), never);
        const error = await failureOf((await store()).put(request(key, patternBytes(size)), never));
        expect(error).toBeInstanceOf(Conflict);
        expect(error).toMatchObject({ key });
        expect(String(await under.bytes(key))).toBe('first');
        expect(await under.visible(key)).toHaveLength(1);
      });

      test.each(sizes)('and replaces the object with the ETag that was named, %s', async (_, size) => {
        const key = freshKey();
        const first = await (await store()).put(request(key, 'first'), never);
        const bytes = patternBytes(size);
        const metadata = { revision: '2' };
        const condition = { etag: first.etag };
        const second = await (await store()).put(request(key, bytes, { condition, metadata }), never);
        expect(bytes.equals(await under.bytes(key))).toBe(true);
        const found = await (await store()).find(key, never);
        expect(found).toMatchObject({ etag: second.etag, metadata });
        // Again: what a store learned from the first answer must not make the second careless.
        await (await store()).put(request(key, 'third', { condition: { etag: second.etag } }), never);
        expect(String(await under.bytes(key))).toBe('third');
      });

      test.each(sizes)('and does not replace an object that has another ETag by now, %s', async (_, size) => {
        const key = freshKey();
        const first = await (await store()).put(request(key, 'first'), never);
        await (await store()).put(request(key, 'second', { condition: { etag: first.etag } }), never);
        const stale = request(key, patternBytes(size), { condition: { etag: first.etag } });
        expect(await failureOf((await store()).put(stale, never))).toBeInstanceOf(Conflict);
        expect(String(await under.bytes(key))).toBe('second');
      });

      test.each(sizes)('and replaces nothing where nothing is, %s', async (_, size) => {
        const key = freshKey();
        const condition = { etag: 'd41d8cd98f00b204e9800998ecf8427e' };
        const error = await failureOf(
          (await store()).put(request(key, patternBytes(size), { condition }), never),
        );
        expect(error).toBeInstanceOf(Conflict);
        expect(await under.visible(key)).toEqual([]);
      });

      test('and of two first writes at the same time one is there whole, and none is torn', async () => {
        const key = freshKey();
        const bodies = [patternBytes(200_000, 1), patternBytes(200_000, 2)];
        const results = await Promise.allSettled(
          bodies.map(async (bytes) => (await store()).put(request(key, bytes), never)),
        );
        const there = await under.bytes(key);
        expect(bodies.some((bytes) => bytes.equals(there))).toBe(true);
        const done = results.filter(({ status }) => status === 'fulfilled').length;
        if ((await store()).createIsAtomic) expect(done).toBe(1);
        else expect(done).toBeGreaterThanOrEqual(1);
        for (const result of results)
          if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(Conflict);
      });
    });

    describe('put() shows nothing', () => {
      const sizes = [
        ['small', 100],
        ['large', 2 * contractPartSizeBytes + 100],
      ] as const;

      test.each(sizes)('of a file that changed, and passes the error on, %s', async (_, size) => {
        const key = freshKey();
        const changed = new FileFailure('changing', 'Changed', 'reading "f": it changed', 'none');
        const source = sourceOf(patternBytes(size), { changed });
        expect(await failureOf((await store()).put(request(key, '', { source }), never))).toBe(changed);
        expect(await under.visible(key)).toEqual([]);
        expect(await (await store()).find(key, never)).toBeUndefined();
      });

      test.each(sizes)('of a file that was cut, and passes the error on, %s', async (_, size) => {
        const key = freshKey();
        const source = sourceOf(patternBytes(size), { availableBytes: size - 10 });
        const error = await failureOf((await store()).put(request(key, '', { source }), never));
        expect(error).toMatchObject({ name: 'FileFailure', reason: 'changing', code: 'ShortRead' });
        expect(await under.visible(key)).toEqual([]);
      });

      test.each(sizes)('when it was cancelled before it began, %s', async (_, size) => {
        const key = freshKey();
        const error = await failureOf(
          (await store()).put(request(key, patternBytes(size)), AbortSignal.abort()),
        );
        expect(error).toMatchObject({ name: 'Failure', kind: 'cancelled' });
        expect(await under.visible(key)).toEqual([]);
      });

      test.each(sizes)('or the whole when it is cancelled while it reads, %s', async (_, size) => {
        const key = freshKey();
        const bytes = patternBytes(size);
        const stop = new AbortController();
        const source = sourceOf(bytes, { onRead: (position) => position >= size / 2 && stop.abort() });
        if (size < 1000) stop.abort();
        const error = await failureOf((await store()).put(request(key, '', { source }), stop.signal));
        expect(error).toMatchObject({ name: 'Failure', kind: 'cancelled' });
        const { reads } = source;
        const there = await under.visible(key);
        if (there.length > 0) expect(bytes.equals(await under.bytes(key))).toBe(true);
        expect(source.reads).toBe(reads);
      });
    });

    describe('find(), get() and verify()', () => {
      test('find() returns nothing for a missing key, and for one that is only the beginning of another', async () => {
        const key = freshKey('abc.log');
        await (await store()).put(request(key, 'x'), never);
        expect(await (await store()).find(key.slice(0, -4), never)).toBeUndefined();
        expect(await (await store()).find(`${key}x`, never)).toBeUndefined();
        expect(await (await store()).find(freshKey(), never)).toBeUndefined();
      });

      test('get() refuses what is larger than was asked for', async () => {
        const key = freshKey();
        await (await store()).put(request(key, '0123456789'), never);
        const { object, bytes } = await (await store()).get(key, 10, never);
        expect([String(bytes), object.sizeBytes]).toEqual(['0123456789', 10]);
        const error = await failureOf((await store()).get(key, 9, never));
        expect(error).toBeInstanceOf(Failure);
        expect(error).toMatchObject({ kind: 'permanent', remedy: expect.any(String) });
      });

      test('get() of a key that is gone is a transient failure', async () => {
        const error = await failureOf((await store()).get(freshKey(), 9, never));
        expect(error).toMatchObject({ name: 'Failure', kind: 'transient' });
      });

      test.each([
        ['one request', 1000],
        ['parts', contractPartSizeBytes + 1000],
      ])('verify() knows other bytes of the same size, sent in %s', async (_, size) => {
        const key = freshKey();
        const bytes = patternBytes(size);
        await (await store()).put(request(key, bytes), never);
        const found = await (await store()).find(key, never);
        if (found === undefined) return expect.fail('the object is not there');
        expect(await (await store()).verify(found, sourceOf(patternBytes(size, 2)), never)).toBeUndefined();
        expect(await (await store()).verify(found, sourceOf(bytes), never)).toMatchObject({
          etag: found.etag,
        });
      });

      test('verify() does not read a source of another size', async () => {
        const key = freshKey();
        await (await store()).put(request(key, 'four'), never);
        const found = await (await store()).find(key, never);
        const source = sourceOf('other');
        expect(found && (await (await store()).verify(found, source, never))).toBeUndefined();
        expect(source.reads).toBe(0);
      });
    });
  });
}

function crc32Of(bytes: Buffer): string {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(crc32(bytes));
  return value.toString('base64');
}

export function md5Of(bytes: Buffer | string): string {
  return createHash('md5').update(bytes).digest('hex');
}
