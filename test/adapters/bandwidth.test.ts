import { describe, expect, test } from 'vitest';
import { createBandwidth } from '../../src/adapters/bandwidth.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

const never = new AbortController().signal;

describe('createBandwidth()', () => {
  test.each([1024, 50_000, 10_000_000])(
    'lets all transfers together send no more than %i bytes a second and a slice',
    async (rate) => {
      const clock = new FakeClock();
      const bandwidth = createBandwidth(rate, clock);
      let sent = 0;
      const stop = new AbortController();
      const transfers = Array.from({ length: 4 }, async () => {
        while (!stop.signal.aborted) {
          await bandwidth.take(bandwidth.sliceBytes, stop.signal).catch(() => {}); // reason: the end of the test
          if (!stop.signal.aborted) sent += bandwidth.sliceBytes;
        }
      });
      for (let second = 1; second <= 20; second++) {
        await clock.advance(1_000);
        expect(sent).toBeLessThanOrEqual(second * rate + bandwidth.sliceBytes);
        expect(sent).toBeGreaterThanOrEqual(second * rate - bandwidth.sliceBytes);
      }
      stop.abort();
      await clock.advance(1);
      await Promise.all(transfers);
    },
  );

  test('keeps nothing of a time in which nothing was sent', async () => {
    const clock = new FakeClock();
    const bandwidth = createBandwidth(1_000_000, clock);
    await clock.advance(60_000);
    await bandwidth.take(50_000, never);
    const second = bandwidth.take(50_000, never).then(() => clock.monotonicMs());
    await clock.advance(1_000);
    expect(await second).toBe(60_050);
  });

  test('ends a wait whose signal aborts', async () => {
    const clock = new FakeClock();
    const bandwidth = createBandwidth(1_000, clock);
    const stop = new AbortController();
    await bandwidth.take(60_000, never);
    const waiting = bandwidth.take(1, stop.signal);
    stop.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
  });

  test('without a limit makes nobody wait', async () => {
    const clock = new FakeClock();
    const bandwidth = createBandwidth(undefined, clock);
    await bandwidth.take(2 ** 40, never);
    await bandwidth.take(2 ** 40, never);
    expect(clock.sleeping).toBe(0);
  });
});
