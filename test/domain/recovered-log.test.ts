import fc from 'fast-check';
import { expect, test } from 'vitest';
import { recoveredLog, unfinishedFiles, withoutListed } from '../../src/domain/recovered-log.ts';
import {
  type CompanionEntry,
  type MissingEntry,
  missingReasons,
  renderSessionLog,
  type SessionLog,
  sessionStatuses,
} from '../../src/domain/session-log.ts';

const entry = (path: string, bytes: number): CompanionEntry => ({ path, key: `k/${path}`, bytes, etag: 'e' });

function logOf(
  status: SessionLog['session']['status'],
  companions: readonly CompanionEntry[],
  missing: readonly MissingEntry[],
): SessionLog {
  const agent = { version: '1', host: 'h' };
  return {
    schemaVersion: 1,
    session: { id: 'a', status, startedAt: '2026-01-01T00:00:00Z', revision: 3, agent },
    companions: [...companions],
    missing: [...missing],
    excluded: { files: 0, bytes: 0 },
    native: {},
    provenance: {},
    warnings: ['first'],
  };
}

const paths = ['a.log', 'b.log', 'c/d.bin', '.'];
const path = fc.constantFrom(...paths);
const bytes = fc.integer({ min: 0, max: 3 });
const anyLog = fc
  .record({
    status: fc.constantFrom(...sessionStatuses),
    companions: fc.uniqueArray(fc.tuple(path, bytes), { selector: ([name]) => name }),
    missing: fc.array(fc.record({ path, bytes, reason: fc.constantFrom(...missingReasons) })),
  })
  .map(({ status, companions, missing }) =>
    logOf(
      status,
      companions.map(([name, size]) => entry(name, size)),
      missing,
    ),
  );
/** What became of each file that the log waits for: completed with so many bytes, lost, or neither. */
const anyEnds = fc.dictionary(path, fc.oneof(bytes, fc.constantFrom('lost' as const, 'failed' as const)));

test('no log comes to miss less, and none that was written by a running session ever looks complete', () => {
  fc.assert(
    fc.property(anyLog, anyEnds, (log, ends) => {
      const unfinished = unfinishedFiles(log).map((file) => file.path);
      const completed = new Map<string, CompanionEntry>();
      const lost = new Set<string>();
      for (const name of unfinished) {
        const end = ends[name];
        if (typeof end === 'number') completed.set(name, entry(name, end));
        if (end === 'lost') lost.add(name);
      }
      const { session, companions, missing } = recoveredLog(log, { completed, lost });
      const named = new Set(missing.map((file) => file.path));
      expect(log.missing.filter((file) => !named.has(file.path))).toEqual([]);
      if (log.session.status === 'running') expect(named).toContain('.');
      expect(session.status).not.toBe('running');
      for (const name of completed.keys()) {
        expect(companions.filter((file) => file.path === name)).toMatchObject([{ truncated: true }]);
        expect(missing.find((file) => file.path === name)?.reason).not.toBe('pending');
      }
      expect(session.revision).toBe(4);
    }),
    { seed: 25, numRuns: 500 },
  );
});

test('a file of exactly the size that the log waits for is listed as truncated, and stays missing', () => {
  const log = logOf('completed', [], [{ path: 'a.log', bytes: 3, reason: 'pending' }]);
  const recovered = recoveredLog(log, {
    completed: new Map([['a.log', entry('a.log', 3)]]),
    lost: new Set(),
  });
  expect(recovered).toMatchObject({
    session: { status: 'completed', revision: 4 },
    companions: [{ path: 'a.log', bytes: 3, truncated: true }],
    missing: [{ path: 'a.log', bytes: 3, reason: 'vanished' }],
    warnings: ['first', expect.stringContaining('1 file was completed by trainlogd recover')],
  });
  expect(() => renderSessionLog(recovered)).not.toThrow();
});

test('done for one file after the other, it says each thing once', () => {
  const missing = ['a.log', 'b.log'].map((name) => ({ path: name, bytes: 3, reason: 'pending' as const }));
  const one = (name: string) => ({ completed: new Map([[name, entry(name, 2)]]), lost: new Set<string>() });
  const once = recoveredLog(logOf('running', [], missing), one('a.log'));
  expect(unfinishedFiles(once).map((file) => file.path)).toEqual(['b.log']);
  const twice = recoveredLog(once, one('b.log'));
  expect(twice.missing.map((file) => `${file.path} ${file.reason}`)).toEqual([
    'a.log vanished',
    'b.log vanished',
    '. vanished',
  ]);
  expect(twice.session).toMatchObject({ status: 'interrupted', sealedBy: 'trainlogd recover', revision: 5 });
  expect(twice.warnings).toHaveLength(3);
});

test('a file that the log names twice is waited for once', () => {
  const twice = { path: 'a.log', bytes: 3, reason: 'pending' as const };
  expect(unfinishedFiles(logOf('running', [], [twice, { ...twice, reason: 'changing' }]))).toHaveLength(1);
});

test('before objects are replaced, exactly they are not listed any more', () => {
  const log = logOf('running', [entry('a.log', 1), entry('b.log', 1)], []);
  const { companions, session } = withoutListed(log, new Set(['a.log']));
  expect(companions.map((file) => file.path)).toEqual(['b.log']);
  expect(session).toMatchObject({ status: 'running', revision: 4 });
});
