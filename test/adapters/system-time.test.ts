import { expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/system-time.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

test('a sleep ends when its signal aborts, also when it was aborted before', async () => {
  const stop = new AbortController();
  const sleeping = systemClock.sleep(1_000_000_000_000, stop.signal);
  stop.abort();
  await sleeping;
  await systemClock.sleep(1_000_000, stop.signal);
});

test('a sleep takes at least its time, and no time at all still lets others run', async () => {
  const startMs = systemClock.monotonicMs();
  await systemClock.sleep(5);
  expect(systemClock.monotonicMs() - startMs).toBeGreaterThanOrEqual(4);
  let ran = false;
  setImmediate(() => {
    ran = true;
  });
  await systemClock.sleep(0);
  expect(ran).toBe(true);
});

test('the fake clock wakes sleepers in the order of their times, those that sleep again too', async () => {
  const clock = new FakeClock(1_000);
  const record: string[] = [];
  const loop = async (name: string, ms: number) => {
    for (let turn = 0; turn < 3; turn++) {
      await clock.sleep(ms);
      record.push(`${name} ${clock.monotonicMs()}`);
    }
  };
  const loops = [loop('slow', 100), loop('fast', 40)];
  await clock.advance(99);
  expect(record).toEqual(['fast 40', 'fast 80']);
  expect(clock.sleeping).toBe(2);
  await clock.advance(201);
  await Promise.all(loops);
  expect(record).toEqual(['fast 40', 'fast 80', 'slow 100', 'fast 120', 'slow 200', 'slow 300']);
  expect(clock.nowMs()).toBe(1_300);
  clock.setWall(5);
  expect([clock.nowMs(), clock.monotonicMs()]).toEqual([5, 300]);
});
