import { expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { readResumeRecord } from '../../src/domain/resume-record.ts';
import type { StoredObject } from '../../src/ports/object-store.ts';
import { ResumeRecords } from '../../src/services/resume-records.ts';
import { settleMs, World } from '../support/services.ts';

const signal = new AbortController().signal;
const snapshotEveryMs = 5 * 60_000;
const path = 'out.log';
const key = `training-logs/companions/2026/01/a/${path}`;

/** An upload in the ledger with one part more than its record in the bucket names. */
async function behind() {
  const world = new World({ parts: { firstBytes: 8 } });
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write(`a/${path}`, 'aaaaaaaab');
  const agent = world.start({ snapshotEveryMs });
  await agent.look();
  for (const ms of [snapshotEveryMs, settleMs]) {
    await world.clock.advance(ms);
    await agent.look();
    await agent.ship();
    await agent.grown();
  }
  const { journal, context } = agent;
  const identity = journal.session(1)?.identity;
  const open = journal.openUpload(1, path);
  const part = open?.parts[0];
  if (!identity || !open || !part) return expect.fail('nothing of the file is in the bucket');
  journal.recordPart(1, path, open.uploadId, { ...part, number: 2 });
  const target = { sid: 1, session: 'a', path, key, metadata: {}, contentType: 'text/plain' };
  const records = new ResumeRecords(context, snapshotEveryMs);
  const [recordKey = ''] = world.store.keys('training-logs/companions/2026/01/a/.resume/');
  const partsNamed = () =>
    world.store.versions(recordKey).map(({ bytes }) => readResumeRecord(bytes.toString())?.parts.length);
  const giveUp = () => journal.giveUpUpload(1, path);
  return { world, journal, identity, open, target, records, recordKey, partsNamed, giveUp };
}

test('what is given up while it is being recorded is void in the end', async () => {
  const { world, journal, identity, open, target, records, partsNamed, giveUp } = await behind();
  const resume = world.store.pause();
  const written = records.write(target, identity, signal);
  const retired = records.retire(target, open, giveUp, signal);
  const again = records.write(target, identity, signal);
  resume();
  await Promise.all([written, retired, again]);
  expect(partsNamed()).toEqual([1, 2, 0]);
  expect(journal.openUpload(1, path)).toBeUndefined();
  expect(journal.abandonedUploads(9)).toHaveLength(1);
});

test('what the ledger gives up by itself while it is first recorded is made void after that', async () => {
  const { world, journal, identity, target, records, giveUp } = await behind();
  const named: (number | undefined)[] = [];
  const { find, put } = world.store;
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  let there: StoredObject | undefined;
  world.store.find = async () => there;
  world.store.put = async (request) => {
    if (named.length === 0) await held;
    named.push(
      readResumeRecord((await request.source.read(0, request.source.sizeBytes)).toString())?.parts.length,
    );
    there = { key: request.key, etag: `e${named.length}`, sizeBytes: 1, metadata: request.metadata };
    return { etag: there.etag, sizeBytes: 1, crc32: '' };
  };
  const written = records.write(target, identity, signal);
  await new Promise((resolve) => setImmediate(resolve));
  giveUp();
  const voided = records.voidGivenUp(1, new Set([path]), signal);
  await new Promise((resolve) => setImmediate(resolve));
  letGo();
  await Promise.all([written, voided]);
  Object.assign(world.store, { find, put });
  expect(named).toEqual([2, 0]);
  expect(journal.namedUploads(1)).toEqual([]);
});

test('who may wait no longer for its turn leaves the record to another try', async () => {
  const { world, journal, identity, target, records, partsNamed, giveUp } = await behind();
  const resume = world.store.pause();
  const written = records.write(target, identity, signal);
  await new Promise((resolve) => setImmediate(resolve));
  giveUp();
  const stop = new AbortController();
  const voided = records.voidGivenUp(1, new Set([path]), stop.signal);
  stop.abort();
  await expect(voided).rejects.toMatchObject({ kind: 'cancelled' });
  resume();
  await written;
  expect(journal.namedUploads(1)).toHaveLength(1);
  await records.voidGivenUp(1, new Set([path]), signal);
  expect(partsNamed()).toEqual([1, 2, 0]);
});

test('what is given up with its record void needs no second look', async () => {
  const { journal, open, target, records, partsNamed, giveUp } = await behind();
  await records.retire(target, open, giveUp, signal);
  expect(journal.abandonedUploads(9)).toHaveLength(1);
  expect(journal.namedUploads(1)).toEqual([]);
  await records.voidGivenUp(1, new Set([path]), signal);
  expect(partsNamed()).toEqual([1, 0]);
});

test('a failure to make it void gives nothing up, and holds up no later try', async () => {
  const { world, journal, open, target, records, partsNamed, giveUp } = await behind();
  world.store.failNext('find', new Failure({ kind: 'transient', code: 'SlowDown', attempted: 'x' }));
  await expect(records.retire(target, open, giveUp, signal)).rejects.toMatchObject({ code: 'SlowDown' });
  expect(journal.openUpload(1, path)?.uploadId).toBe(open.uploadId);
  await records.retire(target, open, giveUp, signal);
  expect(partsNamed()).toEqual([1, 0]);
  expect(journal.openUpload(1, path)).toBeUndefined();
});

test('a record that somebody else put there is not made void', async () => {
  const { world, open, target, records, recordKey, giveUp } = await behind();
  world.store.seed(recordKey, 'not ours', { origin: 'elsewhere' });
  await records.retire(target, open, giveUp, signal);
  expect(world.store.text(recordKey)).toBe('not ours');
});

test('who stops gives nothing up', async () => {
  const { journal, open, target, records, partsNamed, giveUp } = await behind();
  const retired = records.retire(target, open, giveUp, AbortSignal.abort());
  await expect(retired).rejects.toMatchObject({ kind: 'cancelled' });
  expect(journal.openUpload(1, path)?.uploadId).toBe(open.uploadId);
  expect(partsNamed()).toEqual([1]);
});
