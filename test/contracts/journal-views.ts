import { describe, expect, test } from 'vitest';
import { companion, draftOf, folder, identityOf, newSession, parkedOf, workOf } from '../support/journal.ts';
import type { JournalBench } from './journal-bench.ts';

/** How many sessions have more than a line kept of them. */
const detailedMax = 500;
const filesMax = 500;

/** What a page shows of sessions. */
export function viewContract(bench: JournalBench): void {
  const ids = (offset = 0, limit = 10) =>
    bench.journal.recentSessions(folder, offset, limit).map(({ id }) => id);

  function began(id: string, startedAtMs: number, of = folder): number {
    const { sid } = bench.journal.begin(newSession(id, { folder: of }));
    bench.journal.freeze(sid, identityOf(id, { startedAtMs }));
    return sid;
  }

  describe('sessions to look at', () => {
    test('come by their start, the latest first, in pages, of one folder', () => {
      began('b', 2_000);
      began('d', 4_000);
      began('a', 1_000);
      began('c', 3_000);
      began('of another folder', 5_000, '/elsewhere');
      expect(ids()).toEqual(['d', 'c', 'b', 'a']);
      expect([ids(0, 2), ids(2, 2), ids(4, 2)]).toEqual([['d', 'c'], ['b', 'a'], []]);
      expect(bench.journal.recentCount(folder)).toBe(4);
    });

    test('have no id before it is decided, and stand where they were found', () => {
      began('a', 1_000);
      bench.journal.begin(newSession('new', { foundAtMs: 2_000 }));
      bench.journal.begin(newSession('old', { phase: 'skipped', foundAtMs: 3_000 }));
      const [first] = bench.journal.recentSessions(folder, 0, 10);
      expect(first).toEqual({
        root: 'new',
        phase: 'open',
        status: 'running',
        startedAtMs: 2_000,
        revision: 0,
        missing: 0,
      });
      expect(ids()).toEqual([undefined, 'a']);
      expect(bench.journal.recentCount(folder)).toBe(2);
    });

    test('are told of by what their last log says, also once it is shipped and after a crash', () => {
      const sid = bench.shipped('a', 'x');
      const facts = {
        framework: 'F',
        history: {
          columns: ['step', 'loss'],
          rows: [
            [1, 2],
            [2, 1],
          ],
        },
      };
      const source = { source: 's', facts, provenance: {} };
      const files = [companion('x'), companion('y')];
      bench.journal.enqueue(sid, workOf(files, { draft: { ...draftOf('failed'), sources: [source] } }));
      bench.reopen();
      const [recent] = bench.journal.recentSessions(folder, 0, 1);
      expect(recent).toMatchObject({
        status: 'failed',
        phase: 'shipping',
        brief: { name: 'run', framework: 'F', loss: { name: 'loss', values: [2, 1] } },
      });
      const view = bench.journal.sessionView(folder, 'a');
      expect(view).toMatchObject({
        id: 'a',
        key: identityOf('a').key,
        hasMoreFiles: false,
        detail: { history: facts.history },
      });
      expect(view?.files.map(({ path, state }) => [path, state])).toEqual([
        ['x', 'uploaded'],
        ['y', 'pending'],
      ]);
    });

    test('are not found under an id that is not theirs, or in another folder', () => {
      began('a', 1_000);
      expect(bench.journal.sessionView(folder, 'b')).toBeUndefined();
      expect(bench.journal.sessionView('/elsewhere', 'a')).toBeUndefined();
      expect(bench.journal.sessionView(folder, 'a')).toMatchObject({ files: [], status: 'running' });
    });

    test('keep a line each; what is more is kept for the last of them, and bounded', () => {
      const many = Array.from({ length: filesMax + 1 }, (_, at) => companion(`f-${1000 + at}`));
      const sid = bench.queued('first', ...many);
      const last = `f-${1000 + filesMax}`;
      bench.journal.recordParked(sid, last, parkedOf({ code: 'EACCES' }));
      const view = bench.journal.sessionView(folder, 'first');
      expect(view?.hasMoreFiles).toBe(true);
      expect(view?.files.length).toBe(filesMax);
      expect(view?.files[0]).toMatchObject({ path: last, state: 'parked', failure: { code: 'EACCES' } });
      expect(view?.files[1]?.path).toBe('f-1000');
      for (let at = 0; at < detailedMax; at++) bench.queued(`s-${at}`);
      const [first, second] = ['first', 's-0'].map((id) => bench.journal.sessionView(folder, id));
      expect(first).not.toHaveProperty('detail');
      expect(first).toMatchObject({ brief: { name: 'run', status: 'completed' } });
      expect(second).toHaveProperty('detail');
    });
  });
}
