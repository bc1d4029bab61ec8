import { describe, expect, test } from 'vitest';
import { companion, folder, identityOf, newSession, workOf } from '../support/journal.ts';
import type { JournalBench } from './journal-bench.ts';

/** What of the transitions made so far stays, whatever comes next. */
export function durabilityContract(bench: JournalBench): void {
  const { begun, queued, session, state } = bench;

  describe('transitions', () => {
    test('are seen at once, and there after a new start once they are synced', async () => {
      const sid = queued('a', companion('x'));
      expect(state(sid, 'x')).toBe('pending');
      await bench.journal.synced();
      bench.reopen();
      expect(state(sid, 'x')).toBe('pending');
    });

    test('that were never waited for are there after an orderly end', () => {
      const sid = queued('a', companion('x'));
      bench.reopen();
      expect(state(sid, 'x')).toBe('pending');
    });

    test('one of which fails in the middle: nothing of it stays, and all of its neighbours', async () => {
      const before = queued('before', companion('x'), companion('y'));
      const broken = queued('broken', companion('x'), companion('y'));
      let asked = 0;
      const keyOf = (path: string) => {
        if (asked++ === 1) throw new Error('no such key');
        return `renamed/${path}`;
      };
      expect(() => bench.journal.rename(broken, identityOf('other'), keyOf)).toThrow('no such key');
      expect(() => bench.journal.enqueue(4711, workOf([companion('x')]))).toThrow();
      expect(() => bench.journal.freeze(before, identityOf('again'))).toThrow();
      const after = begun('after');
      await bench.journal.synced();
      bench.reopen();
      expect(asked).toBe(2);
      expect(session(broken)?.identity?.id).toBe('broken');
      expect(bench.journal.files(broken).map(({ key }) => key)).toEqual(['companions/x', 'companions/y']);
      expect(session(before)?.identity?.id).toBe('before');
      expect(session(after)?.identity?.id).toBe('after');
    });

    test('inside another are a part of it', () => {
      const sid = queued('a', companion('x'));
      const keyOf = (path: string) => {
        bench.journal.setShape(sid, 'inner');
        if (path === 'x') throw new Error('no such key');
        return path;
      };
      const { shape } = bench.session(sid) ?? {};
      expect(() => bench.journal.rename(sid, identityOf('other'), keyOf)).toThrow('no such key');
      expect(session(sid)?.shape).toBe(shape);
    });

    test('are waited for by many at once, and by nobody when there is none', async () => {
      await bench.journal.synced();
      await bench.journal.synced();
      const waits = [];
      for (let n = 0; n < 50; n++) {
        bench.journal.begin(newSession(`run-${n}`));
        waits.push(bench.journal.synced());
      }
      await Promise.all(waits);
      expect(bench.journal.sessions(folder)).toHaveLength(50);
    });
  });
}
