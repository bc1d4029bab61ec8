import { describe, expect, test } from 'vitest';
import { Conflict, FileFailure, UploadGone } from '../../src/domain/failure.ts';
import { type PartRange, partsOf } from '../../src/domain/part-layout.ts';
import type { ObjectStore, PutCondition, StoredObject } from '../../src/ports/object-store.ts';
import type { PartStore, PartUpload, SentPart } from '../../src/ports/part-store.ts';
import { crc32Of } from '../fakes/memory-digest.ts';
import { patternBytes, sourceOf } from '../support/byte-source.ts';

export interface PartsUnderTest {
  /** A store with parts, over the same objects each time: a later life, or another host. */
  open(): Promise<ObjectStore>;
  /** Seen past the store: every visible key that begins with `prefix`, one entry per version. */
  visible(prefix: string): Promise<string[]>;
  bytes(key: string): Promise<Buffer>;
  /** Whether an abort is allowed. */
  readonly aborts: boolean;
}

const never = new AbortController().signal;
const absent: PutCondition = { absent: true };

/** What src/ports/part-store.ts promises, for every destination that has parts. */
export function partStoreContract(name: string, under: PartsUnderTest): void {
  let keys = 0;
  const freshKey = () => {
    keys += 1;
    return `training-logs/parts-${keys}/file.bin`;
  };

  async function opened(): Promise<{ store: ObjectStore; parts: PartStore; firstBytes: number }> {
    const store = await under.open();
    if (store.parts === undefined) return expect.fail('the store has no parts');
    return { store, parts: store.parts, firstBytes: store.parts.layout.firstBytes };
  }

  async function begin(parts: PartStore, key: string, metadata = {}): Promise<PartUpload> {
    const contentType = 'application/octet-stream';
    return { key, ...(await parts.begin({ key, contentType, metadata }, never)) };
  }

  async function sendAll(parts: PartStore, upload: PartUpload, bytes: Buffer): Promise<SentPart[]> {
    const sent: SentPart[] = [];
    for (const part of partsOf(upload.layout, bytes.length))
      sent.push(await parts.send(upload, part, sourceOf(bytes), never));
    return sent;
  }

  async function put(parts: PartStore, key: string, bytes: Buffer, condition = absent) {
    const upload = await begin(parts, key);
    return await parts.complete(upload, await sendAll(parts, upload, bytes), condition, never);
  }

  async function objectAt(store: ObjectStore, key: string): Promise<StoredObject> {
    return (await store.find(key, never)) ?? expect.fail(`nothing at ${key}`);
  }

  const partOne = ({ layout }: PartUpload): PartRange => ({
    number: 1,
    position: 0,
    sizeBytes: layout.firstBytes,
  });
  const errorOf = (work: Promise<unknown>) =>
    work.then(
      () => expect.fail('did not throw'),
      (error: unknown) => error,
    );

  describe(`part store contract: ${name}`, () => {
    test('complete() shows what was sent, in any order and part by part, and nothing is visible before', async () => {
      const { store, parts, firstBytes } = await opened();
      const key = freshKey();
      const bytes = patternBytes(2 * firstBytes + 3);
      const upload = await begin(parts, key, { session: 'a b', revision: '7' });
      const ranges = [...partsOf(upload.layout, bytes.length)];
      const send = (part: PartRange) => parts.send(upload, part, sourceOf(bytes), never);
      const sent = await Promise.all(ranges.toReversed().map(send));
      for (const part of sent) {
        const { position, sizeBytes } = ranges[part.number - 1] ?? expect.fail('no such part');
        expect(part.crc32).toBe(crc32Of(bytes.subarray(position, position + sizeBytes)));
        expect(part.sizeBytes).toBe(sizeBytes);
      }
      expect(await under.visible(key)).toEqual([]);
      expect(await store.find(key, never)).toBeUndefined();
      const receipt = await parts.complete(upload, sent.toReversed(), absent, never);
      expect(bytes.equals(await under.bytes(key))).toBe(true);
      expect(receipt).toEqual({
        etag: expect.stringMatching(/./),
        sizeBytes: bytes.length,
        crc32: crc32Of(bytes),
        partSizeBytes: firstBytes,
      });
      const found = await objectAt(store, key);
      expect(found).toMatchObject({ etag: receipt.etag, sizeBytes: bytes.length });
      expect(found.metadata).toMatchObject({ session: 'a b', revision: '7' });
      expect(await store.verify(found, sourceOf(bytes), never)).toEqual(receipt);
      expect(await store.verify(found, sourceOf(patternBytes(bytes.length, 2)), never)).toBeUndefined();
    });

    test('a part that is shorter than its layout says may be the only one', async () => {
      const { store, parts } = await opened();
      const key = freshKey();
      const receipt = await put(parts, key, Buffer.from('x'));
      expect(await objectAt(store, key)).toMatchObject({ etag: receipt.etag, sizeBytes: 1 });
    });

    test('send() reports progress up to the size of the part', async () => {
      const { parts, firstBytes } = await opened();
      const upload = await begin(parts, freshKey());
      const seen: number[] = [];
      const source = sourceOf(patternBytes(firstBytes));
      await parts.send(upload, partOne(upload), source, never, (count) => seen.push(count));
      expect(seen.at(-1)).toBe(firstBytes);
      expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    });

    test('of a part that was sent twice the later one counts', async () => {
      const { parts, firstBytes } = await opened();
      const key = freshKey();
      const upload = await begin(parts, key);
      await sendAll(parts, upload, patternBytes(firstBytes, 1));
      const bytes = patternBytes(firstBytes, 2);
      await parts.complete(upload, await sendAll(parts, upload, bytes), absent, never);
      expect(bytes.equals(await under.bytes(key))).toBe(true);
    });

    test('another life ends an upload with nothing but what was recorded of it', async () => {
      const { parts, firstBytes } = await opened();
      const key = freshKey();
      const bytes = patternBytes(2 * firstBytes);
      const upload = await begin(parts, key);
      const sent = await sendAll(parts, upload, bytes);
      const recorded = JSON.parse(JSON.stringify({ upload, sent }));
      const later = (await opened()).parts;
      await later.complete(recorded.upload, recorded.sent, absent, never);
      expect(bytes.equals(await under.bytes(key))).toBe(true);
    });

    test('complete() said twice gives the same receipt and makes no second version', async () => {
      const { parts, firstBytes } = await opened();
      const key = freshKey();
      const upload = await begin(parts, key);
      const sent = await sendAll(parts, upload, patternBytes(firstBytes + 1));
      const first = await parts.complete(upload, sent, absent, never);
      expect(await parts.complete(upload, sent, absent, never)).toEqual(first);
      expect(await under.visible(key)).toEqual([key]);
    });

    describe('an upload that the destination does not know is gone', () => {
      const unknown = async () => {
        const { parts } = await opened();
        const upload = await begin(parts, freshKey());
        return { parts, upload: { ...upload, uploadId: `${upload.uploadId.slice(0, -4)}0000` } };
      };

      test('for send()', async () => {
        const { parts, upload } = await unknown();
        const source = sourceOf(patternBytes(upload.layout.firstBytes));
        const sending = parts.send(upload, partOne(upload), source, never);
        await expect(sending).rejects.toBeInstanceOf(UploadGone);
      });

      test('for complete() where nothing is, and where another object is', async () => {
        const { parts, upload } = await unknown();
        const sent = [{ number: 1, sizeBytes: 1, etag: '0'.repeat(32), crc32: 'AAAAAA==' }];
        const completing = parts.complete(upload, sent, absent, never);
        await expect(completing).rejects.toBeInstanceOf(UploadGone);
        const there = await put(parts, upload.key, Buffer.from('other'));
        const replacing = parts.complete(upload, sent, { etag: there.etag }, never);
        await expect(replacing).rejects.toBeInstanceOf(UploadGone);
        expect(String(await under.bytes(upload.key))).toBe('other');
      });
    });

    test('abort() frees an upload, or says that it may not', async () => {
      const { parts, firstBytes } = await opened();
      const key = freshKey();
      const upload = await begin(parts, key);
      const sent = await sendAll(parts, upload, patternBytes(firstBytes));
      expect(await parts.abort(upload, never)).toBe(under.aborts);
      if (!under.aborts) return;
      expect(await parts.abort(upload, never)).toBe(true);
      await expect(parts.complete(upload, sent, absent, never)).rejects.toBeInstanceOf(UploadGone);
      expect(await under.visible(key)).toEqual([]);
    });

    describe('complete() keeps its condition', () => {
      test('and creates nothing over another object', async () => {
        const { store, parts, firstBytes } = await opened();
        const key = freshKey();
        await put(parts, key, Buffer.from('first'));
        const error = await errorOf(put(parts, key, patternBytes(firstBytes)));
        expect(error).toBeInstanceOf(Conflict);
        expect(error).toMatchObject({ key });
        expect(String(await under.bytes(key))).toBe('first');
        expect((await store.find(key, never))?.sizeBytes).toBe(5);
        expect(await under.visible(key)).toHaveLength(1);
      });

      test('and replaces the object with the ETag that was named, and no other', async () => {
        const { parts, firstBytes } = await opened();
        const key = freshKey();
        const first = await put(parts, key, Buffer.from('first'));
        const bytes = patternBytes(firstBytes + 1);
        await put(parts, key, bytes, { etag: first.etag });
        const stale = put(parts, key, Buffer.from('third'), { etag: first.etag });
        expect(await errorOf(stale)).toBeInstanceOf(Conflict);
        expect(bytes.equals(await under.bytes(key))).toBe(true);
      });

      test('and replaces nothing where nothing is', async () => {
        const { parts } = await opened();
        const key = freshKey();
        const condition = { etag: 'd41d8cd98f00b204e9800998ecf8427e' };
        expect(await errorOf(put(parts, key, Buffer.from('x'), condition))).toBeInstanceOf(Conflict);
        expect(await under.visible(key)).toEqual([]);
      });
    });

    describe('copy()', () => {
      test('makes a part of bytes that are already there, where that is done', async () => {
        const { store, parts, firstBytes } = await opened();
        const key = freshKey();
        const bytes = patternBytes(2 * firstBytes + 2);
        const old = bytes.subarray(0, firstBytes + 1);
        const { etag } = await put(parts, key, old);
        const from = await objectAt(store, key);
        const upload = await begin(parts, key);
        const crc32 = crc32Of(bytes.subarray(0, firstBytes));
        const copied = await parts.copy(upload, partOne(upload), from, crc32, never);
        if (copied === undefined) return;
        expect(copied).toMatchObject({ number: 1, sizeBytes: firstBytes, crc32 });
        const sent = [];
        for (const part of partsOf(upload.layout, bytes.length, 2))
          sent.push(await parts.send(upload, part, sourceOf(bytes), never));
        const receipt = await parts.complete(upload, [copied, ...sent], { etag }, never);
        expect(receipt.crc32).toBe(crc32Of(bytes));
        expect(bytes.equals(await under.bytes(key))).toBe(true);
        const found = await objectAt(store, key);
        expect(await store.verify(found, sourceOf(bytes), never)).toEqual(receipt);
      });

      test('takes nothing of an object that was replaced', async () => {
        const { store, parts, firstBytes } = await opened();
        const key = freshKey();
        const bytes = patternBytes(firstBytes + 1);
        const { etag } = await put(parts, key, bytes);
        const from = await objectAt(store, key);
        await put(parts, key, patternBytes(firstBytes + 1, 2), { etag });
        const upload = await begin(parts, key);
        const crc32 = crc32Of(bytes.subarray(0, firstBytes));
        const copying = parts.copy(upload, partOne(upload), from, crc32, never);
        const result = await copying.catch((error: unknown) => error);
        if (result !== undefined) expect(result).toBeInstanceOf(Conflict);
      });
    });

    test('what the source throws is passed on unchanged', async () => {
      const { parts, firstBytes } = await opened();
      const upload = await begin(parts, freshKey());
      const source = sourceOf(patternBytes(firstBytes), { availableBytes: firstBytes - 1 });
      const error = await errorOf(parts.send(upload, partOne(upload), source, never));
      expect(error).toBeInstanceOf(FileFailure);
      expect(error).toMatchObject({ reason: 'changing', code: 'ShortRead' });
    });

    test('every operation that was cancelled says so', async () => {
      const { parts, firstBytes } = await opened();
      const upload = await begin(parts, freshKey());
      const sent = await sendAll(parts, upload, patternBytes(firstBytes));
      const from = { key: upload.key, sizeBytes: firstBytes, etag: 'e', metadata: {} };
      const stopped = AbortSignal.abort();
      const operations: Promise<unknown>[] = [
        parts.begin({ key: upload.key, contentType: '', metadata: {} }, stopped),
        parts.send(upload, partOne(upload), sourceOf(patternBytes(firstBytes)), stopped),
        parts.copy(upload, partOne(upload), from, 'AAAAAA==', stopped),
        parts.complete(upload, sent, absent, stopped),
        parts.abort(upload, stopped),
      ];
      for (const operation of await Promise.allSettled(operations))
        expect(operation).toMatchObject({
          status: 'rejected',
          reason: { name: 'Failure', kind: 'cancelled' },
        });
    });
  });
}
