import { expect, onTestFinished, test } from 'vitest';
import type { Finding } from '../../src/domain/finding.ts';
import type { Report } from '../../src/ports/report.ts';
import { reportOf } from '../../src/services/report-of.ts';
import { Reporter } from '../../src/services/reporter.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { factsWith, limits } from '../support/report-facts.ts';
import { Recorder } from '../support/services.ts';

const disk: Finding = { code: 'disk.free', level: 'warning', finding: 'little is free', remedy: 'free some' };
const secret: Finding = { code: 'credentials.secretWrong', level: 'critical', finding: 'wrong' };
const reportWith = (...looked: Finding[]): Report => reportOf(factsWith({ looked }), limits);

interface Given {
  readonly make?: (signal: AbortSignal) => Promise<Report>;
  readonly keep?: () => Promise<void>;
  readonly isScheduled?: boolean;
}

/** A reporter that runs; `due` is a time of its schedule. */
function reporting({
  make = async () => reportWith(),
  keep = async () => undefined,
  isScheduled = true,
}: Given = {}) {
  const clock = new FakeClock();
  const events = new Recorder();
  const made: number[] = [];
  let onTime: (() => void) | undefined;
  const schedule = {
    start: (listener: () => void) => {
      onTime = listener;
      return () => {
        onTime = undefined;
      };
    },
  };
  const reporter = new Reporter({
    clock,
    events,
    schedule: isScheduled ? schedule : undefined,
    shiftMs: 20_000,
    make: (signal) => {
      made.push(clock.monotonicMs());
      return make(signal);
    },
    keep,
  });
  const running = reporter.run();
  onTestFinished(async () => {
    await reporter.stop();
    await running;
    expect(onTime, 'the schedule ends with it').toBeUndefined();
    expect(clock.sleeping, 'nothing waits any more').toBe(0);
  });
  const due = () => onTime?.();
  return { clock, events, reporter, made, due, running };
}

test('the first report comes soon after the start, later ones when they are due, by the share of the host', async () => {
  const { clock, made, due, reporter } = reporting();
  expect(reporter.last).toBeUndefined();
  await clock.advance(60_000);
  due();
  await clock.advance(60_000);
  expect(made).toEqual([1_000, 80_000]);
  expect(reporter.last?.level).toBe('ok');
});

test('without a schedule one is made only for who asks; who asks while one is made gets that one', async () => {
  const { clock, made, reporter } = reporting({ isScheduled: false });
  await clock.advance(60_000);
  expect(made).toEqual([]);
  const [one, other] = await Promise.all([reporter.report(), reporter.report()]);
  expect(one).toBe(other);
  expect(made).toHaveLength(1);
});

test('a time that comes while the one before is waited for, or made, makes no other', async () => {
  const { clock, made, due } = reporting({
    make: async () => {
      await clock.sleep(25_000);
      return reportWith();
    },
  });
  await clock.advance(30_000);
  due();
  await clock.advance(1_000);
  due();
  await clock.advance(25_000);
  due();
  await clock.advance(60_000);
  expect(made).toEqual([1_000, 50_000]);
  due();
  await clock.advance(60_000);
  expect(made).toHaveLength(3);
});

test('one that is not done in time is told once, ends nothing, and the next is made', async () => {
  let isHanging = true;
  const { clock, events, due, reporter } = reporting({
    make: (signal) =>
      isHanging
        ? new Promise((_, reject) => signal.addEventListener('abort', reject))
        : Promise.resolve(reportWith()),
  });
  await clock.advance(32_000);
  due();
  await clock.advance(60_000);
  expect(events.all).toEqual([
    { name: 'report.failed', fields: { cause: 'no report can be made: it was not done within 30 s' } },
  ]);
  await expect(Promise.all([reporter.report(), clock.advance(31_000)])).rejects.toThrow(
    'not done within 30 s',
  );
  expect(reporter.problem, 'as status --check tells it').toMatch(/not done within 30 s/);
  isHanging = false;
  due();
  await clock.advance(60_000);
  expect(reporter.problem).toBeUndefined();
  expect(events.all.map(({ name }) => name)).toEqual(['report.failed', 'report.ok']);
});

test('a full disk costs the file alone: the report is told, and that it cannot be kept once until it can', async () => {
  let problem: string | undefined = 'ENOSPC';
  const { clock, events, due, reporter } = reporting({
    keep: async () => {
      if (problem !== undefined) throw new Error(problem);
    },
  });
  const again = async () => {
    due();
    await clock.advance(60_000);
  };
  await clock.advance(1_000);
  await again();
  expect(reporter.last?.level).toBe('ok');
  problem = undefined;
  await again();
  problem = 'EROFS';
  await again();
  expect(events.of('report.failed')).toEqual([
    { cause: 'report.json cannot be written: ENOSPC' },
    { cause: 'report.json cannot be written: EROFS' },
  ]);
});

test('stopped while one is made, it tells and keeps nothing of what was cut off', async () => {
  const kept: string[] = [];
  const { clock, events, reporter, running } = reporting({
    make: (signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(reportWith(secret)))),
    keep: async () => void kept.push('kept'),
  });
  await clock.advance(2_000);
  await reporter.stop();
  await running;
  await clock.advance(0);
  expect(events.all).toEqual([]);
  expect(kept).toEqual([]);
});

test('news is told at its level, the same again quietly, once an hour aloud, and that all is well again', async () => {
  let report = reportWith();
  const { clock, events, due } = reporting({ make: async () => report });
  const told = async (...findings: Finding[]) => {
    report = reportWith(...findings);
    const before = events.all.length;
    due();
    await clock.advance(300_000);
    return events.all.slice(before).map(({ name }) => name);
  };
  await clock.advance(1_000);
  expect(await told()).toEqual(['report.ok']);
  expect(await told(disk)).toEqual(['report.warning']);
  expect(await told({ ...disk, finding: 'less is free' })).toEqual(['report.unchanged']);
  expect(await told(disk, secret)).toEqual(['report.critical']);
  for (let n = 0; n < 11; n++) expect(await told(secret, disk)).toEqual(['report.unchanged']);
  expect(await told(disk, secret)).toEqual(['report.critical']);
  expect(await told(disk)).toEqual(['report.warning']);
  expect(await told()).toEqual(['report.recovered']);
  expect(await told()).toEqual(['report.ok']);
  expect(events.of('report.critical')[0]).toEqual({
    verdict: 'critical',
    findings: [secret, disk],
    more: 0,
    backlogFiles: 0,
    backlogBytes: 0,
  });
});
