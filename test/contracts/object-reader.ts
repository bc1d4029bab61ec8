import { describe, expect, test } from 'vitest';
import type { ListedObject, ListManner, ObjectReader } from '../../src/ports/object-reader.ts';
import { patternBytes } from '../support/byte-source.ts';
import { md5Of } from './object-store.ts';

export interface ReaderUnderTest {
  /** Opened once for the suite; every test uses keys of its own. */
  open(): Promise<ObjectReader>;
  /** Past the reader, as somebody else who writes there. */
  put(key: string, bytes: Buffer | string): Promise<void>;
  remove(key: string): Promise<void>;
}

const never = new AbortController().signal;

/** What src/ports/object-reader.ts promises, for every destination. */
export function objectReaderContract(name: string, under: ReaderUnderTest): void {
  let opened: Promise<ObjectReader> | undefined;
  const reader = () => {
    opened ??= under.open();
    return opened;
  };
  let cases = 0;
  const freshPrefix = () => {
    cases += 1;
    return `training-logs/reader-${cases}/`;
  };
  const list = async (prefix: string, how: ListManner = {}) => {
    const found: ListedObject[] = [];
    for await (const page of (await reader()).pages(prefix, how, never)) found.push(...page);
    return found;
  };
  const keysOf = async (prefix: string, how?: ListManner) => (await list(prefix, how)).map(({ key }) => key);
  const bytesOf = async (key: string, position = 0, etag?: string) => {
    const from = etag === undefined ? { position } : { position, etag };
    const { body, ...opened } = await (await reader()).read(key, from, never);
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    return { ...opened, bytes: Buffer.concat(chunks) };
  };
  const failureOf = (work: Promise<unknown>) =>
    work.then(
      () => expect.fail('did not throw'),
      (error: unknown) => error,
    );

  describe(`object reader contract: ${name}`, () => {
    test('pages() has every object that begins with the prefix, in byte order, with size and ETag', async () => {
      const prefix = freshPrefix();
      const tails = ['a.log', 'a/b', 'a/b.c', 'a-b/x', 'ab', 'ä🙂/ü', 'plus+and %2F&=', '.hidden/x'];
      for (const tail of tails) await under.put(prefix + tail, tail);
      const sorted = tails
        .map((tail) => prefix + tail)
        .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      const found = await list(prefix, { etags: true });
      expect(found.map(({ key }) => key)).toEqual(sorted);
      for (const object of found) {
        const tail = object.key.slice(prefix.length);
        expect(object).toMatchObject({
          sizeBytes: Buffer.byteLength(tail),
          etag: md5Of(tail),
          isArchived: false,
        });
        expect(object.writtenAtMs).toBeGreaterThan(Date.UTC(2020));
      }
      expect(await keysOf(`${prefix}a`)).toEqual(sorted.filter((key) => key.startsWith(`${prefix}a`)));
      expect(await keysOf(`${prefix}a/`)).toEqual([`${prefix}a/b`, `${prefix}a/b.c`]);
      expect(await keysOf(`${prefix}a/b`)).toEqual([`${prefix}a/b`, `${prefix}a/b.c`]);
      expect(await keysOf(prefix, { isFlat: true })).toEqual(
        sorted.filter((key) => !key.slice(prefix.length).includes('/')),
      );
      expect(await keysOf(`${prefix}a`, { limit: 2 })).toEqual([`${prefix}a-b/x`, `${prefix}a.log`]);
      expect(await keysOf(`${prefix}nothing`)).toEqual([]);
      expect(await keysOf(`${prefix}a.log/deeper/`)).toEqual([]);
    });

    test('pages() goes on where a page ends', async () => {
      const prefix = freshPrefix();
      const keys = Array.from({ length: 1003 }, (_, at) => `${prefix}${String(at).padStart(5, '0')}`);
      for (let at = 0; at < keys.length; at += 50)
        await Promise.all(keys.slice(at, at + 50).map((key) => under.put(key, 'x')));
      const sizes: number[] = [];
      for await (const page of (await reader()).pages(prefix, {}, never)) sizes.push(page.length);
      expect(await keysOf(prefix)).toEqual(keys);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(1000);
    });

    test('read() has all bytes, or those from a position on, of the object with this ETag', async () => {
      const key = `${freshPrefix()}object`;
      const bytes = patternBytes(3_000_000);
      await under.put(key, bytes);
      const whole = await bytesOf(key);
      expect(whole.bytes.equals(bytes)).toBe(true);
      expect(whole).toMatchObject({ etag: md5Of(bytes), sizeBytes: bytes.length });
      const rest = await bytesOf(key, 2_999_000, md5Of(bytes));
      expect(rest.bytes.equals(bytes.subarray(2_999_000))).toBe(true);
      expect(rest).toMatchObject({ etag: md5Of(bytes), sizeBytes: bytes.length });
      await under.put(`${key}-empty`, '');
      expect(await bytesOf(`${key}-empty`)).toMatchObject({ sizeBytes: 0, bytes: Buffer.alloc(0) });
    });

    test('read() tells an object that was replaced from one that is gone', async () => {
      const key = `${freshPrefix()}object`;
      await under.put(key, 'first');
      await under.put(key, 'second');
      const replaced = await failureOf(bytesOf(key, 0, md5Of('first')));
      expect(replaced).toMatchObject({ name: 'Failure', kind: 'transient', code: 'PreconditionFailed' });
      await under.remove(key);
      const gone = await failureOf(bytesOf(key));
      expect(gone).toMatchObject({ name: 'Failure', kind: 'transient', code: 'NoSuchKey' });
      expect(String(gone)).toContain(JSON.stringify(key));
    });

    test('a body that nobody reads to its end holds nothing up', async () => {
      const key = `${freshPrefix()}object`;
      await under.put(key, patternBytes(8_000_000));
      for (let times = 0; times < 3; times += 1) {
        const { body } = await (await reader()).read(key, { position: 0 }, never);
        for await (const chunk of body) {
          expect(chunk.length).toBeGreaterThan(0);
          break;
        }
      }
      expect((await bytesOf(key)).bytes.length).toBe(8_000_000);
    });

    test('what was cancelled is told apart from failures', async () => {
      const key = `${freshPrefix()}object`;
      await under.put(key, patternBytes(8_000_000));
      const stop = new AbortController();
      const { body } = await (await reader()).read(key, { position: 0 }, stop.signal);
      const half = (async () => {
        for await (const _ of body) stop.abort();
      })();
      expect(await failureOf(half)).toMatchObject({ name: 'Failure', kind: 'cancelled' });
      const listing = async () => {
        for await (const _ of (await reader()).pages(key, {}, stop.signal)) expect.fail('it listed');
      };
      expect(await failureOf(listing())).toMatchObject({ name: 'Failure', kind: 'cancelled' });
      expect(await failureOf((await reader()).read(key, { position: 0 }, stop.signal))).toMatchObject({
        kind: 'cancelled',
      });
    });
  });
}
