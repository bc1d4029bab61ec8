import { describe, expect, test } from 'vitest';
import {
  companion,
  denied,
  folder,
  identityOf,
  newSession,
  otherFile,
  parkedOf,
  workOf,
} from '../support/journal.ts';
import type { JournalBench } from './journal-bench.ts';

/** Sessions by the folder they lie in, their one identity, and what another id means. */
export function sessionContract(bench: JournalBench): void {
  const { begun, file, session, shipmentOf, shipped } = bench;

  describe('sessions', () => {
    test('are given back as they were begun, by folder, in the order of their beginning', () => {
      const one = bench.journal.begin(newSession('b', { kind: 'file', phase: 'skipped' }));
      const two = bench.journal.begin(newSession('a'));
      bench.journal.begin(newSession('a', { folder: '/elsewhere' }));
      expect(bench.journal.sessions(folder)).toEqual([one, two]);
      expect(one).toEqual({
        ...newSession('b', { kind: 'file', phase: 'skipped' }),
        sid: one.sid,
        identity: undefined,
        seal: undefined,
        shape: '',
        revision: 0,
        certain: true,
        process: undefined,
        endTold: false,
      });
    });

    test('are given back one by one, as they stand now, gone ones too', () => {
      const { sid } = bench.journal.begin(newSession('a'));
      bench.journal.freeze(sid, identityOf('a'));
      bench.journal.recordLog(sid, {
        revision: 2,
        etag: 'e',
        digest: 'd',
        missing: 0,
        certain: false,
        listed: [],
      });
      bench.journal.setGone(sid);
      expect(bench.journal.session(sid)).toMatchObject({
        sid,
        identity: { id: 'a' },
        revision: 2,
        certain: false,
      });
      expect(bench.journal.session(sid + 1)).toBeUndefined();
    });

    test('keep what was set, across a reopening', () => {
      const { sid } = bench.journal.begin(newSession('a'));
      const process = { pid: 7, startTicks: '99', startedAtMs: 1, bootId: 'b', pidNamespace: 'n' };
      bench.journal.setShape(sid, 'shape');
      bench.journal.setProcess(sid, process);
      bench.journal.setPhase(sid, 'skipped');
      bench.reopen();
      expect(session(sid)).toMatchObject({ shape: 'shape', process, phase: 'skipped' });
      bench.journal.setProcess(sid, undefined);
      expect(session(sid)?.process).toBeUndefined();
    });

    test('that are gone are not given back, and come back when the same directory does', () => {
      const sid = begun('a');
      bench.journal.setGone(sid);
      expect(bench.journal.sessions(folder)).toEqual([]);
      const another = bench.journal.begin(newSession('a', { directoryIdentity: 'made again' }));
      expect(another.sid).not.toBe(sid);
      expect(another.identity).toBeUndefined();
      const back = bench.journal.begin(newSession('a'));
      expect(back.sid).toBe(sid);
      expect(back.identity).toEqual(identityOf('a'));
    });

    test('are frozen to one identity, once', () => {
      const sid = begun('a', 'run-7');
      expect(session(sid)?.identity).toEqual(identityOf('run-7'));
      expect(() => bench.journal.freeze(sid, identityOf('run-8'))).toThrow(/has an identity already/);
      expect(() => bench.journal.freeze(sid, identityOf('run-7'))).toThrow(/has an identity already/);
      bench.reopen();
      expect(session(sid)?.identity).toEqual(identityOf('run-7'));
    });

    test('never share an id, gone ones included', () => {
      const sid = begun('a', 'run-7');
      bench.journal.setGone(sid);
      const { sid: other } = bench.journal.begin(newSession('b'));
      expect(() => bench.journal.freeze(other, identityOf('run-7'))).toThrow();
      expect(bench.journal.idHolder('run-7')).toBe(sid);
      expect(bench.journal.idHolder('run-8')).toBeUndefined();
      bench.journal.freeze(other, identityOf('run-8'));
      expect(() => bench.journal.rename(other, identityOf('run-7'), (path) => path)).toThrow();
      expect(session(other)?.identity).toEqual(identityOf('run-8'));
    });

    test('know their root', () => {
      expect(bench.journal.rootOf(begun('a/b'))).toBe('a/b');
      expect(bench.journal.rootOf(999)).toBeUndefined();
    });
  });

  describe('rename', () => {
    test('sends all of it again under the new id, as if nothing had been sent', () => {
      const sid = shipped('a', 'x');
      bench.journal.enqueue(sid, workOf([companion('x'), companion('parked'), otherFile('model.pt')]));
      bench.journal.recordParked(sid, 'parked', parkedOf());
      bench.journal.postpone(sid, 500, denied);
      bench.journal.rename(sid, identityOf('a-2'), (path) => `new/${path}`);
      expect(shipmentOf(sid)).toMatchObject({
        identity: identityOf('a-2'),
        revision: 0,
        logEtag: undefined,
        logDigest: undefined,
        certain: true,
        attempts: 0,
      });
      expect(bench.journal.dueSessions(folder, 0, 10)).toEqual([sid]);
      expect(file(sid, 'x')).toMatchObject({
        state: 'pending',
        key: 'new/x',
        receipt: undefined,
        listed: false,
      });
      expect(file(sid, 'parked')).toMatchObject({ state: 'parked', key: 'new/parked' });
      expect(file(sid, 'model.pt')).toMatchObject({ role: 'other', state: 'none', key: '' });
      expect([bench.journal.idHolder('a'), bench.journal.idHolder('a-2')]).toEqual([undefined, sid]);
    });

    test('names as gone what was deleted here after it had arrived under the old id', () => {
      const sid = shipped('a', 'x');
      bench.journal.recordDeleted(sid, 'x');
      bench.journal.enqueue(sid, workOf([]));
      bench.journal.rename(sid, identityOf('a-2'), (path) => `new/${path}`);
      expect(file(sid, 'x')).toMatchObject({ state: 'gone', receipt: undefined });
    });

    test('sends what was kept of a companion that is not to be sent now with the next work', () => {
      const sid = shipped('a', 'x');
      bench.journal.enqueue(sid, workOf([otherFile('x', '')]));
      bench.journal.rename(sid, identityOf('a-2'), (path) => `new/${path}`);
      bench.journal.enqueue(sid, workOf([companion('x', 'f1', { key: 'new/x' })]));
      expect(file(sid, 'x')).toMatchObject({ state: 'pending', receipt: undefined, key: 'new/x' });
    });
  });

  test('single facts are remembered, the last one said', () => {
    expect(bench.journal.getMeta('m')).toBeUndefined();
    bench.journal.setMeta('m', '1');
    bench.journal.setMeta('m', '2');
    const { writer } = bench.journal;
    bench.reopen();
    expect(bench.journal.getMeta('m')).toBe('2');
    expect(bench.journal.writer).toBe(writer);
    expect(writer).toMatch(/^[0-9a-f]{16}$/);
  });
}
