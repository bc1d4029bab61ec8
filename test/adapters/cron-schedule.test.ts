import { expect, test } from 'vitest';
import { cronSchedule, longestPauseMs } from '../../src/adapters/cron-schedule.ts';
import { eventually } from '../support/eventually.ts';

test('a schedule calls back at its times until it is ended', async () => {
  const times: number[] = [];
  const end = cronSchedule('* * * * * *').start(() => times.push(Date.now()));
  await eventually(() => times.length >= 2);
  end();
  for (const time of times) expect(time % 1_000).toBeLessThan(900);
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(500);
});

test('the longest pause of a schedule is known, at a weekend too', () => {
  expect(longestPauseMs('*/5 * * * *')).toBe(300_000);
  const hours = longestPauseMs('0 9 * * 1-5') / 3_600_000;
  // An hour more or less where the clocks are changed.
  expect(Math.abs(hours - 72)).toBeLessThanOrEqual(1);
});
