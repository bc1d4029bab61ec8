import { expect, test } from 'vitest';
import { longestPauseMs, untilNextSnapshotMs } from '../../src/domain/snapshot-schedule.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** The ages, in minutes, at which snapshots are due, from the first on. */
function agesOf(everyMs: number, count: number): number[] {
  const ages: number[] = [];
  for (let age = 0; ages.length < count; ages.push(age / minuteMs)) age += untilNextSnapshotMs(age, everyMs);
  return ages;
}

test.each<[string, number, number[]]>([
  [
    '5m: every 5 minutes for an hour, then 10, 20, 40, 60, 60 minutes',
    5 * minuteMs,
    [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 70, 90, 130, 190, 250],
  ],
  ['25m: the pause that begins in the first hour is not doubled', 25 * minuteMs, [25, 50, 75, 125, 185, 245]],
  ['1h', hourMs, [60, 120, 180]],
  ['24h: never more often than asked for', 24 * hourMs, [1440, 2880, 4320]],
])('snapshotEvery %s', (_, everyMs, ages) => {
  expect(agesOf(everyMs, ages.length)).toEqual(ages);
});

test.each([
  ['a moment before one is due', 5 * minuteMs - 1, 1],
  ['when one is due, the one after it', 5 * minuteMs, 5 * minuteMs],
  ['of a session whose clock was set back', -hourMs, 5 * minuteMs],
  ['of a session of last month', 30 * 24 * hourMs + minuteMs, 9 * minuteMs],
])('the next snapshot %s', (_, ageMs, untilMs) => {
  expect(untilNextSnapshotMs(ageMs, 5 * minuteMs)).toBe(untilMs);
});

test.each([1_000, 5 * minuteMs, 25 * minuteMs, hourMs, 24 * hourMs])(
  'no pause is longer than the longest, which comes: %i ms',
  (everyMs) => {
    const starts = Array.from({ length: 300 }, (_, at) => at * 17 * minuteMs);
    const pauses = starts.map((ageMs) => untilNextSnapshotMs(ageMs, everyMs));
    expect(Math.max(...pauses)).toBeLessThanOrEqual(longestPauseMs(everyMs));
    const ages = agesOf(everyMs, 3_700).map((age) => age * minuteMs);
    const gaps = ages.slice(1).map((age, at) => Math.round(age - (ages[at] ?? 0)));
    expect(Math.max(...gaps)).toBe(longestPauseMs(everyMs));
  },
);

test('a short pause lasts an hour, and makes nobody look often for days', () => {
  const minutes = agesOf(1_000, 3_600 + 20).slice(3_600 - 1);
  expect(minutes[0]).toBe(60);
  expect((minutes.at(-1) ?? 0) - (minutes.at(-2) ?? 0)).toBe(60);
});
