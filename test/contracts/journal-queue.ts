import { describe, expect, test } from 'vitest';
import {
  companion,
  denied,
  draftOf,
  failedOf,
  folder,
  identityOf,
  otherFile,
  parkedOf,
  receiptOf,
  silence,
  workOf,
} from '../support/journal.ts';
import type { JournalBench } from './journal-bench.ts';

/** What a look at a session makes of its files. */
export function queueContract(bench: JournalBench): void {
  const { begun, file, queued, sent, session, shipmentOf, shipped, state } = bench;

  describe('enqueue', () => {
    test('makes a session due, with its work counted', () => {
      const sid = begun('a');
      expect(bench.journal.shipment(sid)).toBeUndefined();
      bench.journal.enqueue(sid, workOf([companion('x')], { seal: silence, shape: 'sh' }));
      expect(session(sid)).toMatchObject({ phase: 'shipping', seal: silence, shape: 'sh' });
      expect(shipmentOf(sid)).toEqual({
        sid,
        folder,
        root: 'a',
        kind: 'directory',
        identity: identityOf('a'),
        draft: draftOf(),
        work: 1,
        revision: 0,
        logEtag: undefined,
        logDigest: undefined,
        certain: true,
        logDoubted: false,
        logContested: false,
        endTold: true,
        withdrawn: false,
        attempts: 0,
      });
      bench.journal.enqueue(sid, workOf([]));
      expect(shipmentOf(sid).work).toBe(2);
      expect(bench.journal.hasUnfinished(folder)).toBe(true);
      expect(bench.journal.hasUnfinished('/elsewhere')).toBe(false);
    });

    test('gives each new file its way', () => {
      const sid = queued('a', companion('x', 'f1', { claim: 'c' }), otherFile('model.pt'));
      expect(file(sid, 'x')).toEqual({
        path: 'x',
        role: 'companion',
        key: 'companions/x',
        sizeBytes: 10,
        fingerprint: 'f1',
        state: 'pending',
        attempts: 0,
        dueAtMs: 0,
        uncertain: false,
        staleRequest: false,
        listed: false,
        claim: 'c',
        receipt: undefined,
        failure: undefined,
      });
      expect(file(sid, 'model.pt')).toMatchObject({ role: 'other', state: 'none' });
    });

    /** How a file of each state is after it was queued again, unchanged and changed. */
    test.each<[string, (sid: number) => void, string, string]>([
      ['pending', () => {}, 'pending', 'pending'],
      ['uploaded', (sid) => sent(sid, 'x'), 'uploaded', 'pending'],
      ['parked', (sid) => bench.journal.recordParked(sid, 'x', parkedOf()), 'parked', 'pending'],
      ['gone', (sid) => bench.journal.recordGone(sid, 'x', 'f1'), 'pending', 'pending'],
    ])('again, of what is %s', (_, arrange, unchanged, changed) => {
      const one = queued('a', companion('x'));
      arrange(one);
      bench.journal.enqueue(one, workOf([companion('x')]));
      expect(state(one, 'x')).toBe(unchanged);
      const two = queued('b', companion('x'));
      arrange(two);
      bench.journal.enqueue(two, workOf([companion('x', 'f2')]));
      expect(state(two, 'x')).toBe(changed);
      expect(file(two, 'x')).toMatchObject({ failure: undefined, attempts: 0, dueAtMs: 0 });
    });

    test('of changed bytes keeps the receipt of what is in the bucket, and the claim', () => {
      const sid = queued('a', companion('x', 'f1', { claim: 'c' }));
      sent(sid, 'x');
      bench.journal.enqueue(sid, workOf([companion('x', 'f2', { sizeBytes: 11 })]));
      expect(file(sid, 'x')).toMatchObject({ sizeBytes: 11, claim: 'c', receipt: receiptOf('e-x') });
    });

    test('of unchanged bytes keeps the wait of a failed attempt', () => {
      const sid = queued('a', companion('x'));
      bench.journal.recordFailed(sid, 'x', failedOf({ attempts: 3, dueAtMs: 500, uncertain: true }));
      bench.journal.enqueue(sid, workOf([companion('x')]));
      expect(file(sid, 'x')).toMatchObject({ attempts: 3, dueAtMs: 500, uncertain: true, failure: denied });
    });

    test('forgets others that are not there any more, and no companion', () => {
      const sid = queued('a', companion('x'), otherFile('model.pt'));
      bench.journal.enqueue(sid, workOf([]));
      expect(bench.journal.files(sid).map(({ path, state }) => [path, state])).toEqual([['x', 'pending']]);
    });

    // Half written, grown too large, or read as a native file by now: its object in the bucket stays what it was.
    test('of a companion that is not to be sent now keeps what the bucket holds of it', () => {
      const sid = shipped('a', 'x');
      bench.journal.enqueue(sid, workOf([otherFile('x', '')]));
      const kept = {
        role: 'companion',
        key: 'companions/x',
        state: 'none',
        listed: true,
        receipt: receiptOf('e-x'),
      };
      expect(file(sid, 'x')).toMatchObject(kept);
      bench.journal.enqueue(sid, workOf([otherFile('x', '')]));
      expect(file(sid, 'x')).toMatchObject(kept);
      expect(bench.journal.finish(shipmentOf(sid))).toBe(true);
      expect(bench.journal.deletable(folder, 9_000, 10)).toEqual([]);
      bench.journal.enqueue(sid, workOf([companion('x', 'f1')]));
      expect(file(sid, 'x')).toMatchObject({ ...kept, state: 'pending' });
    });

    test('of a queued companion that is not to be sent now takes it out of the queue, its arrival in doubt', () => {
      const sid = shipped('a', 'x');
      bench.journal.enqueue(sid, workOf([companion('x', 'f2'), companion('y')]));
      bench.journal.enqueue(sid, workOf([otherFile('x', ''), otherFile('y', '')]));
      const out = { role: 'companion', state: 'none', uncertain: true };
      expect(file(sid, 'x')).toMatchObject({ ...out, listed: true, receipt: receiptOf('e-x') });
      expect(file(sid, 'y')).toMatchObject({ ...out, key: 'companions/y', receipt: undefined });
      sent(sid, 'y', 'f1');
      expect(file(sid, 'y')).toMatchObject({ ...out, uncertain: false, receipt: receiptOf('e-y') });
      bench.journal.enqueue(sid, workOf([companion('x', 'f3')]));
      expect(file(sid, 'x')).toMatchObject({ state: 'pending', uncertain: true, listed: true });
    });

    test('without a companion that was half written at the last look names it as gone, unless the session runs', () => {
      const sid = shipped('a', 'x');
      bench.journal.enqueue(sid, workOf([otherFile('x', '')]));
      bench.journal.enqueue(sid, workOf([], { seal: undefined, draft: draftOf('running') }));
      expect(state(sid, 'x')).toBe('none');
      bench.journal.enqueue(sid, workOf([]));
      expect(file(sid, 'x')).toMatchObject({ state: 'gone', receipt: receiptOf('e-x') });
    });

    test('is all or nothing', () => {
      const sid = queued('a', companion('x'));
      const broken = { ...companion('y'), sizeBytes: 0.5 };
      expect(() => bench.journal.enqueue(sid, workOf([companion('x', 'f2'), broken]))).toThrow();
      expect(shipmentOf(sid).work).toBe(1);
      expect(bench.journal.files(sid).map(({ path, fingerprint }) => [path, fingerprint])).toEqual([
        ['x', 'f1'],
      ]);
    });
  });
}
