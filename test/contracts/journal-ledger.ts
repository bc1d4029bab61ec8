import { describe, expect, test } from 'vitest';
import type { NewUpload } from '../../src/ports/ledger.ts';
import type { SentPart } from '../../src/ports/part-store.ts';
import { companion, draftOf, failedOf, identityOf, logOf, parkedOf, workOf } from '../support/journal.ts';
import type { JournalBench } from './journal-bench.ts';

export function uploadOf(uploadId: string, with_: Partial<NewUpload> = {}): NewUpload {
  const layout = { firstBytes: 100, doublesEvery: 900 };
  return { key: 'k', uploadId, checksum: 'crc32', layout, file: 'f', beganAtMs: 7_000, ...with_ };
}

function partOf(number: number, with_: Partial<SentPart> = {}): SentPart {
  return { number, sizeBytes: 100, etag: `e${number}`, crc32: `c${number}`, ...with_ };
}

/** How far uploads in parts got, and what is left of those that were given up. */
export function ledgerContract(bench: JournalBench): void {
  const { begun, queued } = bench;

  function sending(path = 'a', parts: readonly number[] = [1, 2]): number {
    const sid = queued('run', companion(path));
    bench.journal.beginUpload(sid, path, uploadOf('u1'));
    for (const part of parts) bench.journal.recordPart(sid, path, 'u1', partOf(part));
    return sid;
  }
  const counts = () => bench.journal.uploadCounts();
  const givenUp = (uploads: number) => expect(counts()).toMatchObject({ open: 0, abandoned: uploads });

  const givenUpBut = (open: number) => expect(counts()).toMatchObject({ open, abandoned: 0 });

  describe('an upload in parts', () => {
    test('is remembered with all that another life needs to go on', () => {
      const sid = begun('run');
      const upload = uploadOf('u1', { checksum: 'md5', token: 't' });
      bench.journal.beginUpload(sid, 'a', upload);
      for (const part of [partOf(3), partOf(1), partOf(2, { sizeBytes: 50 })])
        bench.journal.recordPart(sid, 'a', 'u1', part);
      bench.journal.recordPart(sid, 'a', 'u1', partOf(2, { etag: 'again' }));
      bench.journal.recordResume(sid, 'a', 'u1', { etag: 'r', parts: 2 });
      bench.reopen();
      expect(bench.journal.openUpload(sid, 'a')).toEqual({
        ...upload,
        path: 'a',
        parts: [partOf(1), partOf(2, { etag: 'again' }), partOf(3)],
        resume: { etag: 'r', parts: 2 },
      });
      expect(counts()).toEqual({ open: 1, openBytes: 300, abandoned: 0, abandonedBytes: 0 });
    });

    test('is one of its file; others of the session are listed by path', () => {
      const sid = begun('run');
      const other = begun('other');
      for (const path of ['b', 'a']) bench.journal.beginUpload(sid, path, uploadOf(`u-${path}`));
      bench.journal.beginUpload(other, 'a', uploadOf('elsewhere'));
      expect(bench.journal.openUploads(sid).map(({ uploadId }) => uploadId)).toEqual(['u-a', 'u-b']);
      expect(bench.journal.openUpload(sid, 'c')).toBeUndefined();
      expect(bench.journal.openUpload(sid, 'a')?.resume).toBeUndefined();
    });

    test('takes the place of one that is open: its late answers are not recorded', () => {
      const sid = sending();
      bench.journal.beginUpload(sid, 'a', uploadOf('u2', { key: 'k2' }));
      bench.journal.recordPart(sid, 'a', 'u1', partOf(3));
      bench.journal.recordResume(sid, 'a', 'u1', { etag: 'r', parts: 2 });
      expect(bench.journal.openUpload(sid, 'a')).toMatchObject({
        uploadId: 'u2',
        parts: [],
        resume: undefined,
      });
      expect(bench.journal.abandonedUploads(9)).toEqual([
        { upload: expect.any(Number), key: 'k', uploadId: 'u1', sentBytes: 200, beganAtMs: 7_000 },
      ]);
    });

    test('that is closed is forgotten: its parts became the object', () => {
      const sid = sending();
      bench.journal.closeUpload(sid, 'a');
      expect(bench.journal.openUpload(sid, 'a')).toBeUndefined();
      givenUp(0);
    });

    test('is closed by the receipt of its file', () => {
      const sid = sending();
      bench.sent(sid, 'a');
      givenUp(0);
    });
  });

  describe('an upload that was given up', () => {
    test('is named, oldest first, until it was freed', () => {
      const sid = begun('run');
      for (const id of ['u1', 'u2', 'u3']) bench.journal.beginUpload(sid, 'a', uploadOf(id));
      bench.journal.giveUpUpload(sid, 'a');
      bench.reopen();
      const named = bench.journal.abandonedUploads(9);
      expect(named.map(({ uploadId }) => uploadId)).toEqual(['u1', 'u2', 'u3']);
      expect(bench.journal.abandonedUploads(2)).toHaveLength(2);
      for (const { upload } of named.slice(1)) bench.journal.recordFreed(upload);
      expect(bench.journal.abandonedUploads(9)).toEqual(named.slice(0, 1));
    });

    test('cannot be open again, and freeing names no other', () => {
      const sid = sending();
      bench.journal.giveUpUpload(sid, 'a');
      bench.journal.giveUpUpload(sid, 'a');
      bench.journal.beginUpload(sid, 'a', uploadOf('u2'));
      const [one] = bench.journal.abandonedUploads(9);
      bench.journal.recordFreed(one?.upload ?? 0);
      bench.journal.recordFreed((one?.upload ?? 0) + 1);
      expect(bench.journal.openUpload(sid, 'a')?.uploadId).toBe('u2');
      givenUpBut(1);
    });

    test('counts with its bytes', () => {
      sending('a', [1, 2, 3]);
      const sid = begun('other');
      bench.journal.beginUpload(sid, 'b', uploadOf('u2'));
      bench.journal.recordPart(sid, 'b', 'u2', partOf(1));
      bench.journal.giveUpUpload(sid, 'b');
      expect(counts()).toEqual({ open: 1, openBytes: 300, abandoned: 1, abandonedBytes: 100 });
    });
  });

  describe('a record in the bucket', () => {
    const named = (sid: number) => bench.journal.namedUploads(sid).map(({ uploadId }) => uploadId);
    const giveUp = (sid: number) => bench.journal.giveUpUpload(sid, 'a');

    test('may name what was given up until it is known to be void, whoever gave it up', () => {
      const sid = sending();
      expect(named(sid)).toEqual([]);
      bench.journal.recordGone(sid, 'a', 'f1');
      bench.reopen();
      expect(bench.journal.namedUploads(sid)).toMatchObject([{ uploadId: 'u1', path: 'a', parts: [{}, {}] }]);
      bench.journal.recordVoid(sid, 'a');
      expect(named(sid)).toEqual([]);
      givenUp(1);
    });

    test('names nothing of an upload without a first part', () => {
      const sid = sending('a', [2]);
      giveUp(sid);
      expect(named(sid)).toEqual([]);
    });

    test('is replaced by that of the next upload, and by none that came too late', () => {
      const sid = sending();
      giveUp(sid);
      bench.journal.recordResume(sid, 'a', 'u1', { etag: 'late', parts: 2 });
      bench.journal.beginUpload(sid, 'a', uploadOf('u2'));
      bench.journal.recordPart(sid, 'a', 'u2', partOf(1));
      expect(named(sid)).toEqual(['u1']);
      bench.journal.recordResume(sid, 'a', 'u2', { etag: 'r', parts: 1 });
      expect(named(sid)).toEqual([]);
      giveUp(sid);
      expect(named(sid)).toEqual(['u2']);
    });

    test('of another file, or of another session, is another one', () => {
      const sid = sending();
      const other = begun('other');
      giveUp(sid);
      for (const path of ['b', 'A']) bench.journal.recordVoid(sid, path);
      bench.journal.recordVoid(other, 'a');
      expect(named(sid)).toEqual(['u1']);
      expect(named(other)).toEqual([]);
    });

    test('needs nothing any more once the parts are freed', () => {
      const sid = sending();
      giveUp(sid);
      for (const { upload } of bench.journal.abandonedUploads(9)) bench.journal.recordFreed(upload);
      expect(named(sid)).toEqual([]);
    });
  });

  describe('the parts of a file', () => {
    test('are given up when it is gone', () => {
      const sid = sending();
      bench.journal.recordGone(sid, 'a', 'f1');
      givenUp(1);
    });

    test('are kept when what is gone is not what is queued any more', () => {
      const sid = sending();
      bench.journal.recordGone(sid, 'a', 'another');
      givenUpBut(1);
    });

    test('are kept when a try failed or a person is needed', () => {
      const sid = sending();
      bench.journal.recordFailed(sid, 'a', failedOf());
      bench.journal.recordParked(sid, 'a', parkedOf());
      givenUpBut(1);
    });

    test('are given up when its session moves to another id', () => {
      const sid = sending();
      bench.journal.rename(sid, identityOf('moved'), (path) => `moved/${path}`);
      givenUp(1);
    });

    test('are given up when its session has ended without it, but kept while it is parked', () => {
      const sid = sending();
      bench.journal.beginUpload(sid, 'never queued', uploadOf('u2'));
      bench.journal.recordParked(sid, 'a', parkedOf());
      bench.journal.recordLog(sid, logOf(1, []));
      expect(bench.journal.finish(bench.shipmentOf(sid))).toBe(true);
      expect(bench.journal.openUploads(sid).map(({ path }) => path)).toEqual(['a']);
      expect(counts()).toMatchObject({ open: 1, abandoned: 1 });
    });

    test.each(['running', 'stalled'] as const)('are kept while its session is %s', (status) => {
      const sid = begun('run');
      bench.journal.enqueue(sid, workOf([], { draft: draftOf(status) }));
      bench.journal.beginUpload(sid, 'grows', uploadOf('u1'));
      bench.journal.recordLog(sid, logOf(1, []));
      expect(bench.journal.finish(bench.shipmentOf(sid))).toBe(true);
      givenUpBut(1);
    });
  });

  describe('sessions by what they have left to send', () => {
    test('count pending files without the parts that are there, and name only what is due', () => {
      const large = queued('large', companion('a', 'f1', { sizeBytes: 1_000 }));
      const middle = queued(
        'middle',
        companion('a', 'f1', { sizeBytes: 300 }),
        companion('b', 'f1', { sizeBytes: 300 }),
      );
      const small = queued('small', companion('a', 'f1', { sizeBytes: 500 }));
      const later = queued('later');
      bench.journal.postpone(later, 100);
      const order = () => bench.journal.leastUnsent('/data/runs', 50, 9);
      expect(order()).toEqual([small, middle, large]);
      bench.journal.beginUpload(large, 'a', uploadOf('u1'));
      bench.journal.recordPart(large, 'a', 'u1', partOf(1, { sizeBytes: 600 }));
      expect(order()).toEqual([large, small, middle]);
      bench.sent(middle, 'a');
      expect(order()).toEqual([middle, large, small]);
      expect(bench.journal.leastUnsent('/data/runs', 100, 2)).toEqual([later, middle]);
    });
  });

  describe('a request of unknown outcome', () => {
    const doubtOf = (sid: number) => {
      const { uncertain, staleRequest } = bench.file(sid, 'a') ?? {};
      return { uncertain, staleRequest };
    };

    test('with the bytes that are queued is not stale', () => {
      const sid = queued('run', companion('a'));
      bench.journal.recordFailed(sid, 'a', failedOf({ uncertain: true }));
      expect(doubtOf(sid)).toEqual({ uncertain: true, staleRequest: false });
      bench.journal.enqueue(sid, workOf([companion('a')]));
      bench.journal.recover();
      expect(doubtOf(sid)).toEqual({ uncertain: true, staleRequest: false });
    });

    test('is stale once other bytes are queued, until their receipt', () => {
      const sid = queued('run', companion('a'));
      bench.journal.recordFailed(sid, 'a', failedOf({ uncertain: true }));
      bench.journal.enqueue(sid, workOf([companion('a', 'f2')]));
      expect(doubtOf(sid)).toEqual({ uncertain: true, staleRequest: true });
      bench.journal.recordFailed(sid, 'a', failedOf({ fingerprint: 'f2', uncertain: true }));
      bench.journal.recover();
      expect(doubtOf(sid)).toEqual({ uncertain: true, staleRequest: true });
      bench.sent(sid, 'a', 'f2');
      expect(doubtOf(sid)).toEqual({ uncertain: false, staleRequest: false });
    });

    test('is stale when other bytes were queued while it was under way', () => {
      const sid = queued('run', companion('a'));
      bench.journal.enqueue(sid, workOf([companion('a', 'f2')]));
      bench.journal.recordFailed(sid, 'a', failedOf({ fingerprint: 'f1', uncertain: true }));
      expect(doubtOf(sid)).toEqual({ uncertain: true, staleRequest: true });
    });

    test('for a log leaves it in doubt until it was looked at again, or the session is done', () => {
      const sid = queued('run');
      expect(bench.shipmentOf(sid).logDoubted).toBe(false);
      bench.journal.postpone(sid, 0, parkedOf());
      expect(bench.shipmentOf(sid).logDoubted).toBe(true);
      bench.journal.recordLog(sid, logOf(1, []));
      expect(bench.shipmentOf(sid).logDoubted).toBe(true);
      bench.journal.setCertain(sid);
      expect(bench.shipmentOf(sid).logDoubted).toBe(false);
      bench.journal.recover();
      expect(bench.shipmentOf(sid).logDoubted).toBe(true);
    });

    test('that met an object nobody knows of leaves the log contested until one is written', () => {
      const sid = queued('run', companion('a'));
      bench.sent(sid, 'a');
      bench.journal.recordLog(sid, logOf(1, []));
      bench.journal.contestLog(sid);
      const contested = { logContested: true, logDoubted: true, logDigest: undefined };
      expect(bench.shipmentOf(sid)).toMatchObject(contested);
      expect(bench.file(sid, 'a')?.listed).toBe(true);
      bench.journal.setCertain(sid);
      bench.journal.postpone(sid, 0, parkedOf());
      bench.journal.recover();
      bench.reopen();
      expect(bench.shipmentOf(sid)).toMatchObject(contested);
      bench.journal.recordLog(sid, { ...logOf(2, []), found: true });
      expect(bench.shipmentOf(sid)).toMatchObject({ logContested: true, logDigest: expect.any(String) });
      bench.journal.recordLog(sid, logOf(3, []));
      expect(bench.shipmentOf(sid)).toMatchObject({ logContested: false, logDoubted: true });
    });
  });
}
