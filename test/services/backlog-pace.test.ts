import { expect, test } from 'vitest';
import { BacklogPace, type Moving } from '../../src/services/backlog-pace.ts';

const mib = 1024 * 1024;
const transfer = (sentBytes: number) => [
  { session: 'a', path: 'x', sizeBytes: 99 * mib, sentBytes, forMs: 1 },
];

/** Looks every five minutes. */
function pacing() {
  const pace = new BacklogPace(0);
  let atMs = 0;
  return (more: Partial<Moving>, afterMs = 300_000) => {
    atMs += afterMs;
    return pace.look({
      nowMs: atMs,
      sentBytes: 0,
      lastSuccessAtMs: undefined,
      uploads: [],
      waits: true,
      ...more,
    });
  };
}

test('the rate is that of the time since the last look, and unknown when nothing moved', () => {
  const look = pacing();
  expect(look({ sentBytes: 3_000_000 })).toEqual({ bytesPerSecond: 10_000 });
  expect(look({ sentBytes: 3_000_300 })).toEqual({ bytesPerSecond: 1 });
  expect(look({ sentBytes: 3_000_300, waits: false })).toEqual({});
});

test('looks that follow one another at once are one', () => {
  const look = pacing();
  look({ sentBytes: 0, waits: false });
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
  look({ waits: false });
  look({});
  expect(look({ uploads: transfer(2 * mib) })).toEqual({});
  expect(look({ uploads: transfer(3 * mib) })).toEqual({});
  expect(look({ uploads: transfer(mib) })).toEqual({ stuckMs: 300_000 });
  expect(look({ uploads: transfer(3 * mib) })).toEqual({ stuckMs: 600_000 });
  expect(look({ uploads: transfer(3.5 * mib) })).toEqual({ stuckMs: 900_000 });
  expect(look({ uploads: transfer(5 * mib) })).toEqual({});
});
