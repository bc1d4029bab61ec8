import { expect, test } from 'vitest';
import { Moment } from '../../src/services/moment.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

test('a moment ages with the monotonic clock, whatever the other one is set to', async () => {
  const clock = new FakeClock();
  const moment = new Moment(clock);
  await clock.advance(5000);
  clock.setWall(clock.nowMs() - 3_600_000);
  expect(moment.ageMs()).toBe(5000);
});

test('time that the machine slept counts, which the monotonic clock does not know of', async () => {
  const clock = new FakeClock();
  await clock.advance(1000);
  const moment = new Moment(clock, clock.monotonicMs() - 400);
  expect(moment.ageMs()).toBe(400);
  clock.setWall(clock.nowMs() + 24 * 3_600_000);
  await clock.advance(10);
  expect(moment.ageMs()).toBe(24 * 3_600_000 + 410);
});
