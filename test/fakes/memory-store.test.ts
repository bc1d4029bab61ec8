import { expect, test } from 'vitest';
import { objectStoreContract } from '../contracts/object-store.ts';
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
