import { expect, onTestFinished, test, vi } from 'vitest';
import { cronSchedule, nextTimeMs } from '../../src/adapters/cron-schedule.ts';
import { systemClock } from '../../src/adapters/system-time.ts';
import { eventually } from '../support/eventually.ts';

const minuteMs = 60_000;
/** A Thursday, in whatever time zone the host is. */
const startMs = new Date(2026, 0, 1, 12, 2, 30).getTime();

/** What a schedule called, in minutes and seconds since noon, on a clock that is moved by hand and can be set. */
function keptTime(expression: string) {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: startMs });
  const times: string[] = [];
  const end = cronSchedule(expression, systemClock).start(() =>
    times.push(new Date(Date.now()).toTimeString().slice(0, 8)),
  );
  onTestFinished(() => {
    end();
    vi.useRealTimers();
  });
  return { times, end };
}

test('a schedule calls back at its times until it is ended', async () => {
  const times: number[] = [];
  const end = cronSchedule('* * * * * *', systemClock).start(() => times.push(Date.now()));
  await eventually(() => times.length >= 2);
  end();
  for (const time of times) expect(time % 1_000).toBeLessThan(900);
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(500);
});

test('a schedule calls once a time, and no more once it was ended', async () => {
  const { times, end } = keptTime('*/5 * * * *');
  await vi.advanceTimersByTimeAsync(11 * minuteMs);
  expect(times).toEqual(['12:05:00', '12:10:00']);
  end();
  await vi.advanceTimersByTimeAsync(11 * minuteMs);
  expect(times).toHaveLength(2);
});

test('a clock that is set back by a year is believed within a minute', async () => {
  const { times } = keptTime('*/5 * * * *');
  vi.setSystemTime(new Date(2025, 0, 1, 12, 2, 30));
  await vi.advanceTimersByTimeAsync(5 * minuteMs);
  expect(times).toEqual(['12:05:00']);
});

test('a clock that is set on by decades costs no look at each time between, and what was missed is over', async () => {
  const { times } = keptTime('* * * * *');
  vi.setSystemTime(new Date(2083, 0, 1, 12, 2, 45));
  const before = performance.now();
  await vi.advanceTimersByTimeAsync(3 * minuteMs);
  expect(performance.now() - before, 'of 30 million times').toBeLessThan(5_000);
  expect(times).toEqual(['12:04:00', '12:05:00']);
});

test('what is late by less than a minute is called all the same', async () => {
  const { times } = keptTime('*/5 * * * *');
  await vi.advanceTimersByTimeAsync(2 * minuteMs);
  vi.setSystemTime(new Date(2026, 0, 1, 12, 5, 20));
  await vi.advanceTimersByTimeAsync(minuteMs);
  expect(times).toEqual(['12:05:50']);
});

test('the next time of a schedule is told', () => {
  vi.useFakeTimers({ toFake: ['Date'], now: startMs });
  onTestFinished(() => void vi.useRealTimers());
  expect(nextTimeMs('*/5 * * * *')).toBe(new Date(2026, 0, 1, 12, 5).getTime());
  expect(nextTimeMs('0 9 * * 6')).toBe(new Date(2026, 0, 3, 9).getTime());
});
