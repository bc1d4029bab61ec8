import { describe, expect, test } from 'vitest';
import type { Journal } from '../../src/ports/journal.ts';
import { companion, denied, failedOf, otherFile, parkedOf, receiptOf, workOf } from '../support/journal.ts';
import type { JournalBench } from './journal-bench.ts';

/** How a try at `x` as it was (`f1`) ends, and whether the object may have been replaced. */
const ends: readonly [string, boolean, (journal: Journal, sid: number) => void][] = [
  [
    'an uncertain failure',
    true,
    (journal, sid) =>
      journal.recordFailed(sid, 'x', failedOf({ attempts: 7, dueAtMs: 900, uncertain: true })),
  ],
  [
    'a failure before anything was sent',
    false,
    (journal, sid) => journal.recordFailed(sid, 'x', failedOf({ attempts: 7, dueAtMs: 900 })),
  ],
  [
    'an uncertain refusal',
    true,
    (journal, sid) => journal.recordParked(sid, 'x', parkedOf({ uncertain: true })),
  ],
  ['a refusal before anything was sent', false, (journal, sid) => journal.recordParked(sid, 'x', parkedOf())],
  ['a disappearance', false, (journal, sid) => journal.recordGone(sid, 'x', 'f1')],
];

/** The end of a try at a file that has been enqueued anew meanwhile: another job, for the same object. */
export function staleContract(bench: JournalBench): void {
  const { file, queued, sent, shipped, state } = bench;

  describe('a late answer', () => {
    test.each(ends)('leaves a newer job as it was queued, doubt aside, after %s', (_, isUncertain, end) => {
      const sid = shipped('a', 'x');
      bench.journal.enqueue(sid, workOf([companion('x', 'f2', { claim: 'c' })]));
      const queuedAnew = file(sid, 'x');
      expect(queuedAnew).toMatchObject({ state: 'pending', fingerprint: 'f2', uncertain: false });
      end(bench.journal, sid);
      expect(file(sid, 'x')).toEqual({ ...queuedAnew, uncertain: isUncertain, staleRequest: isUncertain });
      expect(bench.journal.pendingFiles(sid, 0, 10).map(({ path }) => path)).toEqual(['x']);
    });

    test.each(ends)("does not touch a newer job's own failure, after %s", (_, isUncertain, end) => {
      const sid = queued('a', companion('x', 'f2'));
      const own = failedOf({ fingerprint: 'f2', cause: 'slow', attempts: 1, dueAtMs: 50 });
      bench.journal.recordFailed(sid, 'x', own);
      end(bench.journal, sid);
      expect(file(sid, 'x')).toMatchObject({
        state: 'pending',
        attempts: 1,
        dueAtMs: 50,
        failure: { ...denied, cause: 'slow' },
        uncertain: isUncertain,
      });
    });

    test.each(ends)('takes no doubt away, after %s', (_, __, end) => {
      const sid = queued('a', companion('x', 'f2'));
      const own = failedOf({ fingerprint: 'f2', attempts: 1, uncertain: true });
      bench.journal.recordFailed(sid, 'x', own);
      end(bench.journal, sid);
      expect(file(sid, 'x')?.uncertain).toBe(true);
    });

    test.each(ends)('does not queue what is half written by now, after %s', (_, __, end) => {
      const sid = queued('a', companion('x'));
      bench.journal.enqueue(sid, workOf([otherFile('x', '')]));
      end(bench.journal, sid);
      expect(file(sid, 'x')).toMatchObject({
        role: 'companion',
        state: 'none',
        uncertain: true,
        attempts: 0,
      });
    });

    test.each(ends)('concerns no other file and no other session, after %s', (_, __, end) => {
      const sid = queued('a', companion('x'), companion('y'));
      const other = queued('b', companion('x'));
      const before = [file(sid, 'y'), file(other, 'x')];
      end(bench.journal, sid);
      expect([file(sid, 'y'), file(other, 'x')]).toEqual(before);
    });

    test('does not take from where it arrived what was parked or gone too late', () => {
      const sid = queued('a', companion('x'));
      sent(sid, 'x');
      bench.journal.recordParked(sid, 'x', parkedOf());
      expect(state(sid, 'x')).toBe('uploaded');
      bench.journal.recordGone(sid, 'x', 'f1');
      expect(state(sid, 'x')).toBe('uploaded');
    });

    test('of an arrival vouches for the older bytes, and the newer ones wait still', () => {
      const sid = queued('a', companion('x'));
      bench.journal.enqueue(sid, workOf([companion('x', 'f2')]));
      sent(sid, 'x', 'f1');
      expect(file(sid, 'x')).toMatchObject({
        state: 'pending',
        fingerprint: 'f2',
        receipt: receiptOf('e-x'),
      });
    });
  });
}
