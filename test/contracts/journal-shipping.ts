import { describe, expect, test } from 'vitest';
import {
  companion,
  denied,
  draftOf,
  failedOf,
  folder,
  logOf,
  otherFile,
  parkedOf,
  receiptOf,
  workOf,
} from '../support/journal.ts';
import type { JournalBench } from './journal-bench.ts';

/** Which sessions are due, what their logs list, and when nothing is owed any more. */
export function shippingContract(bench: JournalBench): void {
  const { begun, file, queued, sent, session, shipmentOf, shipped, state } = bench;

  describe('due sessions', () => {
    test('are those of the folder that are shipping and whose time has come, oldest first', () => {
      const late = queued('late');
      const first = queued('first');
      const second = queued('second');
      begun('open');
      shipped('done', 'x');
      bench.journal.postpone(late, 100.5);
      expect(bench.journal.dueSessions(folder, 100, 10)).toEqual([first, second]);
      expect(bench.journal.dueSessions(folder, 101, 10)).toEqual([late, first, second]);
      expect(bench.journal.dueSessions(folder, 101, 2)).toEqual([late, first]);
      expect(bench.journal.dueSessions('/elsewhere', 101, 10)).toEqual([]);
      expect(bench.journal.nextDueMs(folder, 100)).toBe(101);
      expect(bench.journal.nextDueMs(folder, 101)).toBeUndefined();
    });

    test('count their failures until a log arrives, and are due at once when there is more to do', () => {
      const sid = queued('a');
      bench.journal.postpone(sid, 100, denied);
      bench.journal.postpone(sid, 200, denied);
      bench.journal.postpone(sid, 300);
      expect(shipmentOf(sid).attempts).toBe(2);
      bench.journal.enqueue(sid, workOf([]));
      expect(bench.journal.dueSessions(folder, 0, 10)).toEqual([sid]);
      bench.journal.postpone(sid, 100, denied);
      bench.journal.recordLog(sid, logOf(1, []));
      expect(shipmentOf(sid).attempts).toBe(0);
    });

    test('do not hold what is parked, until more is queued', () => {
      const sid = queued('a');
      bench.journal.park(sid, denied);
      expect(session(sid)?.phase).toBe('parked');
      expect(bench.journal.hasUnfinished(folder)).toBe(false);
      expect(bench.journal.finish(shipmentOf(sid))).toBe(false);
      bench.journal.enqueue(sid, workOf([]));
      expect(bench.journal.dueSessions(folder, 0, 10)).toEqual([sid]);
    });
  });

  describe('a log', () => {
    test('that arrived says which files are listed, and no others', () => {
      const sid = queued('a', companion('x'), companion('y'));
      bench.journal.recordLog(sid, logOf(1, ['x']));
      bench.journal.recordLog(sid, logOf(2, ['y'], { certain: false }));
      expect(bench.journal.files(sid).map(({ path, listed }) => [path, listed])).toEqual([
        ['x', false],
        ['y', true],
      ]);
      expect(shipmentOf(sid)).toMatchObject({
        revision: 2,
        logEtag: 'log-2',
        logDigest: 'd2',
        certain: false,
      });
      bench.journal.setCertain(sid);
      expect(shipmentOf(sid).certain).toBe(true);
    });

    // Or list it: the answer was lost, not the request.
    test.each<[string, (sid: number) => void]>([
      ['the log failed', (sid) => bench.journal.postpone(sid, 5, denied)],
      ['the log was refused', (sid) => bench.journal.park(sid, denied)],
      ['a crash', () => bench.journal.recover()],
    ])('may have arrived in spite of all after %s: it may list whatever has a receipt', (_, happen) => {
      const sid = queued('a', companion('x'), companion('y'));
      bench.journal.recordLog(sid, logOf(1, []));
      sent(sid, 'x');
      const done = shipped('done', 'x');
      happen(sid);
      expect(shipmentOf(sid)).toMatchObject({ logEtag: 'log-1', logDigest: undefined });
      expect(bench.journal.files(sid).map(({ path, listed }) => [path, listed])).toEqual([
        ['x', true],
        ['y', false],
      ]);
      bench.journal.enqueue(done, workOf([]));
      expect(shipmentOf(done).logDigest).toBe('d1');
    });

    test('that was found in the bucket gives back the companions it lists', () => {
      const sid = queued('a', companion('same'), companion('moved'), otherFile('half'));
      bench.journal.adopt(sid, [
        { path: 'same', key: 'companions/same', receipt: receiptOf('e1') },
        { path: 'moved', key: 'companions/elsewhere', receipt: receiptOf('e2') },
        { path: 'half', key: 'companions/half', receipt: receiptOf('e3') },
        { path: 'only there', key: 'companions/only there', receipt: receiptOf('e4') },
      ]);
      expect(file(sid, 'same')).toMatchObject({ state: 'pending', listed: true, receipt: receiptOf('e1') });
      expect(file(sid, 'moved')).toMatchObject({ state: 'pending', listed: false, receipt: undefined });
      expect(file(sid, 'half')).toMatchObject({
        role: 'companion',
        key: 'companions/half',
        state: 'none',
        listed: true,
        receipt: receiptOf('e3'),
      });
      expect(file(sid, 'only there')).toMatchObject({
        state: 'uploaded',
        listed: true,
        fingerprint: '',
        receipt: receiptOf('e4'),
      });
      bench.journal.adopt(sid, [{ path: 'same', key: 'companions/same', receipt: receiptOf('older') }]);
      expect(file(sid, 'same')?.receipt).toEqual(receiptOf('e1'));
    });

    test('that lists what took the place of a receipt makes the file one to be sent, unless it was sent since', () => {
      const sid = queued('a', companion('x'), companion('gone'));
      bench.journal.adopt(sid, [{ path: 'gone', key: 'companions/gone', receipt: receiptOf('e-gone') }]);
      bench.journal.recordGone(sid, 'gone', 'f1');
      sent(sid, 'x');
      const receipt = { ...receiptOf('other'), truncated: true };
      const find = (path: string, replaced: string) =>
        bench.journal.adopt(sid, [{ path, key: `companions/${path}`, receipt, replaced }]);
      find('x', 'earlier');
      expect(file(sid, 'x')).toMatchObject({ state: 'uploaded', receipt: receiptOf('e-x') });
      for (const path of ['x', 'gone']) find(path, `e-${path}`);
      expect(file(sid, 'x')).toMatchObject({ state: 'pending', listed: true, receipt });
      expect(file(sid, 'gone')).toMatchObject({ state: 'gone', listed: true, receipt });
    });

    test('is not to list what is another object than the receipt says: the file is sent again', () => {
      const sid = queued('a', companion('x'));
      sent(sid, 'x');
      expect(file(sid, 'x')).toMatchObject({ uncertain: false });
      bench.journal.recordReplaced(sid, 'x');
      expect(file(sid, 'x')).toMatchObject({ state: 'pending', uncertain: true, staleRequest: true });
      bench.journal.recordGone(sid, 'x', 'f1');
      bench.journal.recordReplaced(sid, 'x');
      expect(state(sid, 'x')).toBe('gone');
    });
  });

  describe('finish', () => {
    test('ends a session that owes nothing', () => {
      const sid = shipped('a', 'x');
      expect(session(sid)?.phase).toBe('shipped');
      expect(bench.journal.shipment(sid)).toBeUndefined();
      expect(bench.journal.hasUnfinished(folder)).toBe(false);
    });

    test('leaves a running session open', () => {
      const sid = begun('a');
      bench.journal.enqueue(sid, workOf([], { seal: undefined, draft: draftOf('running') }));
      expect(bench.journal.finish(shipmentOf(sid))).toBe(true);
      expect(session(sid)).toMatchObject({ phase: 'open', seal: undefined });
    });

    test.each<[string, (sid: number) => void]>([
      ['more was queued since', (sid) => bench.journal.enqueue(sid, workOf([]))],
      ['a file is pending', (sid) => bench.journal.enqueue(sid, workOf([companion('y')]))],
      [
        'its first log is not certain',
        (sid) => bench.journal.recordLog(sid, logOf(1, [], { certain: false })),
      ],
      ['it was opened again', (sid) => bench.journal.setPhase(sid, 'open')],
      ['it is parked', (sid) => bench.journal.park(sid, denied)],
    ])('refuses, and does nothing, when %s', (_, arrange) => {
      const sid = queued('a');
      const known = shipmentOf(sid);
      arrange(sid);
      const before = session(sid);
      expect(bench.journal.finish(known)).toBe(false);
      expect(session(sid)).toEqual(before);
      expect(bench.journal.shipment(sid)).toBeDefined();
    });

    test('refuses while a file is pending, even when it is the newest work', () => {
      const sid = queued('a', companion('x'));
      expect(bench.journal.finish(shipmentOf(sid))).toBe(false);
      sent(sid, 'x');
      expect(bench.journal.finish(shipmentOf(sid))).toBe(true);
    });
  });

  describe('recover', () => {
    test('makes all that waits due, and every unfinished file uncertain', () => {
      const sid = queued('a', companion('x'), companion('y'));
      sent(sid, 'y');
      bench.journal.recordFailed(sid, 'x', failedOf({ attempts: 5, dueAtMs: 1e9, uncertain: false }));
      bench.journal.postpone(sid, 1e9, denied);
      begun('open');
      bench.journal.setGone(begun('gone'));
      bench.reopen();
      expect(bench.journal.recover()).toEqual({ openSessions: 1, unfinishedSessions: 1, unfinishedFiles: 1 });
      expect(bench.journal.dueSessions(folder, 0, 10)).toEqual([sid]);
      expect(shipmentOf(sid).attempts).toBe(0);
      expect(bench.journal.pendingFiles(sid, 0, 10)).toMatchObject([
        { path: 'x', uncertain: true, attempts: 0 },
      ]);
      expect(file(sid, 'y')).toMatchObject({ state: 'uploaded', uncertain: false });
    });

    test('gives what is parked another chance: logs at once, files when they are looked at', () => {
      const log = queued('log');
      bench.journal.park(log, denied);
      const sid = queued('file', companion('x'));
      bench.journal.recordParked(sid, 'x', parkedOf());
      expect(bench.journal.recover().unfinishedSessions).toBe(2);
      expect(bench.journal.dueSessions(folder, 0, 10)).toEqual([log, sid]);
      expect(session(sid)?.shape).toBe('');
      bench.journal.enqueue(sid, workOf([companion('x')]));
      expect(state(sid, 'x')).toBe('pending');
    });
  });
}
