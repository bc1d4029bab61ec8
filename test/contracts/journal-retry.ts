import { describe, expect, test } from 'vitest';
import { inDoubt } from '../../src/ports/file-source.ts';
import { companion, denied, folder, logOf, parkedOf, workOf } from '../support/journal.ts';
import type { JournalBench } from './journal-bench.ts';

/** What was parked, once a person wants it tried again. */
export function retryContract(bench: JournalBench): void {
  const { file, queued, session, shipmentOf, shipped, state } = bench;

  /** Shipped but for `x`, which a log names as parked. */
  const half = (root: string, claim?: string) => {
    const sid = queued(root, companion('x', 'f1', { claim }), companion('y'));
    bench.sent(sid, 'y');
    bench.journal.recordParked(sid, 'x', parkedOf());
    bench.journal.recordLog(sid, logOf(1, ['y'], { missing: 1 }));
    expect(bench.journal.finish(shipmentOf(sid))).toBe(true);
    return sid;
  };

  describe('retry', () => {
    test('queues the parked files of a session that is being shipped at once, as tries of their own', () => {
      const sid = queued('a', companion('x'), companion('y'));
      bench.journal.recordParked(sid, 'x', parkedOf());
      bench.journal.postpone(sid, 5_000);
      expect(bench.journal.retry(folder, ['a']).takenUp).toEqual([
        { sid, root: 'a', session: 'a', files: 1, log: false, at: 'queue' },
      ]);
      expect(file(sid, 'x')).toMatchObject({ state: 'pending', fingerprint: 'f1', attempts: 0, dueAtMs: 0 });
      expect(bench.journal.pendingFiles(sid, 0, 10).map(({ path }) => path)).toEqual(['x', 'y']);
      expect(bench.journal.dueSessions(folder, 0, 10)).toEqual([sid]);
      expect(bench.journal.backlog(folder).parked).toEqual([]);
    });

    test('makes a session whose log was refused due again', () => {
      const sid = queued('a');
      bench.journal.park(sid, denied);
      expect(bench.journal.retry(folder, 'all').takenUp).toEqual([
        { sid, root: 'a', session: 'a', files: 0, log: true, at: 'queue' },
      ]);
      expect(session(sid)?.phase).toBe('shipping');
      expect(bench.journal.dueSessions(folder, 0, 10)).toEqual([sid]);
    });

    test('of a session that is shipped keeps cause and remedy until a look queues the file, unchanged as it is', () => {
      const sid = half('a');
      expect(bench.journal.retry(folder, 'all').takenUp).toEqual([
        { sid, root: 'a', session: 'a', files: 1, log: false, at: 'look' },
      ]);
      expect(session(sid)).toMatchObject({ phase: 'shipped', shape: '' });
      expect(file(sid, 'x')).toMatchObject({ state: 'parked', fingerprint: inDoubt('f1'), failure: denied });
      expect(bench.journal.backlog(folder).parked).toMatchObject([
        { session: 'a', path: 'x', code: 'EACCES' },
      ]);
      bench.journal.enqueue(sid, workOf([companion('x'), companion('y')]));
      expect(state(sid, 'x')).toBe('pending');
      expect(state(sid, 'y')).toBe('uploaded');
    });

    test('said twice means as much as once, and holds after a new start', async () => {
      const sid = half('a');
      bench.journal.retry(folder, ['a']);
      bench.journal.retry(folder, ['a', 'a']);
      expect(file(sid, 'x')?.fingerprint).toBe(inDoubt('f1'));
      await bench.journal.synced();
      bench.reopen();
      bench.journal.recover();
      expect(session(sid)?.shape).toBe('');
      bench.journal.retry(folder, ['a']);
      bench.journal.enqueue(sid, workOf([companion('x'), companion('y')]));
      expect(state(sid, 'x')).toBe('pending');
    });

    test('says of what can be read nowhere any more that it is gone; what a claim keeps stays parked', () => {
      const sid = half('a');
      const claimed = half('b', 'c');
      for (const one of [sid, claimed]) bench.journal.setGone(one);
      expect(bench.journal.retry(folder, 'all').takenUp).toMatchObject([
        { sid, files: 1, at: 'end' },
        { sid: claimed, files: 1, at: 'end' },
      ]);
      expect(state(sid, 'x')).toBe('gone');
      expect(file(claimed, 'x')).toMatchObject({ state: 'parked', fingerprint: 'f1', failure: denied });
      expect(bench.journal.retry(folder, ['a']).notParked).toEqual(['a']);
    });

    test('touches no session that was not asked for, none of another host and none of another folder', () => {
      const [asked, other, elsewhere] = [half('asked'), half('other'), half('elsewhere')];
      bench.journal.setPhase(elsewhere, 'elsewhere');
      expect(bench.journal.retry('/other', 'all').takenUp).toEqual([]);
      expect(bench.journal.retry(folder, ['asked']).takenUp.map(({ sid }) => sid)).toEqual([asked]);
      expect(file(other, 'x')?.fingerprint).toBe('f1');
      expect(bench.journal.retry(folder, 'all').takenUp.map(({ sid }) => sid)).toEqual([asked, other]);
      expect(file(elsewhere, 'x')?.fingerprint).toBe('f1');
    });

    test('tells ids of which nothing is parked from those that nobody knows', () => {
      half('parked');
      shipped('fine', 'x');
      expect(bench.journal.retry(folder, ['fine', 'nobody', 'parked'])).toMatchObject({
        takenUp: [{ session: 'parked' }],
        notParked: ['fine'],
        unknown: ['nobody'],
      });
    });
  });
}
