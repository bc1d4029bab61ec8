import { describe, expect, test } from 'vitest';
import { pathFromBytes } from '../../src/domain/watched-path.ts';
import {
  companion,
  denied,
  failedOf,
  identityOf,
  newSession,
  parkedOf,
  receiptOf,
  workOf,
} from '../support/journal.ts';
import type { JournalBench } from './journal-bench.ts';

/** A file between its queue and its receipt. */
export function fileContract(bench: JournalBench): void {
  const { file, queued, sent, shipped, state } = bench;

  describe('a file on its way', () => {
    test('that was sent is uploaded, by the fingerprint it has from now on', () => {
      const sid = queued('a', companion('x'));
      bench.journal.recordFailed(sid, 'x', failedOf({ attempts: 1, dueAtMs: 5, uncertain: true }));
      sent(sid, 'x', 'f1', 'f1-unlinked');
      expect(file(sid, 'x')).toMatchObject({
        state: 'uploaded',
        fingerprint: 'f1-unlinked',
        receipt: receiptOf('e-x'),
        uncertain: false,
        attempts: 0,
        failure: undefined,
      });
    });

    test('whose bytes turned out to be those in the bucket is listed as before', () => {
      const sid = shipped('a', 'x');
      bench.journal.enqueue(sid, workOf([companion('x', 'touched')]));
      sent(sid, 'x', 'touched');
      expect(file(sid, 'x')?.listed).toBe(true);
    });

    test('that vanished is gone, whatever an earlier version of it left in the bucket', () => {
      const sid = shipped('a', 'x');
      bench.journal.enqueue(sid, workOf([companion('x', 'f2', { claim: 'c' }), companion('y')]));
      bench.journal.recordGone(sid, 'x', 'f2');
      bench.journal.recordGone(sid, 'y', 'f1');
      expect(file(sid, 'x')).toMatchObject({ state: 'gone', receipt: receiptOf('e-x'), claim: undefined });
      expect(state(sid, 'y')).toBe('gone');
    });

    test('that is there again after it vanished begins its attempts anew, with the same fingerprint too', () => {
      const sid = queued('a', companion('x'));
      bench.journal.recordFailed(sid, 'x', failedOf({ attempts: 7, dueAtMs: 1e9, uncertain: true }));
      bench.journal.recordGone(sid, 'x', 'f1');
      bench.journal.enqueue(sid, workOf([companion('x')]));
      expect(file(sid, 'x')).toMatchObject({ state: 'pending', attempts: 0, dueAtMs: 0, failure: undefined });
    });

    test('is parked with cause and remedy', () => {
      const sid = queued('a', companion('x'));
      bench.journal.recordParked(sid, 'x', parkedOf());
      expect(file(sid, 'x')).toMatchObject({ state: 'parked', failure: denied });
      expect(bench.journal.pendingFiles(sid, 9_000, 10)).toEqual([]);
    });

    test.each([true, false])('is parked with what is known of its object: uncertain %s', (uncertain) => {
      const sid = queued('a', companion('x'));
      bench.journal.recordParked(sid, 'x', parkedOf({ uncertain }));
      expect(file(sid, 'x')).toMatchObject({ state: 'parked', uncertain, failure: denied });
    });

    test('waits for its time, fractions of a millisecond included', () => {
      const sid = queued('a', companion('x'), companion('y'));
      bench.journal.recordFailed(sid, 'x', failedOf({ attempts: 1, dueAtMs: 99.5, uncertain: false }));
      expect(bench.journal.pendingFiles(sid, 99, 10).map(({ path }) => path)).toEqual(['y']);
      expect(bench.journal.pendingFiles(sid, 100, 10).map(({ path }) => path)).toEqual(['x', 'y']);
      expect(bench.journal.nextFileDueMs(sid)).toBe(0);
      sent(sid, 'y');
      expect(bench.journal.nextFileDueMs(sid)).toBe(100);
      sent(sid, 'x');
      expect(bench.journal.nextFileDueMs(sid)).toBeUndefined();
    });

    test('goes before larger ones of its session, equals in byte order', () => {
      const sid = queued('a', companion('big', 'f', { sizeBytes: 99 }), companion('z'), companion('b'));
      expect(bench.journal.pendingFiles(sid, 0, 10).map(({ path }) => path)).toEqual(['b', 'z', 'big']);
      expect(bench.journal.pendingFiles(sid, 0, 2).map(({ path }) => path)).toEqual(['b', 'z']);
    });

    test('once uncertain stays uncertain until there is a receipt', () => {
      const sid = queued('a', companion('x'));
      bench.journal.recordFailed(sid, 'x', failedOf({ attempts: 1, dueAtMs: 0, uncertain: true }));
      bench.journal.recordFailed(sid, 'x', failedOf({ attempts: 2, dueAtMs: 0, uncertain: false }));
      expect(file(sid, 'x')?.uncertain).toBe(true);
    });

    test('is claimed while it is pending; letting go changes what it is known by only where that is still true', () => {
      const sid = queued('a', companion('x', 'f1', { claim: 'c1' }), companion('y', 'f1', { claim: 'c2' }));
      expect(bench.journal.pendingClaims()).toEqual(new Set(['c1', 'c2']));
      sent(sid, 'x');
      expect(bench.journal.pendingClaims()).toEqual(new Set(['c2']));
      expect(['x', 'y', 'z'].map((path) => bench.journal.needsClaim(sid, path))).toEqual([
        false,
        true,
        false,
      ]);
      bench.journal.recordParked(sid, 'y', parkedOf());
      expect(bench.journal.pendingClaims()).toEqual(new Set(['c2']));
      expect(bench.journal.needsClaim(sid, 'y')).toBe(true);
      bench.journal.recordReleased(sid, 'x', 'f1', 'f1-unlinked');
      expect(file(sid, 'x')).toMatchObject({ claim: undefined, fingerprint: 'f1-unlinked' });
      bench.journal.recordReleased(sid, 'y', 'older', 'older-unlinked');
      expect(file(sid, 'y')).toMatchObject({ claim: undefined, fingerprint: 'f1' });
    });

    test('has a path of any bytes', () => {
      const paths = [
        [0xff],
        [0xfe, 0x2f, 0xff],
        [0x61, 0x0a],
        [0xed, 0xa0, 0x80],
        [0xf0, 0x9f, 0x98, 0x80],
      ].map((bytes) => pathFromBytes(Uint8Array.from(bytes)));
      const { sid } = bench.journal.begin(newSession(paths[0] ?? ''));
      bench.journal.freeze(sid, identityOf('bytes'));
      bench.journal.enqueue(sid, workOf(paths.map((path) => companion(path, 'f1', { key: 'k' }))));
      bench.reopen();
      expect(bench.journal.rootOf(sid)).toBe(paths[0]);
      expect(new Set(bench.journal.files(sid).map(({ path }) => path))).toEqual(new Set(paths));
      sent(sid, '\udcff');
      expect(state(sid, '\udcff')).toBe('uploaded');
    });
  });
}
