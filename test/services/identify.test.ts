import { expect, test } from 'vitest';
import type { Journal, SessionRecord } from '../../src/ports/journal.ts';
import type { SurveyedSession } from '../../src/services/folder-survey.ts';
import { identify } from '../../src/services/identify.ts';
import type { SessionReading } from '../../src/services/session-reading.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

/** A session that says when it started, on a host whose clock stands at the beginning of 2026. */
function startOf(nativeStartedAt: string, serverNowMs?: () => number) {
  const clock = new FakeClock(Date.UTC(2026, 0, 1));
  const journal: Pick<Journal, 'idHolder' | 'freeze'> = {
    idHolder: () => undefined,
    freeze: () => undefined,
  };
  const record: Partial<SessionRecord> = {
    sid: 1,
    root: 'run',
    directoryIdentity: '1',
    foundAtMs: clock.nowMs(),
  };
  const surveyed = { root: { path: 'run', kind: 'directory' }, files: [], startedNoLaterThanNs: 0n };
  const reading: Partial<SessionReading> = { nativeStartedAt, nativeStartedBy: 'session.json' };
  const options = {
    journal: journal as Journal,
    clock,
    events: { emit: () => undefined },
    keyTemplate: 'training-logs/{year}/{month}/{session-id}.log',
    folder: '/data',
    agent: { host: 'node-1' },
    ...(serverNowMs && { serverNowMs }),
  };
  const found = identify(
    options,
    record as SessionRecord,
    surveyed as unknown as SurveyedSession,
    reading as SessionReading,
  );
  return [new Date(found.startedAtMs).toISOString().slice(0, 10), found.startedBy];
}

test('a start over a day ahead of the clock is not believed, by the clock of the server where that is known', () => {
  expect(startOf('2026-01-01T12:00:00Z')).toEqual(['2026-01-01', 'session.json']);
  expect(startOf('2026-03-01T12:00:00Z')).toEqual(['2026-01-01', 'first look']);
  const server = () => Date.UTC(2026, 2, 1);
  expect(startOf('2026-03-01T12:00:00Z', server)).toEqual(['2026-03-01', 'session.json']);
  expect(startOf('2026-03-03T12:00:00Z', server)).toEqual(['2026-01-01', 'first look']);
});
