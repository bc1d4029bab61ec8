import { expect, test } from 'vitest';
import { objectStoreContract } from '../contracts/object-store.ts';
import { partStoreContract } from '../contracts/part-store.ts';
import { sourceOf } from '../support/byte-source.ts';
import { MemoryStore } from './memory-store.ts';

for (const createIsAtomic of [true, false]) {
  const store = new MemoryStore({ createIsAtomic });
  objectStoreContract(createIsAtomic ? 'memory' : 'memory, first writes not atomic', {
    open: async () => store,
    visible: async (prefix) => store.keys(prefix).flatMap((key) => store.versions(key).map(() => key)),
    bytes: async (key) => (await store.get(key, Number.MAX_SAFE_INTEGER, new AbortController().signal)).bytes,
    extraKeys: ['a//b', 'trailing/'],
  });
}

for (const more of [{}, { copies: false, aborts: false, checksum: 'md5', doublesEvery: 1 }] as const) {
  const store = new MemoryStore({ parts: { firstBytes: 10, ...more } });
  partStoreContract(`memory, ${JSON.stringify(more)}`, {
    open: async () => store,
    visible: async (prefix) => store.keys(prefix).flatMap((key) => store.versions(key).map(() => key)),
    bytes: async (key) => store.versions(key).at(-1)?.bytes ?? Buffer.alloc(0),
    aborts: !('aborts' in more),
  });
}

test('openUploads() shows what was begun, with its parts, until it is completed, aborted or forgotten', async () => {
  const store = new MemoryStore({ parts: { firstBytes: 4 } });
  const { signal } = new AbortController();
  const begun = await store.parts?.begin({ key: 'k', contentType: 't', metadata: {} }, signal);
  if (begun === undefined || store.parts === undefined) return expect.fail('the store has no parts');
  const part = { number: 1, position: 0, sizeBytes: 4 };
  store.failNext('sendPart', new Error('answer lost'), 'after');
  await expect(store.parts.send({ key: 'k', ...begun }, part, sourceOf('abcd'), signal)).rejects.toThrow(
    'answer lost',
  );
  expect(store.openUploads().map(({ key, parts }) => [key, String(parts.get(1)?.bytes)])).toEqual([
    ['k', 'abcd'],
  ]);
  store.forgetUpload(begun.uploadId);
  expect(store.openUploads()).toEqual([]);
  expect(store.calls).toEqual(['begin k', 'sendPart k']);
});

test('failNext() fails the calls that come next, before or after they were carried out', async () => {
  const store = new MemoryStore();
  const { signal } = new AbortController();
  const put = (key: string) =>
    store.put(
      { key, source: sourceOf(key), contentType: '', metadata: {}, condition: { absent: true } },
      signal,
    );
  store.failNext('put', new Error('refused'));
  store.failNext('put', new Error('answer lost'), 'after');
  await expect(put('a')).rejects.toThrow('refused');
  await expect(put('b')).rejects.toThrow('answer lost');
  await put('c');
  expect(store.keys()).toEqual(['b', 'c']);
  expect(store.calls).toEqual(['put a', 'put b', 'put c']);
});
