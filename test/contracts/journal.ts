import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pathFromBytes } from '../../src/domain/watched-path.ts';
import type { Journal, NewFile } from '../../src/ports/journal.ts';
import {
  companion,
  denied,
  draftOf,
  evidence,
  folder,
  identityOf,
  type JournalUnderTest,
  logOf,
  newSession,
  otherFile,
  receiptOf,
  silence,
  workOf,
} from '../support/journal.ts';

/** What every journal must do; `make` gives an empty one. */
export function journalContract(name: string, make: () => JournalUnderTest): void {
  describe(`the journal contract, ${name}`, () => {
    let under: JournalUnderTest;
    let journal: Journal;

    beforeEach(() => {
      under = make();
      journal = under.journal;
    });
    afterEach(() => under[Symbol.dispose]());

    /** A session with an identity, at the given root. */
    const begun = (root: string, id = root): number => {
      const { sid } = journal.begin(newSession(root));
      journal.freeze(sid, identityOf(id));
      return sid;
    };
    const queued = (root: string, ...files: NewFile[]): number => {
      const sid = begun(root);
      journal.enqueue(sid, workOf(files));
      return sid;
    };
    const sent = (sid: number, path: string, fingerprint = 'f1', newFingerprint = fingerprint): void =>
      journal.recordUploaded(sid, path, { fingerprint, newFingerprint, receipt: receiptOf(`e-${path}`) });
    const file = (sid: number, path: string) => journal.files(sid).find((one) => one.path === path);
    const state = (sid: number, path: string) => file(sid, path)?.state;
    const shipmentOf = (sid: number) => {
      const shipment = journal.shipment(sid);
      if (!shipment) throw new Error(`session ${sid} has nothing to ship`);
      return shipment;
    };
    const session = (sid: number) => journal.sessions(folder).find((one) => one.sid === sid);
    /** A companion in the bucket, listed by a log that misses nothing, its session done. */
    const shipped = (root: string, ...paths: string[]): number => {
      const sid = queued(root, ...paths.map((path) => companion(path)));
      for (const path of paths) sent(sid, path);
      journal.recordLog(sid, logOf(1, paths));
      expect(journal.finish(shipmentOf(sid))).toBe(true);
      return sid;
    };

    describe('sessions', () => {
      test('are given back as they were begun, by folder, in the order of their beginning', () => {
        const one = journal.begin(newSession('b', { kind: 'file', phase: 'skipped' }));
        const two = journal.begin(newSession('a'));
        journal.begin(newSession('a', { folder: '/elsewhere' }));
        expect(journal.sessions(folder)).toEqual([one, two]);
        expect(one).toEqual({
          ...newSession('b', { kind: 'file', phase: 'skipped' }),
          sid: one.sid,
          identity: undefined,
          seal: undefined,
          shape: '',
          revision: 0,
          process: undefined,
        });
      });

      test('keep what was set, across a reopening', () => {
        const { sid } = journal.begin(newSession('a'));
        const process = { pid: 7, startTicks: '99', startedAtMs: 1, bootId: 'b', pidNamespace: 'n' };
        journal.setShape(sid, 'shape');
        journal.setProcess(sid, process);
        journal.setPhase(sid, 'skipped');
        journal = under.reopen();
        expect(session(sid)).toMatchObject({ shape: 'shape', process, phase: 'skipped' });
        journal.setProcess(sid, undefined);
        expect(session(sid)?.process).toBeUndefined();
      });

      test('that are gone are not given back, and come back when the same directory does', () => {
        const sid = begun('a');
        journal.setGone(sid);
        expect(journal.sessions(folder)).toEqual([]);
        const another = journal.begin(newSession('a', { directoryIdentity: 'made again' }));
        expect(another.sid).not.toBe(sid);
        expect(another.identity).toBeUndefined();
        const back = journal.begin(newSession('a'));
        expect(back.sid).toBe(sid);
        expect(back.identity).toEqual(identityOf('a'));
      });

      test('are frozen to one identity, once', () => {
        const sid = begun('a', 'run-7');
        expect(session(sid)?.identity).toEqual(identityOf('run-7'));
        expect(() => journal.freeze(sid, identityOf('run-8'))).toThrow(/has an identity already/);
        expect(() => journal.freeze(sid, identityOf('run-7'))).toThrow(/has an identity already/);
        journal = under.reopen();
        expect(session(sid)?.identity).toEqual(identityOf('run-7'));
      });

      test('never share an id, gone ones included', () => {
        const sid = begun('a', 'run-7');
        journal.setGone(sid);
        const { sid: other } = journal.begin(newSession('b'));
        expect(() => journal.freeze(other, identityOf('run-7'))).toThrow();
        expect(journal.idHolder('run-7')).toBe(sid);
        expect(journal.idHolder('run-8')).toBeUndefined();
        journal.freeze(other, identityOf('run-8'));
        expect(() => journal.rename(other, identityOf('run-7'), (path) => path)).toThrow();
        expect(session(other)?.identity).toEqual(identityOf('run-8'));
      });

      test('know their root', () => {
        expect(journal.rootOf(begun('a/b'))).toBe('a/b');
        expect(journal.rootOf(999)).toBeUndefined();
      });
    });

    describe('enqueue', () => {
      test('makes a session due, with its work counted', () => {
        const sid = begun('a');
        expect(journal.shipment(sid)).toBeUndefined();
        journal.enqueue(sid, workOf([companion('x')], { seal: silence, shape: 'sh' }));
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
          attempts: 0,
        });
        journal.enqueue(sid, workOf([]));
        expect(shipmentOf(sid).work).toBe(2);
        expect(journal.hasUnfinished(folder)).toBe(true);
        expect(journal.hasUnfinished('/elsewhere')).toBe(false);
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
        ['parked', (sid) => journal.recordParked(sid, 'x', denied), 'parked', 'pending'],
        ['gone', (sid) => journal.recordGone(sid, 'x'), 'pending', 'pending'],
      ])('again, of what is %s', (_, arrange, unchanged, changed) => {
        const one = queued('a', companion('x'));
        arrange(one);
        journal.enqueue(one, workOf([companion('x')]));
        expect(state(one, 'x')).toBe(unchanged);
        const two = queued('b', companion('x'));
        arrange(two);
        journal.enqueue(two, workOf([companion('x', 'f2')]));
        expect(state(two, 'x')).toBe(changed);
        expect(file(two, 'x')).toMatchObject({ failure: undefined, attempts: 0, dueAtMs: 0 });
      });

      test('of changed bytes keeps the receipt of what is in the bucket, and the claim', () => {
        const sid = queued('a', companion('x', 'f1', { claim: 'c' }));
        sent(sid, 'x');
        journal.enqueue(sid, workOf([companion('x', 'f2', { sizeBytes: 11 })]));
        expect(file(sid, 'x')).toMatchObject({ sizeBytes: 11, claim: 'c', receipt: receiptOf('e-x') });
      });

      test('of unchanged bytes keeps the wait of a failed attempt', () => {
        const sid = queued('a', companion('x'));
        journal.recordFailed(sid, 'x', { ...denied, attempts: 3, dueAtMs: 500, uncertain: true });
        journal.enqueue(sid, workOf([companion('x')]));
        expect(file(sid, 'x')).toMatchObject({ attempts: 3, dueAtMs: 500, uncertain: true, failure: denied });
      });

      test('forgets others that are not there any more, and no companion', () => {
        const sid = queued('a', companion('x'), otherFile('model.pt'));
        journal.enqueue(sid, workOf([]));
        expect(journal.files(sid).map(({ path, state }) => [path, state])).toEqual([['x', 'pending']]);
      });

      // Half written, grown too large, or read as a native file by now: its object in the bucket stays what it was.
      test('of a companion that is not to be sent now keeps what the bucket holds of it', () => {
        const sid = shipped('a', 'x');
        journal.enqueue(sid, workOf([otherFile('x', '')]));
        const kept = { role: 'companion', key: 'companions/x', state: 'none', listed: true, receipt: receiptOf('e-x') };
        expect(file(sid, 'x')).toMatchObject(kept);
        journal.enqueue(sid, workOf([otherFile('x', '')]));
        expect(file(sid, 'x')).toMatchObject(kept);
        expect(journal.finish(shipmentOf(sid))).toBe(true);
        expect(journal.deletable(folder, 9_000, 10)).toEqual([]);
        journal.enqueue(sid, workOf([companion('x', 'f1')]));
        expect(file(sid, 'x')).toMatchObject({ ...kept, state: 'pending' });
      });

      test('of a queued companion that is not to be sent now takes it out of the queue', () => {
        const sid = queued('a', companion('x'));
        journal.enqueue(sid, workOf([otherFile('x', '')]));
        expect(file(sid, 'x')).toMatchObject({ role: 'other', state: 'none' });
      });

      test('is all or nothing', () => {
        const sid = queued('a', companion('x'));
        const broken = { ...companion('y'), sizeBytes: 0.5 };
        expect(() => journal.enqueue(sid, workOf([companion('x', 'f2'), broken]))).toThrow();
        expect(shipmentOf(sid).work).toBe(1);
        expect(journal.files(sid).map(({ path, fingerprint }) => [path, fingerprint])).toEqual([['x', 'f1']]);
      });
    });

    describe('a file on its way', () => {
      test('that was sent is uploaded, by the fingerprint it has from now on', () => {
        const sid = queued('a', companion('x'));
        journal.recordFailed(sid, 'x', { ...denied, attempts: 1, dueAtMs: 5, uncertain: true });
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

      test('that changed meanwhile stays pending, with the receipt of what was sent', () => {
        const sid = queued('a', companion('x'));
        journal.enqueue(sid, workOf([companion('x', 'f2')]));
        sent(sid, 'x', 'f1');
        expect(file(sid, 'x')).toMatchObject({ state: 'pending', fingerprint: 'f2', receipt: receiptOf('e-x') });
      });

      test('whose bytes turned out to be those in the bucket is listed as before', () => {
        const sid = shipped('a', 'x');
        journal.enqueue(sid, workOf([companion('x', 'touched')]));
        sent(sid, 'x', 'touched');
        expect(file(sid, 'x')?.listed).toBe(true);
      });

      test('that vanished is gone, whatever an earlier version of it left in the bucket', () => {
        const sid = shipped('a', 'x');
        journal.enqueue(sid, workOf([companion('x', 'f2', { claim: 'c' }), companion('y')]));
        journal.recordGone(sid, 'x');
        journal.recordGone(sid, 'y');
        expect(file(sid, 'x')).toMatchObject({ state: 'gone', receipt: receiptOf('e-x'), claim: undefined });
        expect(state(sid, 'y')).toBe('gone');
      });

      test('is not taken from where it arrived by a late failure', () => {
        const sid = queued('a', companion('x'));
        sent(sid, 'x');
        journal.recordParked(sid, 'x', denied);
        expect(state(sid, 'x')).toBe('uploaded');
        journal.recordGone(sid, 'x');
        expect(state(sid, 'x')).toBe('uploaded');
      });

      test('is parked with cause and remedy', () => {
        const sid = queued('a', companion('x'));
        journal.recordParked(sid, 'x', denied);
        expect(file(sid, 'x')).toMatchObject({ state: 'parked', failure: denied });
        expect(journal.pendingFiles(sid, 9_000, 10)).toEqual([]);
      });

      test('waits for its time, fractions of a millisecond included', () => {
        const sid = queued('a', companion('x'), companion('y'));
        journal.recordFailed(sid, 'x', { ...denied, attempts: 1, dueAtMs: 99.5, uncertain: false });
        expect(journal.pendingFiles(sid, 99, 10).map(({ path }) => path)).toEqual(['y']);
        expect(journal.pendingFiles(sid, 100, 10).map(({ path }) => path)).toEqual(['x', 'y']);
        expect(journal.nextFileDueMs(sid)).toBe(0);
        sent(sid, 'y');
        expect(journal.nextFileDueMs(sid)).toBe(100);
        sent(sid, 'x');
        expect(journal.nextFileDueMs(sid)).toBeUndefined();
      });

      test('goes before larger ones of its session, equals in byte order', () => {
        const sid = queued('a', companion('big', 'f', { sizeBytes: 99 }), companion('z'), companion('b'));
        expect(journal.pendingFiles(sid, 0, 10).map(({ path }) => path)).toEqual(['b', 'z', 'big']);
        expect(journal.pendingFiles(sid, 0, 2).map(({ path }) => path)).toEqual(['b', 'z']);
      });

      test('once uncertain stays uncertain until there is a receipt', () => {
        const sid = queued('a', companion('x'));
        journal.recordFailed(sid, 'x', { ...denied, attempts: 1, dueAtMs: 0, uncertain: true });
        journal.recordFailed(sid, 'x', { ...denied, attempts: 2, dueAtMs: 0, uncertain: false });
        expect(file(sid, 'x')?.uncertain).toBe(true);
      });

      test('is claimed while it is pending; letting go changes what it is known by only where that is still true', () => {
        const sid = queued('a', companion('x', 'f1', { claim: 'c1' }), companion('y', 'f1', { claim: 'c2' }));
        expect(journal.pendingClaims()).toEqual(new Set(['c1', 'c2']));
        sent(sid, 'x');
        expect(journal.pendingClaims()).toEqual(new Set(['c2']));
        journal.recordReleased(sid, 'x', 'f1', 'f1-unlinked');
        expect(file(sid, 'x')).toMatchObject({ claim: undefined, fingerprint: 'f1-unlinked' });
        journal.recordReleased(sid, 'y', 'older', 'older-unlinked');
        expect(file(sid, 'y')).toMatchObject({ claim: undefined, fingerprint: 'f1' });
      });

      test('has a path of any bytes', () => {
        const paths = [[0xff], [0xfe, 0x2f, 0xff], [0x61, 0x0a], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98, 0x80]].map(
          (bytes) => pathFromBytes(Uint8Array.from(bytes)),
        );
        const { sid } = journal.begin(newSession(paths[0] ?? ''));
        journal.freeze(sid, identityOf('bytes'));
        journal.enqueue(sid, workOf(paths.map((path) => companion(path, 'f1', { key: 'k' }))));
        journal = under.reopen();
        expect(journal.rootOf(sid)).toBe(paths[0]);
        expect(new Set(journal.files(sid).map(({ path }) => path))).toEqual(new Set(paths));
        sent(sid, '\udcff');
        expect(state(sid, '\udcff')).toBe('uploaded');
      });
    });

    describe('due sessions', () => {
      test('are those of the folder that are shipping and whose time has come, oldest first', () => {
        const late = queued('late');
        const first = queued('first');
        const second = queued('second');
        begun('open');
        shipped('done', 'x');
        journal.postpone(late, 100.5);
        expect(journal.dueSessions(folder, 100, 10)).toEqual([first, second]);
        expect(journal.dueSessions(folder, 101, 10)).toEqual([late, first, second]);
        expect(journal.dueSessions(folder, 101, 2)).toEqual([late, first]);
        expect(journal.dueSessions('/elsewhere', 101, 10)).toEqual([]);
        expect(journal.nextDueMs(folder, 100)).toBe(101);
        expect(journal.nextDueMs(folder, 101)).toBeUndefined();
      });

      test('count their failures until a log arrives, and are due at once when there is more to do', () => {
        const sid = queued('a');
        journal.postpone(sid, 100, denied);
        journal.postpone(sid, 200, denied);
        journal.postpone(sid, 300);
        expect(shipmentOf(sid).attempts).toBe(2);
        journal.enqueue(sid, workOf([]));
        expect(journal.dueSessions(folder, 0, 10)).toEqual([sid]);
        journal.postpone(sid, 100, denied);
        journal.recordLog(sid, logOf(1, []));
        expect(shipmentOf(sid).attempts).toBe(0);
      });

      test('do not hold what is parked, until more is queued', () => {
        const sid = queued('a');
        journal.park(sid, denied);
        expect(session(sid)?.phase).toBe('parked');
        expect(journal.hasUnfinished(folder)).toBe(false);
        expect(journal.finish(shipmentOf(sid))).toBe(false);
        journal.enqueue(sid, workOf([]));
        expect(journal.dueSessions(folder, 0, 10)).toEqual([sid]);
      });
    });

    describe('a log', () => {
      test('that arrived says which files are listed, and no others', () => {
        const sid = queued('a', companion('x'), companion('y'));
        journal.recordLog(sid, logOf(1, ['x']));
        journal.recordLog(sid, logOf(2, ['y'], { certain: false }));
        expect(journal.files(sid).map(({ path, listed }) => [path, listed])).toEqual([
          ['x', false],
          ['y', true],
        ]);
        expect(shipmentOf(sid)).toMatchObject({ revision: 2, logEtag: 'log-2', logDigest: 'd2', certain: false });
        journal.setCertain(sid);
        expect(shipmentOf(sid).certain).toBe(true);
      });

      test('that was found in the bucket gives back the companions it lists', () => {
        const sid = queued('a', companion('same'), companion('moved'), otherFile('half'));
        journal.adopt(sid, [
          { path: 'same', key: 'companions/same', receipt: receiptOf('e1') },
          { path: 'moved', key: 'companions/elsewhere', receipt: receiptOf('e2') },
          { path: 'half', key: 'companions/half', receipt: receiptOf('e3') },
          { path: 'only there', key: 'companions/only there', receipt: receiptOf('e4') },
        ]);
        expect(file(sid, 'same')).toMatchObject({ state: 'pending', listed: true, receipt: receiptOf('e1') });
        expect(file(sid, 'moved')).toMatchObject({ state: 'pending', listed: false, receipt: undefined });
        expect(file(sid, 'half')).toMatchObject({
          role: 'companion',
          key: 'companions/half',
          state: 'none',
          listed: true,
          receipt: receiptOf('e3'),
        });
        expect(file(sid, 'only there')).toMatchObject({
          state: 'uploaded',
          listed: true,
          fingerprint: '',
          receipt: receiptOf('e4'),
        });
        journal.adopt(sid, [{ path: 'same', key: 'companions/same', receipt: receiptOf('older') }]);
        expect(file(sid, 'same')?.receipt).toEqual(receiptOf('e1'));
      });
    });

    describe('finish', () => {
      test('ends a session that owes nothing', () => {
        const sid = shipped('a', 'x');
        expect(session(sid)?.phase).toBe('shipped');
        expect(journal.shipment(sid)).toBeUndefined();
        expect(journal.hasUnfinished(folder)).toBe(false);
      });

      test('leaves a running session open', () => {
        const sid = begun('a');
        journal.enqueue(sid, workOf([], { seal: undefined, draft: draftOf('running') }));
        expect(journal.finish(shipmentOf(sid))).toBe(true);
        expect(session(sid)).toMatchObject({ phase: 'open', seal: undefined });
      });

      test.each<[string, (sid: number) => void]>([
        ['more was queued since', (sid) => journal.enqueue(sid, workOf([]))],
        ['a file is pending', (sid) => journal.enqueue(sid, workOf([companion('y')]))],
        ['its first log is not certain', (sid) => journal.recordLog(sid, logOf(1, [], { certain: false }))],
        ['it was opened again', (sid) => journal.setPhase(sid, 'open')],
        ['it is parked', (sid) => journal.park(sid, denied)],
      ])('refuses, and does nothing, when %s', (_, arrange) => {
        const sid = queued('a');
        const known = shipmentOf(sid);
        arrange(sid);
        const before = session(sid);
        expect(journal.finish(known)).toBe(false);
        expect(session(sid)).toEqual(before);
        expect(journal.shipment(sid)).toBeDefined();
      });

      test('refuses while a file is pending, even when it is the newest work', () => {
        const sid = queued('a', companion('x'));
        expect(journal.finish(shipmentOf(sid))).toBe(false);
        sent(sid, 'x');
        expect(journal.finish(shipmentOf(sid))).toBe(true);
      });
    });

    describe('rename', () => {
      test('sends all of it again under the new id, as if nothing had been sent', () => {
        const sid = shipped('a', 'x');
        journal.enqueue(sid, workOf([companion('x'), companion('parked'), otherFile('model.pt')]));
        journal.recordParked(sid, 'parked', denied);
        journal.postpone(sid, 500, denied);
        journal.rename(sid, identityOf('a-2'), (path) => `new/${path}`);
        expect(shipmentOf(sid)).toMatchObject({
          identity: identityOf('a-2'),
          revision: 0,
          logEtag: undefined,
          logDigest: undefined,
          certain: true,
          attempts: 0,
        });
        expect(journal.dueSessions(folder, 0, 10)).toEqual([sid]);
        expect(file(sid, 'x')).toMatchObject({ state: 'pending', key: 'new/x', receipt: undefined, listed: false });
        expect(file(sid, 'parked')).toMatchObject({ state: 'parked', key: 'new/parked' });
        expect(file(sid, 'model.pt')).toMatchObject({ role: 'other', state: 'none', key: '' });
        expect([journal.idHolder('a'), journal.idHolder('a-2')]).toEqual([undefined, sid]);
      });

      test('names as gone what was deleted here after it had arrived under the old id', () => {
        const sid = shipped('a', 'x');
        journal.recordDeleted(sid, 'x');
        journal.enqueue(sid, workOf([]));
        journal.rename(sid, identityOf('a-2'), (path) => `new/${path}`);
        expect(file(sid, 'x')).toMatchObject({ state: 'gone', receipt: undefined });
      });

      test('sends what was kept of a companion that is not to be sent now with the next work', () => {
        const sid = shipped('a', 'x');
        journal.enqueue(sid, workOf([otherFile('x', '')]));
        journal.rename(sid, identityOf('a-2'), (path) => `new/${path}`);
        journal.enqueue(sid, workOf([companion('x', 'f1', { key: 'new/x' })]));
        expect(file(sid, 'x')).toMatchObject({ state: 'pending', receipt: undefined, key: 'new/x' });
      });
    });

    describe('recover', () => {
      test('makes all that waits due, and every unfinished file uncertain', () => {
        const sid = queued('a', companion('x'), companion('y'));
        sent(sid, 'y');
        journal.recordFailed(sid, 'x', { ...denied, attempts: 5, dueAtMs: 1e9, uncertain: false });
        journal.postpone(sid, 1e9, denied);
        begun('open');
        journal.setGone(begun('gone'));
        journal = under.reopen();
        expect(journal.recover()).toEqual({ openSessions: 1, unfinishedSessions: 1, unfinishedFiles: 1 });
        expect(journal.dueSessions(folder, 0, 10)).toEqual([sid]);
        expect(shipmentOf(sid).attempts).toBe(0);
        expect(journal.pendingFiles(sid, 0, 10)).toMatchObject([{ path: 'x', uncertain: true, attempts: 0 }]);
        expect(file(sid, 'y')).toMatchObject({ state: 'uploaded', uncertain: false });
      });

      test('gives what is parked another chance: logs at once, files when they are looked at', () => {
        const log = queued('log');
        journal.park(log, denied);
        const sid = queued('file', companion('x'));
        journal.recordParked(sid, 'x', denied);
        expect(journal.recover().unfinishedSessions).toBe(2);
        expect(journal.dueSessions(folder, 0, 10)).toEqual([log, sid]);
        expect(session(sid)?.shape).toBe('');
        journal.enqueue(sid, workOf([companion('x')]));
        expect(state(sid, 'x')).toBe('pending');
      });
    });

    describe('what may be deleted', () => {
      const deletable = () => journal.deletable(folder, 5_000, 10).map(({ file: one }) => one.path);

      test('is a file with a receipt, listed by the last log of a session that ended by evidence', () => {
        const sid = shipped('a', 'x');
        expect(journal.deletable(folder, 5_000, 10)).toEqual([
          { sid, session: 'a', root: 'a', kind: 'directory', file: file(sid, 'x') },
        ]);
        expect(journal.deletable(folder, 5_000, 0)).toEqual([]);
        journal.recordDeleted(sid, 'x');
        expect(file(sid, 'x')).toMatchObject({ state: 'deleted', receipt: receiptOf('e-x') });
        expect(deletable()).toEqual([]);
      });

      /** Done but for one thing. */
      const finished = (sid: number, listed: string[], log = {}) => {
        journal.recordLog(sid, logOf(1, listed, log));
        journal.finish(shipmentOf(sid));
      };
      test.each<[string, () => void]>([
        ['whose receipt is too fresh', () => shippedAt(5_001)],
        ['of another folder', () => {
          const { sid } = journal.begin(newSession('a', { folder: '/elsewhere' }));
          journal.freeze(sid, identityOf('a'));
          journal.enqueue(sid, workOf([companion('x')]));
          sent(sid, 'x');
          finished(sid, ['x']);
        }],
        ['of a session that fell silent', () => {
          const sid = begun('a');
          journal.enqueue(sid, workOf([companion('x')], { seal: silence }));
          sent(sid, 'x');
          finished(sid, ['x']);
        }],
        ['of a session that still runs', () => {
          const sid = begun('a');
          journal.enqueue(sid, workOf([companion('x')], { seal: undefined, draft: draftOf('running') }));
          sent(sid, 'x');
          finished(sid, ['x']);
        }],
        ['of a session that is not shipped yet', () => {
          const sid = queued('a', companion('x'));
          sent(sid, 'x');
          journal.recordLog(sid, logOf(1, ['x']));
        }],
        ['of a session whose directory is gone', () => journal.setGone(shipped('a', 'x'))],
        ['that the log does not list', () => {
          const sid = queued('a', companion('x'));
          sent(sid, 'x');
          finished(sid, []);
        }],
        ['of a session whose log misses something', () => {
          const sid = queued('a', companion('x'));
          sent(sid, 'x');
          finished(sid, ['x'], { missing: 1 });
        }],
        ['of a session whose first log may not be its own', () => {
          const sid = shipped('a', 'x');
          journal.recordLog(sid, logOf(2, ['x'], { certain: false }));
        }],
        ['of a session with a parked file', () => {
          const sid = queued('a', companion('x'), companion('y'));
          sent(sid, 'x');
          journal.recordParked(sid, 'y', denied);
          finished(sid, ['x']);
        }],
        ['of a session that lost a file', () => {
          const sid = queued('a', companion('x'), companion('y'));
          sent(sid, 'x');
          journal.recordGone(sid, 'y');
          finished(sid, ['x']);
        }],
        ['that is known from a log in the bucket alone', () => {
          const sid = queued('a');
          journal.adopt(sid, [{ path: 'x', key: 'companions/x', receipt: receiptOf('e') }]);
          finished(sid, ['x']);
        }],
        ['that is excluded', () => {
          const sid = queued('a', otherFile('x'));
          finished(sid, []);
        }],
      ])('is no file %s', (_, arrange) => {
        arrange();
        expect(deletable()).toEqual([]);
      });

      function shippedAt(receivedAtMs: number): void {
        const sid = queued('a', companion('x'));
        const receipt = receiptOf('e', { receivedAtMs });
        journal.recordUploaded(sid, 'x', { fingerprint: 'f1', newFingerprint: 'f1', receipt });
        finished(sid, ['x']);
      }

      test('is found up to the very age', () => {
        shippedAt(5_000);
        expect(deletable()).toEqual(['x']);
      });
    });

    test('the backlog counts and names what is not in the bucket', () => {
      begun('open');
      shipped('done', 'x');
      journal.begin(newSession('old', { phase: 'skipped' }));
      const sid = queued('busy', companion('a'), companion('b', 'f', { sizeBytes: 5 }), companion('c'), otherFile('m'));
      journal.recordParked(sid, 'c', denied);
      journal.recordFailed(sid, 'b', { ...denied, cause: 'slow', attempts: 1, dueAtMs: 9, uncertain: true });
      const stuck = queued('stuck');
      journal.park(stuck, denied);
      expect(journal.backlog(folder)).toEqual({
        open: 1,
        shipping: 1,
        shipped: 1,
        skipped: 1,
        pendingFiles: 2,
        pendingBytes: 15,
        oldestPendingFoundAtMs: 1_000,
        unsent: [
          { session: 'busy', path: 'a', sizeBytes: 10, reason: 'waiting' },
          { session: 'busy', path: 'b', sizeBytes: 5, reason: 'slow' },
          { session: 'busy', path: 'training-logs/2026/01/busy.log', sizeBytes: 0, reason: 'waiting' },
        ],
        parked: [
          { ...denied, session: 'busy', path: 'c' },
          { ...denied, session: 'stuck', path: 'stuck' },
        ],
      });
      expect(journal.backlog('/elsewhere')).toMatchObject({ open: 0, unsent: [], oldestPendingFoundAtMs: undefined });
    });

    test('single facts are remembered, the last one said', () => {
      expect(journal.getMeta('m')).toBeUndefined();
      journal.setMeta('m', '1');
      journal.setMeta('m', '2');
      const { writer } = journal;
      journal = under.reopen();
      expect(journal.getMeta('m')).toBe('2');
      expect(journal.writer).toBe(writer);
      expect(writer).toMatch(/^[0-9a-f]{16}$/);
    });
  });
}
