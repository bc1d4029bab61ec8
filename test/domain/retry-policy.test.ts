import fc from 'fast-check';
import { expect, test } from 'vitest';
import { retryAfterMaxMs, retryDelayMs, triesWithin } from '../../src/domain/retry-policy.ts';

const limits = { baseDelayMs: 1_000, maxDelayMs: 300_000 };

test.each([
  [1, 0.5, undefined, 500],
  [2, 0.5, undefined, 1_000],
  [4, 0.5, undefined, 4_000],
  [20, 0.5, undefined, 150_000],
  [0, 0.5, undefined, 500],
  [Number.MAX_SAFE_INTEGER, 0.5, undefined, 150_000],
  [1, 0, 2_000, 2_000],
  [9, 0.5, 2_000, 2_500],
  [1, 0.5, 24 * 60 * 60 * 1_000, retryAfterMaxMs + 500],
  [1, 0.5, Number.NaN, 500],
  [1, 0.5, -5, 500],
])(
  'after failure %d, with the dice at %d and %s asked for, %d ms',
  (attempt, random, retryAfterMs, delayMs) => {
    expect(retryDelayMs(attempt, limits, random, retryAfterMs)).toBe(delayMs);
  },
);

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const delays = fc.record({
  baseDelayMs: fc.integer({ min: 1, max: 1e6 }),
  maxDelayMs: fc.integer({ min: 1, max: 1e9 }),
});

test('a delay is a whole number of milliseconds from 0 to the cap, however many attempts', () => {
  fc.assert(
    fc.property(fc.nat(), delays, random, (attempt, given, dice) => {
      const delayMs = retryDelayMs(attempt, given, dice);
      expect(Number.isSafeInteger(delayMs)).toBe(true);
      expect(delayMs).toBeGreaterThanOrEqual(0);
      expect(delayMs).toBeLessThanOrEqual(given.maxDelayMs);
    }),
  );
});

test('more attempts never wait less, with the same dice', () => {
  fc.assert(
    fc.property(fc.nat({ max: 100 }), delays, random, (attempt, given, dice) => {
      expect(retryDelayMs(attempt + 1, given, dice)).toBeGreaterThanOrEqual(
        retryDelayMs(attempt, given, dice),
      );
    }),
  );
});

test('what a server asks for is waited out, up to 15 minutes', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      delays,
      random,
      fc.integer({ min: 1, max: 1e9 }),
      (attempt, given, dice, askedMs) => {
        const delayMs = retryDelayMs(attempt, given, dice, askedMs);
        expect(delayMs).toBeGreaterThanOrEqual(Math.min(askedMs, retryAfterMaxMs));
        expect(delayMs).toBeLessThanOrEqual(Math.min(askedMs, retryAfterMaxMs) + given.baseDelayMs);
      },
    ),
  );
});

test('so many tries have taken about so long, with the pauses between them', () => {
  const given = { baseDelayMs: 1_000, maxDelayMs: 300_000 };
  expect([0, 10, 60, 900, 3_600].map((seconds) => triesWithin(seconds * 1_000, given))).toEqual([
    1, 5, 7, 14, 32,
  ]);
  expect(triesWithin(900_000, { baseDelayMs: 1, maxDelayMs: 1 })).toBe(900_001);
});
