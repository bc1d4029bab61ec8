import { expect, test } from 'vitest';
import { BacklogPace, type Moving } from '../../src/services/backlog-pace.ts';
import { TransferRate } from '../../src/services/transfer-rate.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

const mib = 1024 * 1024;

/** Looks every five minutes; what was sent has moved. */
function pacing() {
  const pace = new BacklogPace(0);
  let atMs = 0;
  return (more: Partial<Moving>, afterMs = 300_000) => {
    atMs += afterMs;
    const { sentBytes = 0, movedBytes = sentBytes } = more;
    const still = { nowMs: atMs, lastSuccessAtMs: undefined, waits: true };
    return pace.look({ ...still, ...more, sentBytes, movedBytes });
  };
}

test('the rate is that of the time since the last look, and unknown when nothing moved', () => {
  const look = pacing();
  expect(look({ sentBytes: 3_000_000 })).toEqual({ bytesPerSecond: 10_000 });
  expect(look({ sentBytes: 3_000_300 })).toEqual({ bytesPerSecond: 1, drainBytesPerSecond: 1 });
  expect(look({ sentBytes: 3_000_300, waits: false })).toEqual({});
});

test('how long more would take is told by a time in which something waited all along', () => {
  const look = pacing();
  look({ waits: false });
  expect(look({ sentBytes: 300 })).toEqual({ bytesPerSecond: 1 });
  expect(look({ sentBytes: 600 })).toEqual({ bytesPerSecond: 1, drainBytesPerSecond: 1 });
  expect(look({ sentBytes: 900, waits: false })).toEqual({ bytesPerSecond: 1 });
});

test('looks that follow one another at once are one', () => {
  const look = pacing();
  look({ waits: false });
  expect(look({ sentBytes: 20_000, waits: false }, 1_000)).toEqual({});
  expect(look({ sentBytes: 20_000, waits: false }, 9_000)).toEqual({ bytesPerSecond: 2_000 });
});

test('nothing moves while something waits: counted from the look that saw it first, until anything moves', () => {
  const look = pacing();
  expect(look({ waits: false })).toEqual({});
  expect(look({})).toEqual({});
  expect(look({})).toEqual({ stuckMs: 300_000 });
  expect(look({})).toEqual({ stuckMs: 600_000 });
  expect(look({ lastSuccessAtMs: 7 })).toEqual({});
  expect(look({ lastSuccessAtMs: 7 })).toEqual({ stuckMs: 300_000 });
  expect(look({ lastSuccessAtMs: 7, waits: false })).toEqual({});
});

test('what waited when the agent began is still since then', () => {
  expect(pacing()({})).toEqual({ stuckMs: 300_000 });
});

test('a part that gets further on a slow link moves; one that fails and begins anew does not', () => {
  const look = pacing();
  const stuck = (movedBytes: number, sentBytes = 0) => look({ movedBytes, sentBytes }).stuckMs;
  look({ waits: false });
  look({});
  expect(stuck(2 * mib)).toBeUndefined();
  expect(stuck(3 * mib)).toBeUndefined();
  expect(stuck(mib)).toBe(300_000);
  expect(stuck(3 * mib)).toBe(600_000);
  expect(stuck(3.5 * mib)).toBe(900_000);
  expect(stuck(5 * mib)).toBeUndefined();
  // One arrived, and with it what others had sent was lost.
  expect(stuck(mib, mib)).toBeUndefined();
  expect(stuck(2 * mib, mib)).toBeUndefined();
});

test('what moved is what arrived and what is on its way; of a request that fails it is taken back', async () => {
  const rate = new TransferRate({ clock: new FakeClock() });
  const [good, bad] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const requests = [good, bad].map(({ promise }) =>
    rate.measure(100, (onProgress) => {
      onProgress(30);
      onProgress(120);
      return promise;
    }),
  );
  expect([rate.sentBytes, rate.movedBytes]).toEqual([0, 200]);
  good.resolve();
  bad.reject(new Error('broken'));
  await Promise.allSettled(requests);
  expect([rate.sentBytes, rate.movedBytes]).toEqual([100, 100]);
});
