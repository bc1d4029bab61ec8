import { expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { readResumeRecord } from '../../src/domain/resume-record.ts';
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
