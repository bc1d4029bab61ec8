import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { columnsOf } from '../../src/commands/columns.ts';
import { changeLines } from '../../src/commands/status-changes.ts';
import { frame } from '../../src/commands/status-frame.ts';
import { statusLines } from '../../src/commands/status-text.ts';
import { paintFor } from '../../src/commands/styled.ts';
import type { Status } from '../../src/ports/status.ts';

const nowMs = Date.UTC(2026, 0, 31, 12);
const minutes = 60_000;

const healthy: Status = {
  version: 1,
  running: true,
  pid: 4711,
  host: 'gpu-7',
  program: '0.1.0',
  folder: '/data/outputs',
  folderState: 'present',
  destination: 's3://logs',
  state: '/var/lib/trainlogd',
  credentials: { source: 'role of the instance', expiresAt: '2026-01-31T15:20:00Z' },
  http: { url: 'http://127.0.0.1:9464/' },
  backlog: {
    ...{ open: 1, shipping: 0, shipped: 12, skipped: 0, pendingFiles: 0, pendingBytes: 0, parkedFiles: 0 },
    ...{ oldestPendingFoundAtMs: undefined, unsent: [], parked: [] },
  },
  uploads: [],
  loose: [],
};

const parked = (path: string, session = 'run-7') => ({
  ...({ session, path, reason: 'parked', code: 'AccessDenied' } as const),
  cause: 'writing "k": AccessDenied',
  remedy: 'grant s3:PutObject',
});

const busy: Status = {
  ...healthy,
  blocked: { code: 'ExpiredToken', cause: 'the token has expired', remedy: 'renew it', sinceMs: 3 * minutes },
  report: {
    ...{ version: 1, at: '2026-01-31T11:58:00Z', host: 'gpu-7', folder: '/data/outputs' },
    ...{ destination: 's3://logs', level: 'warning' },
    findings: [
      { code: 'disk.free', level: 'warning', finding: '1.2 GiB are free', remedy: 'free some' },
      { code: 'agent.parked', level: 'warning', finding: 'told already' },
    ],
    sessions: { open: 1, shipping: 1, shipped: 12, skipped: 0, parkedFiles: 5 },
    backlog: { files: 1, bytes: 1 },
    ...{ unfinishedUploads: { count: 0, bytes: 0 }, disks: [] },
    watch: { state: 'present', looks: 1, missedByEvents: 0 },
  },
  backlog: {
    ...{ ...healthy.backlog, shipping: 2, skipped: 4, pendingFiles: 3, pendingBytes: 3 * 1024 ** 3 },
    unsent: [{ session: 'run-8', path: 'x', sizeBytes: 1, reason: 'writing "x": SlowDown', attempts: 1 }],
    parked: ['a', 'b', 'c', 'd', 'e'].map((path) => parked(path)),
  },
  uploads: [
    {
      ...{ session: 'run-9', path: 'out/stdout.log', sizeBytes: 2 * 1024 ** 3, sentBytes: 1024 ** 3 },
      ...{ forMs: 90_000, bytesPerSecond: 8 * 1024 ** 2 },
    },
  ],
};

const textOf = (status: Status, columns = 80) => statusLines(status, nowMs, columns).map(({ text }) => text);

test('a status that is well says so first, and takes a dozen lines', () => {
  expect(textOf(healthy)).toEqual([
    'all is well: trainlogd 0.1.0 runs as process 4711 on gpu-7',
    '',
    'BACKLOG',
    '  to send      0 files, 0 B',
    '  sessions     12 shipped, 0 being shipped, 1 open',
    '',
    'AGENT',
    '  credentials  role of the instance, for 3 h 20 min more (2026-01-31T15:20:00Z)',
    '  page         http://127.0.0.1:9464/',
    '  folder       /data/outputs',
    '  destination  s3://logs',
  ]);
});

test('what needs somebody comes first, with its remedy; then uploads, backlog, credentials and the report', () => {
  expect(textOf(busy)).toEqual([
    '2 things need you: trainlogd 0.1.0 runs as process 4711 on gpu-7',
    '',
    '! nothing can be sent, for 3 min: ExpiredToken',
    '  the token has expired',
    '  to do: renew it',
    '',
    '! not shipped: 5 files: AccessDenied',
    '    run-7: a',
    '    run-7: b',
    '    run-7: c',
    '    and 2 more',
    '  writing "k": AccessDenied',
    '  to do: grant s3:PutObject; then: trainlogd retry run-7',
    '',
    '? 1.2 GiB are free',
    '  to do: free some',
    '',
    'SENDING 1 file, 8.00 MiB/s',
    '  out/stdout.log of run-9',
    '  [##########----------] 50 %  1.00 of 2.00 GiB  8.00 MiB/s  2 min left',
    '',
    'BACKLOG',
    '  to send      3 files, 3.00 GiB, 4 min at this rate',
    '  sessions     12 shipped, 2 being shipped, 1 open, 4 left to backfill',
    '  tried again  1 item: writing "x": SlowDown',
    '',
    'AGENT',
    '  credentials  role of the instance, for 3 h 20 min more (2026-01-31T15:20:00Z)',
    '  last report  warning, 2 min ago, 2 findings',
    '  page         http://127.0.0.1:9464/',
    '  folder       /data/outputs',
    '  destination  s3://logs',
  ]);
});

test.each<[string, Partial<Status>, RegExp]>([
  [
    'files of two sessions are retried together',
    { backlog: { ...busy.backlog, parked: [parked('a'), parked('b', 'run-8')] } },
    /trainlogd retry --all/,
  ],
  [
    'one file is named in the title',
    { backlog: { ...busy.backlog, parked: [parked('a')] } },
    /! not shipped: run-7: a: AccessDenied\n/,
  ],
  [
    'credentials that were not renewed',
    { credentials: { source: 's', problem: 'no answer' } },
    /! the credentials could not be renewed\n {2}no answer/,
  ],
  [
    'credentials that are over',
    { credentials: { source: 's', expiresAt: '2026-01-31T11:00:00Z' } },
    /credentials {2}s, expired 60 min ago/,
  ],
  ['nobody who would send', { running: false }, /^no trainlogd runs for \/var\/lib[\s\S]*to do: start it/],
  [
    'a transfer that stands still',
    { uploads: busy.uploads.map((one) => ({ ...one, bytesPerSecond: 0 })) },
    /0 B\/s {2}stands still/,
  ],
  ['a folder that is away', { folderState: 'missing' }, /folder {7}\/data\/outputs \(missing\)/],
  ['a clock that is wrong', { clockBehindMs: -5_000 }, /clock {8}5 s ahead of the server's/],
  [
    'what other hosts ship',
    { elsewhere: [{ session: 'run-1', host: 'gpu-8' }] },
    /SHIPPED BY OTHER HOSTS\n {2}run-1: gpu-8/,
  ],
])('%s', (_, with_, expected) => {
  expect(textOf({ ...busy, ...with_ }).join('\n')).toMatch(expected);
});

describe('names that are made to deceive', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 300 }),
    fc.constantFrom(
      '\u001b[2J\u001b]0;owned\u0007',
      'a\r\nall is well',
      '\u202egnp.exe',
      '訓練'.repeat(90),
      '\u200b'.repeat(9),
    ),
  );

  test('never move the cursor, break a line or a screen of any size', () => {
    fc.assert(
      fc.property(
        hostile,
        hostile,
        fc.integer({ min: 1, max: 120 }),
        fc.integer({ min: 1, max: 40 }),
        (session, path, columns, rows) => {
          const status: Status = {
            ...busy,
            backlog: {
              ...busy.backlog,
              parked: [{ ...parked(path, session), cause: path, remedy: session }],
            },
            uploads: busy.uploads.map((one) => ({ ...one, session, path })),
            elsewhere: [{ session, host: path }],
            loose: [path],
          };
          const lines = frame({ status, problem: session }, nowMs, { columns, rows });
          expect(lines.length).toBeLessThanOrEqual(rows);
          for (const { text } of lines) {
            expect(text).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069\u2028\u2029]/u);
            expect(columnsOf(text)).toBeLessThanOrEqual(Math.max(20, columns));
          }
          for (const line of changeLines({ status, problem: undefined }, new Set(), nowMs).lines)
            expect(line).not.toMatch(/[\p{Cc}\u202a-\u202e]/u);
        },
      ),
      { numRuns: 200 },
    );
  });
});

test('a frame that has more lines than the screen says how many it leaves out, and keeps its foot', () => {
  const lines = frame({ status: busy, problem: undefined }, nowMs, { columns: 80, rows: 10 }).map(
    ({ text }) => text,
  );
  expect(lines).toHaveLength(10);
  expect(lines.slice(-3)).toEqual([
    'and 25 more lines: trainlogd status shows all',
    '',
    '12:00:00 UTC, Ctrl-C ends',
  ]);
});

test('plain lines tell what is new, and neither ages nor rates are', () => {
  const seen = (status: Status) => ({ status, problem: undefined });
  const first = changeLines(seen(busy), new Set(), nowMs);
  expect(first.lines[0]).toBe(
    '2026-01-31T12:00:00Z running; 12 shipped, 2 being shipped, 1 open; 3 files, 3.00 GiB to send; out/stdout.log of run-9 50 %',
  );
  expect(first.lines).toHaveLength(4);
  const blocked = busy.blocked && { ...busy.blocked, sinceMs: 9 * minutes };
  const later = {
    ...busy,
    ...(blocked && { blocked }),
    uploads: busy.uploads.map((one) => ({ ...one, forMs: 95_000, bytesPerSecond: 1 })),
  };
  const second = changeLines(seen(later), first.now, nowMs + 5_000);
  expect(second.lines).toEqual([]);
  const third = changeLines(seen(healthy), second.now, nowMs + 9_000);
  expect(third.lines).toEqual([
    '2026-01-31T12:00:09Z running; 12 shipped, 0 being shipped, 1 open; 0 files, 0 B to send',
  ]);
});

test('colours are for terminals whose users did not refuse them', () => {
  const terminal = {
    size: () => ({ columns: 80, rows: 24 }),
    onChange: () => () => {},
    onExit: () => () => {},
  };
  const line = { text: 'x', tone: 'critical' } as const;
  expect(paintFor({ terminal, env: {} })(line)).toBe('\u001b[1;31mx\u001b[0m');
  for (const edge of [{ env: {} }, { terminal, env: { NO_COLOR: '1' } }, { terminal, env: { TERM: 'dumb' } }])
    expect(paintFor(edge)(line)).toBe('x');
});
