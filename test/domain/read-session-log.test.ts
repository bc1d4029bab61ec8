import { expect, test } from 'vitest';
import { readSessionLog } from '../../src/domain/read-session-log.ts';
import type { SessionLog } from '../../src/domain/session-log.ts';

const log: SessionLog = {
  schemaVersion: 1,
  session: {
    id: 'run-7',
    status: 'running',
    startedAt: '2026-01-02T03:04:05.000Z',
    revision: 3,
    agent: { version: '0.1.0', host: 'node-1' },
  },
  pod: { costPerHour: 2 },
  companions: [{ path: 'a', key: 'k/a', bytes: 1, etag: 'e' }],
  missing: [],
  excluded: { files: 0, bytes: 0 },
  native: { 'session.json': { id: 'run-7' } },
  provenance: {},
  warnings: [],
};

test('a log is read as it was written', () => {
  expect(readSessionLog(JSON.stringify(log))).toEqual(log);
});

test('what a later version adds is left out, wherever it stands, and the rest is kept', () => {
  const later = structuredClone(log) as unknown as Record<string, Record<string, unknown>>;
  later['gpus'] = { peak: 8 };
  for (const section of ['session', 'pod', 'excluded']) Object.assign(later[section] ?? {}, { new: true });
  Object.assign(later['companions']?.[0] ?? {}, { blake3: 'x' });
  expect(readSessionLog(JSON.stringify(later))).toEqual(log);
});

test.each<[string, string]>([
  ['nothing', ''],
  ['half of one', JSON.stringify(log).slice(0, 100)],
  ['one of another format', JSON.stringify({ ...log, schemaVersion: 2 })],
  ['one that lacks what it must have', JSON.stringify({ ...log, session: undefined })],
  ['one with a wrong value beside a new key', JSON.stringify({ ...log, new: 1, missing: 'none' })],
  ['a number', '7'],
])('%s is not read', (_, text) => {
  expect(readSessionLog(text)).toBeUndefined();
});
