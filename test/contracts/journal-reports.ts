import { describe, expect, test } from 'vitest';
import {
  companion,
  denied,
  draftOf,
  failedOf,
  folder,
  identityOf,
  logOf,
  newSession,
  otherFile,
  parkedOf,
  receiptOf,
  silence,
  workOf,
} from '../support/journal.ts';
import type { JournalBench } from './journal-bench.ts';

/** What may be deleted, and what is not in the bucket yet. */
export function reportContract(bench: JournalBench): void {
  const { begun, file, queued, sent, shipmentOf, shipped } = bench;

  test('a journal tells whether anything was delivered: by a receipt, a log or an upload in parts', () => {
    expect(bench.journal.hasDelivered()).toBe(false);
    queued('waits', companion('x'));
    expect(bench.journal.hasDelivered()).toBe(false);
    shipped('a', 'x');
    expect(bench.journal.hasDelivered()).toBe(true);
  });

  describe('what may be deleted', () => {
    const deletable = () => bench.journal.deletable(folder, 5_000, 10).map(({ file: one }) => one.path);

    test('is a file with a receipt, listed by the last log of a session that ended by evidence', () => {
      const sid = shipped('a', 'x');
      expect(bench.journal.deletable(folder, 5_000, 10)).toEqual([
        { sid, session: 'a', root: 'a', kind: 'directory', file: file(sid, 'x') },
      ]);
      expect(bench.journal.deletable(folder, 5_000, 0)).toEqual([]);
      bench.journal.recordDeleted(sid, 'x');
      expect(file(sid, 'x')).toMatchObject({ state: 'deleted', receipt: receiptOf('e-x') });
      expect(deletable()).toEqual([]);
    });

    /** Done but for one thing. */
    const finished = (sid: number, listed: string[], log = {}) => {
      bench.journal.recordLog(sid, logOf(1, listed, log));
      bench.journal.finish(shipmentOf(sid));
    };
    test.each<[string, () => void]>([
      ['whose receipt is too fresh', () => shippedAt(5_001)],
      [
        'of another folder',
        () => {
          const { sid } = bench.journal.begin(newSession('a', { folder: '/elsewhere' }));
          bench.journal.freeze(sid, identityOf('a'));
          bench.journal.enqueue(sid, workOf([companion('x')]));
          sent(sid, 'x');
          finished(sid, ['x']);
        },
      ],
      [
        'of a session that fell silent',
        () => {
          const sid = begun('a');
          bench.journal.enqueue(sid, workOf([companion('x')], { seal: silence }));
          sent(sid, 'x');
          finished(sid, ['x']);
        },
      ],
      [
        'of a session that still runs',
        () => {
          const sid = begun('a');
          bench.journal.enqueue(
            sid,
            workOf([companion('x')], { seal: undefined, draft: draftOf('running') }),
          );
          sent(sid, 'x');
          finished(sid, ['x']);
        },
      ],
      [
        'of a session that is not shipped yet',
        () => {
          const sid = queued('a', companion('x'));
          sent(sid, 'x');
          bench.journal.recordLog(sid, logOf(1, ['x']));
        },
      ],
      ['of a session whose directory is gone', () => bench.journal.setGone(shipped('a', 'x'))],
      [
        'that the log does not list',
        () => {
          const sid = queued('a', companion('x'));
          sent(sid, 'x');
          finished(sid, []);
        },
      ],
      [
        'of a session whose log misses something',
        () => {
          const sid = queued('a', companion('x'));
          sent(sid, 'x');
          finished(sid, ['x'], { missing: 1 });
        },
      ],
      [
        'of a session whose first log may not be its own',
        () => {
          const sid = shipped('a', 'x');
          bench.journal.recordLog(sid, logOf(2, ['x'], { certain: false }));
        },
      ],
      [
        'of a session with a parked file',
        () => {
          const sid = queued('a', companion('x'), companion('y'));
          sent(sid, 'x');
          bench.journal.recordParked(sid, 'y', parkedOf());
          finished(sid, ['x']);
        },
      ],
      [
        'of a session that lost a file',
        () => {
          const sid = queued('a', companion('x'), companion('y'));
          sent(sid, 'x');
          bench.journal.recordGone(sid, 'y', 'f1');
          finished(sid, ['x']);
        },
      ],
      [
        'that is known from a log in the bucket alone',
        () => {
          const sid = queued('a');
          bench.journal.adopt(sid, [{ path: 'x', key: 'companions/x', receipt: receiptOf('e') }]);
          finished(sid, ['x']);
        },
      ],
      [
        'that is excluded',
        () => {
          const sid = queued('a', otherFile('x'));
          finished(sid, []);
        },
      ],
    ])('is no file %s', (_, arrange) => {
      arrange();
      expect(deletable()).toEqual([]);
    });

    function shippedAt(receivedAtMs: number): void {
      const sid = queued('a', companion('x'));
      const receipt = receiptOf('e', { receivedAtMs });
      bench.journal.recordUploaded(sid, 'x', { fingerprint: 'f1', newFingerprint: 'f1', receipt });
      finished(sid, ['x']);
    }

    test('is found up to the very age', () => {
      shippedAt(5_000);
      expect(deletable()).toEqual(['x']);
    });

    test('comes in the order of sessions and the bytes of paths, a page behind the last one', () => {
      // UTF-16 would put the last two the other way round.
      const paths = ['B', 'a', 'a/b', '\ufb00', '\u{1f600}', '\udcff'];
      const first = shipped('b', ...paths.toReversed());
      const second = shipped('a', 'x', 'a');
      const all = bench.journal.deletable(folder, 5_000, 10);
      expect(all.map(({ sid, file: one }) => [sid, one.path])).toEqual([
        ...paths.map((path) => [first, path]),
        [second, 'a'],
        [second, 'x'],
      ]);
      for (const [at, after] of all.entries()) {
        expect(bench.journal.deletable(folder, 5_000, 3, after)).toEqual(all.slice(at + 1, at + 4));
      }
    });

    test('comes behind a file that is deleted or queued again by now as well', () => {
      const first = shipped('a', 'x', 'y');
      const second = shipped('b', 'x');
      const [after] = bench.journal.deletable(folder, 5_000, 1);
      bench.journal.recordDeleted(first, 'x');
      const behind = () =>
        bench.journal.deletable(folder, 5_000, 10, after).map(({ sid, file: one }) => [sid, one.path]);
      expect(behind()).toEqual([
        [first, 'y'],
        [second, 'x'],
      ]);
      bench.journal.enqueue(first, workOf([companion('x', 'f2')]));
      expect(behind()).toEqual([[second, 'x']]);
    });
  });

  test('of very many parked files the first are named and all are counted', () => {
    const many = Array.from({ length: 1_200 }, (_, at) => `p${at}`);
    const sid = queued('a', ...many.map((path) => companion(path)));
    for (const path of many) bench.journal.recordParked(sid, path, parkedOf());
    const { parked, parkedFiles } = bench.journal.backlog(folder);
    expect([parked.length, parkedFiles, bench.journal.backlogCounts(folder).parkedFiles]).toEqual([
      1_000, 1_200, 1_200,
    ]);
  });

  test('the backlog counts and names what is not in the bucket', () => {
    begun('open');
    shipped('done', 'x');
    bench.journal.begin(newSession('old', { phase: 'skipped' }));
    const sid = queued(
      'busy',
      companion('a'),
      companion('b', 'f', { sizeBytes: 5 }),
      companion('c'),
      otherFile('m'),
    );
    bench.journal.recordParked(sid, 'c', parkedOf());
    bench.journal.recordFailed(
      sid,
      'b',
      failedOf({ fingerprint: 'f', cause: 'slow', attempts: 1, dueAtMs: 9, uncertain: true }),
    );
    const stuck = queued('stuck');
    bench.journal.park(stuck, denied);
    expect(bench.journal.backlog(folder)).toEqual({
      open: 1,
      shipping: 1,
      shipped: 1,
      skipped: 1,
      pendingFiles: 2,
      pendingBytes: 15,
      oldestPendingFoundAtMs: 1_000,
      parkedFiles: 2,
      unsent: [
        { session: 'busy', path: 'b', sizeBytes: 5, reason: 'slow', attempts: 1 },
        { session: 'busy', path: 'a', sizeBytes: 10, reason: 'waiting', attempts: 0 },
        {
          ...{ session: 'busy', path: 'training-logs/2026/01/busy.log', sizeBytes: 0, reason: 'waiting' },
          attempts: 0,
        },
      ],
      parked: [
        { ...denied, session: 'busy', path: 'c' },
        { ...denied, session: 'stuck', path: 'stuck' },
      ],
    });
    expect(bench.journal.backlog(folder, 1)).toMatchObject({
      pendingFiles: 2,
      unsent: [{ path: 'b' }, { path: 'training-logs/2026/01/busy.log' }],
      parked: [{ path: 'c' }, { path: 'stuck' }],
    });
    const { unsent, parked, ...counts } = bench.journal.backlog(folder);
    expect([unsent.length, parked.length]).toEqual([3, 2]);
    expect(bench.journal.backlogCounts(folder)).toEqual(counts);
    expect(bench.journal.backlog('/elsewhere')).toMatchObject({
      open: 0,
      unsent: [],
      oldestPendingFoundAtMs: undefined,
    });
  });
}
