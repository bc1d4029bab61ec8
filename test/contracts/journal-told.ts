import { describe, expect, test } from 'vitest';
import { denied, draftOf, folder, identityOf, logOf, workOf } from '../support/journal.ts';
import type { JournalBench } from './journal-bench.ts';

/** What the bucket's log may say of the end of a session that goes on, and the correction that is owed then (ADR 44). */
export function toldEndContract(bench: JournalBench): void {
  const { begun, queued, session, shipmentOf, shipped } = bench;

  describe('an end that was told', () => {
    const running = (sid: number) =>
      bench.journal.enqueue(sid, workOf([], { seal: undefined, draft: draftOf('running') }));
    const told = (sid: number) => [session(sid)?.endTold, bench.journal.shipment(sid)?.endTold];

    test('may have been from the queueing on until a log that says otherwise is there', () => {
      const sid = begun('a');
      expect(session(sid)?.endTold).toBe(false);
      bench.journal.enqueue(sid, workOf([]));
      expect(told(sid)).toEqual([true, true]);
      bench.journal.finish(shipmentOf(sid));
      expect(told(sid)).toEqual([true, undefined]);
      bench.journal.setPhase(sid, 'open');
      running(sid);
      bench.reopen();
      bench.journal.recover();
      expect(told(sid)).toEqual([true, true]);
      bench.journal.recordLog(sid, logOf(2, []));
      expect(bench.journal.finish(shipmentOf(sid))).toBe(true);
      expect(told(sid)).toEqual([false, undefined]);
    });

    test('is withdrawn with the reopening, until there is something else to tell; it can not be parked', () => {
      const sid = queued('a');
      expect(shipmentOf(sid).withdrawn).toBe(false);
      bench.journal.setPhase(sid, 'open');
      expect(shipmentOf(sid).withdrawn).toBe(true);
      expect(bench.journal.dueSessions(folder, 0, 10)).toEqual([]);
      bench.journal.park(sid, denied);
      expect(session(sid)?.phase).toBe('open');
      running(sid);
      expect(shipmentOf(sid).withdrawn).toBe(false);
    });

    test('is not known of another host, and of no log under another id', () => {
      const sid = shipped('a', 'x');
      running(sid);
      bench.journal.rename(sid, identityOf('b'), (path) => path);
      expect(told(sid)).toEqual([false, false]);
      bench.journal.retake(sid, identityOf('b'));
      expect(session(sid)?.endTold).toBe(true);
    });

    test('is corrected before older sessions are shipped, each once', () => {
      const older = queued('older');
      const sid = shipped('a', 'x');
      const younger = queued('younger');
      running(sid);
      expect(bench.journal.dueSessions(folder, 0, 10)).toEqual([sid, older, younger]);
      expect(bench.journal.dueSessions(folder, 0, 2)).toEqual([sid, older]);
      bench.journal.postpone(sid, 5);
      expect(bench.journal.dueSessions(folder, 0, 10)).toEqual([older, younger]);
    });
  });
}
