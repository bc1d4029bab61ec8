import { expect, test } from 'vitest';
import type { Finding } from '../../src/domain/finding.ts';
import { assess } from '../../src/services/assess.ts';
import { presentFindings } from '../../src/services/present-findings.ts';
import type { ReportFacts } from '../../src/services/report-facts.ts';
import { reportOf } from '../../src/services/report-of.ts';
import { backlogWith, factsWith, limits, minuteMs, nowMs, statusWith } from '../support/report-facts.ts';

const waiting = backlogWith({
  pendingFiles: 2,
  pendingBytes: 3_000_000,
  unsent: [{ session: 'a', path: 'x', sizeBytes: 3_000_000, reason: 'SlowDown', attempts: 1 }],
});
const failing = backlogWith({
  ...waiting,
  unsent: [13, 14, 20].map((attempts, at) => ({
    ...{ session: 'a', path: 'wxy'.charAt(at), sizeBytes: 1 },
    ...{ reason: 'Strange', attempts },
  })),
});
const in_ = (ms: number) => new Date(nowMs + ms).toISOString();
const blocked = {
  code: 'InvalidAccessKeyId',
  cause: 'listing: refused',
  remedy: 'check the key',
  sinceMs: 90_000,
};
const looked: Finding = {
  code: 'credentials.keyUnknown',
  level: 'critical',
  finding: 'the access key is not known',
  evidence: 'HTTP 403',
};
const parked = (code: string) => ({
  session: 'a',
  path: 'x',
  reason: 'unreadable' as const,
  code,
  cause: 'opening: denied',
  remedy: 'let it be read',
});
const credentials = (source: string, expiresMs?: number, problem?: string) =>
  statusWith({
    credentials: {
      source,
      ...(expiresMs !== undefined && { expiresAt: in_(expiresMs) }),
      ...(problem !== undefined && { problem }),
    },
  });
const keys = 'profile "default" in /home/x/.aws/credentials';
const rate = { bytesPerSecond: 1_000 };

const cases: readonly [what: string, facts: Partial<ReportFacts>, found: readonly string[]][] = [
  ['an agent that is well', {}, []],
  ['what waits and moves', { status: statusWith({ backlog: waiting }), pace: rate }, []],
  [
    'what has been still for less',
    { status: statusWith({ backlog: waiting }), pace: { stuckMs: 15 * minuteMs - 1 } },
    [],
  ],
  [
    'what has been still for long',
    { status: statusWith({ backlog: waiting }), pace: { stuckMs: 15 * minuteMs } },
    [
      'warning backlog.stuck: nothing has moved for 15 min, and to be sent there is 2 files (2.86 MiB) [nothing has arrived yet; the last try: SlowDown] see what each file waits for',
    ],
  ],
  [
    'what has been still for four times as long',
    {
      status: statusWith({ backlog: backlogWith({ shipping: 1 }), blocked }),
      pace: { stuckMs: 60 * minuteMs },
      lastSuccessAtMs: nowMs - 62 * minuteMs,
    },
    [
      'critical agent.blocked: the agent sends nothing for 90 s, InvalidAccessKeyId [listing: refused] check the key',
      'critical backlog.stuck: nothing has moved for 60 min, and to be sent there is 1 session log [something last arrived 62 min ago] do what is said of the destination',
    ],
  ],
  [
    'one cause that both met is told once, by the one who names it',
    { status: statusWith({ blocked }), looked: [looked], access: { code: 'InvalidAccessKeyId' } },
    [
      'critical credentials.keyUnknown: the access key is not known [the agent sends nothing for 90 s; HTTP 403]',
    ],
  ],
  [
    'a destination that nobody reaches is one cause, whatever it is called',
    {
      status: statusWith({ blocked: { ...blocked, code: 'ETIMEDOUT' } }),
      looked: [{ ...looked, code: 'network.silent' }],
      access: { code: 'TimeoutError' },
    },
    ['critical network.silent: the access key is not known [the agent sends nothing for 90 s; HTTP 403]'],
  ],
  [
    'two causes are two findings',
    { status: statusWith({ blocked }), looked: [looked], access: { code: 'NoSuchBucket' } },
    ['critical credentials.keyUnknown', 'critical agent.blocked'],
  ],
  [
    'a destination that cannot be used for some seconds',
    { status: statusWith({ blocked: { ...blocked, sinceMs: 59_000 } }) },
    ['warning agent.blocked: the agent sends nothing for 59 s'],
  ],
  [
    'a destination that one look did not reach, a server that restarts or a host that just booted',
    { looked: [{ ...looked, code: 'network.refused' }], isNewlyUnreachable: true },
    ['warning network.refused'],
  ],
  [
    'one that was not reached at the last report either',
    { looked: [{ ...looked, code: 'network.refused' }], isNewlyUnreachable: false },
    ['critical network.refused'],
  ],
  [
    'one that could not be used for a minute',
    {
      status: statusWith({ blocked: { ...blocked, code: 'ECONNREFUSED' } }),
      looked: [{ ...looked, code: 'network.refused' }],
      isNewlyUnreachable: true,
    },
    ['critical network.refused'],
  ],
  [
    'what does not pass by itself, at first sight',
    { looked: [{ ...looked, code: 'network.unknownCa' }], isNewlyUnreachable: true },
    ['critical network.unknownCa'],
  ],
  [
    'files that fail again and again while others move',
    { status: statusWith({ backlog: failing }), pace: rate },
    [
      'warning backlog.failing: 2 files cannot be sent, and will be tried again and again [a: y: tried 20 times in a row: Strange] mend what the cause says',
    ],
  ],
  [
    'the same where nothing moves: one cause',
    { status: statusWith({ backlog: failing }), pace: { stuckMs: 15 * minuteMs } },
    ['warning backlog.stuck'],
  ],
  [
    'parked files, one finding for each cause',
    {
      status: statusWith({
        backlog: backlogWith({ parked: [parked('EACCES'), parked('EACCES'), parked('EIO')] }),
      }),
    },
    [
      'warning agent.parked: 2 files parked, EACCES [a: x: opening: denied] let it be read; then: trainlogd retry',
      'warning agent.parked: 1 file parked, EIO',
    ],
  ],
  ['keys that last', { status: credentials('environment') }, []],
  ['keys that end later', { status: credentials(keys, 24 * 60 * minuteMs + 1) }, []],
  [
    'keys that end soon',
    { status: credentials(keys, 40 * minuteMs) },
    ['warning credentials.expiring: the credentials end in 40 min [from profile "default"'],
  ],
  [
    'keys that have ended',
    { status: credentials(keys, -40 * minuteMs) },
    ['critical credentials.expired: the credentials have expired 40 min ago'],
  ],
  [
    'keys that have ended, as the destination says already',
    { status: credentials(keys, -minuteMs), access: { valid: false }, looked: [looked] },
    ['critical credentials.keyUnknown'],
  ],
  [
    'by the clock of a server that is ahead',
    { status: { ...credentials(keys, minuteMs), clockBehindMs: 2 * minuteMs } },
    ['critical credentials.expired: the credentials have expired 60 s ago'],
  ],
  ['a role that renews itself', { status: credentials('container role', 10 * minuteMs) }, []],
  [
    'a role that was not renewed',
    { status: credentials('container role', 10 * minuteMs, 'asking: refused: mend it') },
    [
      'warning credentials.renewal: the credentials of container role could not be renewed, and those that are held end in 10 min [asking: refused: mend it]',
    ],
  ],
  [
    'a role that was not renewed in time',
    { status: credentials('instance role', -minuteMs, 'asking: refused') },
    [
      'critical credentials.renewal: the credentials of instance role could not be renewed, and those that were held have expired',
    ],
  ],
  [
    'a token that ends before the backlog is sent',
    {
      status: { ...credentials(keys, 30 * 60 * minuteMs), backlog: waiting },
      pace: { drainBytesPerSecond: 25 },
    },
    ['warning credentials.endBeforeBacklog: the credentials end in 30 h, and the backlog needs 33 h'],
  ],
  [
    'one that renews itself',
    {
      status: { ...credentials('instance role', 10 * minuteMs), backlog: waiting },
      pace: { drainBytesPerSecond: 25 },
    },
    [],
  ],
  [
    'what is there already of a file under way needs no time',
    {
      status: {
        ...credentials(keys, 30 * 60 * minuteMs),
        backlog: waiting,
        uploads: [
          { session: 'a', path: 'x', sizeBytes: 3_000_000, sentBytes: 1_000_000, forMs: 1 },
          { session: 'b', path: 'grows', sizeBytes: 9_000_000, sentBytes: 9_000_000, forMs: 1 },
        ],
      },
      pace: { drainBytesPerSecond: 25 },
    },
    [],
  ],
  [
    'a folder that is not there',
    { status: statusWith({ folderState: 'missing' }) },
    ['critical folder.missing: the folder "/data/runs" is not there'],
  ],
  [
    'a folder that cannot be read',
    { status: statusWith({ folderState: 'unreadable' }) },
    ['critical folder.unreadable'],
  ],
  [
    'a limit of watches',
    {
      watch: {
        ...{ by: 'looks', looks: 2, missedByEvents: 99, missedLately: 99 },
        degraded: { code: 'ENOSPC', message: 'the limit is reached', remedy: 'raise it' },
      },
    },
    ['warning watch.degraded: the limit is reached [ENOSPC] raise it'],
  ],
  ['an event that was lost', { watch: { by: 'events', looks: 2, missedByEvents: 9, missedLately: 9 } }, []],
  [
    'events that do not come',
    { watch: { by: 'events', looks: 2, missedByEvents: 30, missedLately: 10 } },
    ['warning watch.missed: 10 changes since'],
  ],
  [
    'no events, as on network file systems',
    { watch: { by: 'looks', looks: 2, missedByEvents: 30, missedLately: 30 } },
    [],
  ],
  [
    'given up uploads that cost',
    { status: statusWith({ parts: { open: 1, openBytes: 1, abandoned: 2, abandonedBytes: 2 ** 30 } }) },
    ['warning uploads.abandoned: 2 uploads that were given up hold 1.00 GiB in the bucket'],
  ],
  [
    'nobody who ships',
    { status: statusWith({ running: false, folderState: 'missing', backlog: waiting }) },
    ['critical agent.absent: no trainlogd runs for "/var/lib/trainlogd"; meanwhile something waits'],
  ],
  [
    'a state directory that cannot be used',
    {
      status: statusWith({
        trouble: { code: 'ENOSPC', cause: 'full', remedy: 'free space', sinceMs: 5_000 },
      }),
    },
    ['critical agent.trouble: the agent waits for its state directory for 5 s [full] free space'],
  ],
  [
    'the worst comes first',
    {
      looked: [
        { code: 'disk.free', level: 'warning', finding: 'low' },
        looked,
        { code: 'x', level: 'ok', finding: '' },
      ],
    },
    ['critical credentials.keyUnknown', 'warning disk.free'],
  ],
];

test.each(cases)('of %s it says what is due', (_, facts, expected) => {
  const found = assess(factsWith(facts), limits);
  const said = found.map(({ level, code, finding, evidence, remedy }) => {
    return `${level} ${code}: ${finding} [${evidence}] ${remedy}`;
  });
  expect(said).toEqual(expected.map((start) => expect.stringContaining(start.replace(/]$/, ''))));
  // Those that were looked for are the test's own.
  const own = found.filter(({ code }) => !facts.looked?.some((one) => one.code === code));
  expect(own.filter(({ remedy }) => remedy === undefined)).toEqual([]);
});

test('a report has what was measured, and leaves out what is not known', () => {
  const status = {
    ...credentials(keys, 60 * minuteMs),
    backlog: { ...waiting, oldestPendingFoundAtMs: nowMs - 90_000, parked: [parked('EIO')], parkedFiles: 1 },
    parts: { open: 1, openBytes: 10, abandoned: 1, abandonedBytes: 5 },
    clockBehindMs: 45_000,
  };
  const access = { valid: true, identity: 'arn:aws:iam::1:user/logs' };
  const pace = { bytesPerSecond: 1_000.4, drainBytesPerSecond: 1_000.4, stuckMs: 1_499 };
  const disks = [{ of: 'state', freeBytes: 1, totalBytes: 2 }] as const;
  const made = reportOf(factsWith({ status, access, pace, disks, lastSuccessAtMs: nowMs - 1_000 }), limits);
  expect(made).toMatchObject({
    version: 1,
    at: in_(0),
    level: 'warning',
    sessions: { shipped: 1, parkedFiles: 1 },
    backlog: {
      files: 2,
      bytes: 3_000_000,
      oldestAgeSeconds: 90,
      stuckSeconds: 1,
      bytesPerSecond: 1_000,
      drainSeconds: 2_999,
    },
    unfinishedUploads: { count: 2, bytes: 15 },
    disks,
    clockBehindMs: 45_000,
    credentials: { source: keys, valid: true, identity: access.identity, expiresAt: in_(60 * minuteMs) },
    lastSuccessAt: in_(-1_000),
  });
  const bare = reportOf(factsWith({ status: statusWith({ folderState: 'present' }) }), limits);
  expect(bare).not.toHaveProperty('credentials');
  expect(bare.backlog).toEqual({ files: 0, bytes: 0 });
});

test('what is known now is judged now; what must be looked for is what the last report found; an old one is told', () => {
  const codes = (status: Parameters<typeof presentFindings>[0], ageMs: number, pauseMs = 5 * minuteMs) => {
    const madeMs = nowMs - ageMs;
    const facts = { status, looked: [looked], nowMs: madeMs, nextReportAtMs: madeMs + pauseMs };
    const now = statusWith({ report: reportOf(factsWith(facts), limits), backlog: status.backlog });
    return presentFindings(now, nowMs, limits).map(({ code }) => code);
  };
  expect(codes(statusWith(), 12 * minuteMs)).toEqual(['credentials.keyUnknown']);
  expect(codes(statusWith({ blocked }), minuteMs)).toEqual(['credentials.keyUnknown']);
  expect(codes(statusWith(), 12 * minuteMs + 1)).toEqual(['credentials.keyUnknown', 'report.old']);
  const night = 15 * 60 * minuteMs;
  expect(codes(statusWith(), night, night), 'of a schedule that pauses at night').toEqual([
    'credentials.keyUnknown',
  ]);
  const failed = statusWith({ reportProblem: 'no report can be made: it was not done within 30 s' });
  expect(presentFindings(failed, nowMs, limits)).toMatchObject([
    { code: 'report.failed', level: 'warning', evidence: expect.stringContaining('not done within 30 s') },
  ]);
  expect(presentFindings(statusWith({ blocked }), nowMs, limits).map(({ code }) => code)).toEqual([
    'agent.blocked',
  ]);
});
