import { describe, expect, test } from 'vitest';
import { companion, folder, identityOf, workOf } from '../support/journal.ts';
import type { JournalBench } from './journal-bench.ts';
import { uploadOf } from './journal-ledger.ts';

/** Sessions of a folder that other hosts watch too. */
export function sharedContract(bench: JournalBench): void {
  const { begun, file, queued, session, shipmentOf, shipped, state } = bench;

  describe('a session that another host ships', () => {
    test('is neither due nor waited for, and nothing of it counts as unsent', () => {
      const sid = queued('a', companion('x'));
      bench.journal.setPhase(sid, 'elsewhere');
      expect(bench.journal.dueSessions(folder, 0, 10)).toEqual([]);
      expect(bench.journal.hasUnfinished(folder)).toBe(false);
      expect(bench.journal.backlog(folder)).toMatchObject({
        pendingFiles: 0,
        shipping: 0,
        unsent: [],
        parked: [],
      });
      expect(state(sid, 'x')).toBe('pending');
    });

    test('stays so when its last log arrives late, and across a start', () => {
      const sid = queued('a');
      const shipment = shipmentOf(sid);
      bench.journal.setPhase(sid, 'elsewhere');
      expect(bench.journal.finish(shipment)).toBe(false);
      bench.reopen();
      bench.journal.recover();
      expect(session(sid)?.phase).toBe('elsewhere');
      expect(bench.journal.hasUnfinished(folder)).toBe(false);
    });
  });

  describe('a session that is taken back', () => {
    test('is open, under its identity, and nothing is known of the bucket', () => {
      const sid = shipped('a', 'x', 'y');
      const before = session(sid);
      bench.journal.setPhase(sid, 'elsewhere');
      bench.journal.retake(sid, before?.identity);
      expect(session(sid)).toEqual({ ...before, phase: 'open', seal: undefined, shape: '', revision: 0 });
      expect(bench.journal.files(sid)).toEqual([]);
      expect(bench.journal.shipment(sid)).toBeUndefined();
      bench.journal.enqueue(sid, workOf([companion('x')]));
      expect(shipmentOf(sid)).toMatchObject({
        revision: 0,
        logEtag: undefined,
        certain: true,
        logDoubted: true,
      });
      expect(file(sid, 'x')).toMatchObject({ state: 'pending', receipt: undefined, listed: false });
    });

    test('may have got another identity meanwhile', () => {
      const sid = begun('a', 'one');
      bench.journal.retake(sid, identityOf('two'));
      expect(session(sid)?.identity).toEqual(identityOf('two'));
      expect(bench.journal.idHolder('one')).toBeUndefined();
      expect(bench.journal.idHolder('two')).toBe(sid);
    });

    test('keeps queued what only we have, in doubt, but not for another id', () => {
      const sid = queued('a', companion('kept', 'f1', { claim: 'c' }), companion('x'));
      bench.journal.retake(sid, identityOf('a'));
      expect(bench.journal.files(sid).map(({ path, uncertain }) => `${path} ${uncertain}`)).toEqual([
        'kept true',
      ]);
      expect(bench.journal.pendingClaims()).toEqual(new Set(['c']));
      bench.journal.retake(sid, identityOf('b'));
      expect(bench.journal.files(sid)).toEqual([]);
    });

    test('has no upload open: what was sent in parts is given up', () => {
      const sid = queued('a', companion('x'));
      bench.journal.beginUpload(sid, 'x', uploadOf('u1'));
      bench.journal.retake(sid, identityOf('a'));
      expect(bench.journal.openUploads(sid)).toEqual([]);
      expect(bench.journal.abandonedUploads(10).map(({ uploadId }) => uploadId)).toEqual(['u1']);
    });
  });
}
