import { describe, expect, test } from 'vitest';
import { companion, failedOf, identityOf, logOf, newSession, receiptOf, workOf } from '../support/journal.ts';
import type { JournalBench } from './journal-bench.ts';

/** What `verify` holds the bucket against. */
export function recordedContract(bench: JournalBench): void {
  const { queued, sent, shipped } = bench;
  const all = () => bench.journal.recordedSessions('', '\u{10ffff}');

  describe('what is recorded as being in the bucket', () => {
    test('is every session with its log and receipts, in the order of keys, within the keys that are asked for', () => {
      shipped('b', 'y', 'x');
      shipped('a', 'z');
      const file = { sizeBytes: 10, receivedAtMs: receiptOf('e').receivedAtMs };
      expect(all()).toEqual([
        {
          ...{ id: 'a', key: 'training-logs/2026/01/a.log', startedAtMs: Date.UTC(2026, 0, 31) },
          ...{ revision: 1, logEtag: 'log-1' },
          files: [{ path: 'z', key: 'companions/z', etag: 'e-z', ...file }],
        },
        expect.objectContaining({
          id: 'b',
          files: ['x', 'y'].map((path) => expect.objectContaining({ path })),
        }),
      ]);
      const ids = (after: string, to: string) =>
        bench.journal.recordedSessions(after, to).map(({ id }) => id);
      expect(ids('training-logs/2026/01/a.log', 'training-logs/2026/01/b.log')).toEqual(['b']);
      expect(ids('', 'training-logs/2026/01/a.log')).toEqual(['a']);
      expect(ids('training-logs/2026/02/', 'training-logs/2026/02/\u{10ffff}')).toEqual([]);
    });

    test('tells its months', () => {
      shipped('a', 'x');
      const { sid } = bench.journal.begin(newSession('later'));
      bench.journal.freeze(sid, identityOf('later', { startedAtMs: Date.UTC(2026, 2, 1) }));
      bench.journal.recordLog(sid, logOf(1, []));
      expect([...bench.journal.recordedMonths()].toSorted()).toEqual(['2026-01', '2026-03']);
    });

    test('is nothing of what waits, is being replaced or is in doubt', () => {
      queued('waits', companion('x'));
      const sid = shipped('goes-on', 'kept', 'replaced');
      bench.journal.enqueue(sid, workOf([companion('kept'), companion('replaced', 'f2')]));
      bench.journal.recordFailed(sid, 'replaced', failedOf({ fingerprint: 'f2', uncertain: true }));
      expect(all().map(({ id, files }) => [id, files.map(({ path }) => path)])).toEqual([
        ['goes-on', ['kept']],
      ]);
      sent(sid, 'replaced', 'f2');
      expect(all()[0]?.files.map(({ path }) => path)).toEqual(['kept', 'replaced']);
      bench.journal.contestLog(sid);
      expect(all()[0]).not.toHaveProperty('logEtag');
    });
  });
}
