import { expect, onTestFinished, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { AbandonedUploads } from '../../src/services/abandoned-uploads.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { newSession, sqliteJournal } from '../support/journal.ts';

const never = new AbortController().signal;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Uploads of one part of four bytes each, given up. */
async function givenUp(count: number, options: { aborts: boolean }) {
  const under = sqliteJournal();
  onTestFinished(() => under[Symbol.dispose]());
  const clock = new FakeClock();
  const store = new MemoryStore({ parts: { firstBytes: 4, ...options } });
  const { journal } = under;
  const { parts } = store;
  if (!parts) return expect.fail('the store has no parts');
  const { sid } = journal.begin(newSession('a'));
  for (let n = 0; n < count; n++) {
    const path = `${n}.bin`;
    const begun = await parts.begin({ key: path, contentType: '', metadata: {} }, never);
    journal.beginUpload(sid, path, { ...begun, key: path, file: 'f', beganAtMs: clock.nowMs() });
    const part = { number: 1, sizeBytes: 4, etag: 'e', crc32: 'AAAAAA==' };
    journal.recordPart(sid, path, begun.uploadId, part);
    journal.giveUpUpload(sid, path);
  }
  const aborts = () => store.calls.filter((call) => call.startsWith('abort')).length;
  return { clock, store, journal, aborts, abandoned: new AbandonedUploads({ journal, parts, clock }) };
}

test('uploads that were given up are freed, however many', async () => {
  const { store, journal, abandoned } = await givenUp(450, { aborts: true });
  expect(store.openUploads()).toHaveLength(450);
  await abandoned.free(never);
  expect(store.openUploads()).toEqual([]);
  expect(journal.uploadCounts()).toMatchObject({ abandoned: 0 });
});

test('where that is denied they are counted with their bytes, and asked for once an hour', async () => {
  const { clock, journal, abandoned, aborts } = await givenUp(3, { aborts: false });
  for (let round = 0; round < 5; round++) await abandoned.free(never);
  expect(aborts()).toBe(1);
  expect(journal.uploadCounts()).toMatchObject({ abandoned: 3, abandonedBytes: 12 });
  await clock.advance(hourMs);
  await abandoned.free(never);
  expect(aborts()).toBe(2);
});

test('after seven days the lifecycle has freed them: they are forgotten without a request', async () => {
  const { clock, journal, abandoned, aborts } = await givenUp(3, { aborts: false });
  await clock.advance(7 * dayMs - 1);
  await abandoned.free(never);
  expect(journal.uploadCounts()).toMatchObject({ abandoned: 3 });
  await clock.advance(1);
  const asked = aborts();
  await abandoned.free(never);
  expect(journal.uploadCounts()).toMatchObject({ abandoned: 0 });
  expect(aborts()).toBe(asked);
});

test('a failure leaves the rest to the next round', async () => {
  const { store, journal, abandoned } = await givenUp(3, { aborts: true });
  store.failCall(
    'abort',
    2,
    new Failure({ kind: 'transient', code: 'InternalError', attempted: 'freeing: 500' }),
  );
  await abandoned.free(never);
  expect(journal.uploadCounts()).toMatchObject({ abandoned: 2 });
  await abandoned.free(never);
  expect(journal.uploadCounts()).toMatchObject({ abandoned: 0 });
});
