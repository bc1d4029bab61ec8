import { describe, expect, test } from 'vitest';
import { createSigningClock } from '../../src/adapters/signing-clock.ts';

const start = Date.UTC(2026, 4, 1, 12);
const minute = 60_000;

/** A host whose clock is `behindMs` behind the server's, and what it was told. */
function host(behindMs: number) {
  let trueMs = start;
  let behind = behindMs;
  const told: number[] = [];
  const clock = createSigningClock({
    now: () => trueMs - behind,
    monotonic: () => trueMs - start,
    onSkew: (offsetMs) => told.push(offsetMs),
  });
  const server = (shiftMs = 0) => new Date(trueMs + shiftMs).toUTCString();
  return {
    clock,
    told,
    server,
    pass: (ms: number) => {
      trueMs += ms;
    },
    set: (ms: number) => {
      behind = ms;
    },
    /** How far from the server's clock the next request would be signed. */
    errorMs: () => clock.signingDate().getTime() - trueMs,
    answers: (count: number, shiftMs = 0) => {
      for (let n = 0; n < count; n++) {
        trueMs += 1000;
        clock.observe(new Date(trueMs + shiftMs).toUTCString());
      }
    },
  };
}

describe('the signing clock', () => {
  test('leaves a clock alone that is right within what a Date can tell', () => {
    for (const behindMs of [0, 900, 25_000, -25_000]) {
      const { clock, answers, told } = host(behindMs);
      answers(20);
      expect([clock.offsetMs(), told]).toEqual([0, []]);
    }
  });

  test.each([
    ['20 minutes', 20 * minute],
    ['-3 hours', -180 * minute],
    ['11 years', 4000 * 24 * 60 * minute],
    ['40 seconds', 40_000],
  ])('corrects a clock that is %s behind, and says so once', (_, behindMs) => {
    const { errorMs, answers, told } = host(behindMs);
    answers(2);
    expect(errorMs()).toBe(-behindMs);
    answers(30);
    expect(Math.abs(errorMs())).toBeLessThan(2000);
    expect(told).toHaveLength(1);
    expect(Math.abs((told[0] ?? 0) - behindMs)).toBeLessThan(2000);
  });

  test('takes the time of a refusal at once, best what the error itself says', () => {
    const late = host(60 * minute);
    late.clock.refused(late.server());
    expect(Math.abs(late.errorMs())).toBeLessThan(2000);
    const shifted = host(60 * minute);
    shifted.clock.refused(shifted.server(7 * 60 * minute), new Date(start).toISOString());
    expect(Math.abs(shifted.errorMs())).toBeLessThan(2000);
  });

  test('is not moved by one odd answer, nor by odd ones between right ones', () => {
    const { clock, answers, told } = host(0);
    for (let round = 0; round < 50; round++) {
      answers(1);
      answers(2, (round % 2 === 0 ? 1 : -1) * 60 * minute);
    }
    answers(1, 5 * minute);
    answers(1, 50 * minute);
    answers(1, 500 * minute);
    expect([clock.offsetMs(), told]).toEqual([0, []]);
  });

  test('follows the answers that agree, there and back', () => {
    const { errorMs, answers, told } = host(0);
    answers(3, 60 * minute);
    expect(Math.abs(errorMs() - 60 * minute)).toBeLessThan(2000);
    answers(2);
    expect(Math.abs(errorMs())).toBeGreaterThan(59 * minute);
    answers(1);
    expect(errorMs()).toBe(0);
    expect(told).toHaveLength(2);
    expect(told[1]).toBe(0);
  });

  test('drops a correction that a proxy made, when the server refuses what was signed with it', () => {
    const { clock, errorMs, answers, server, told } = host(0);
    const shift = 60 * minute;
    answers(3, shift);
    expect(errorMs()).not.toBe(0);
    clock.refused(server(shift));
    expect(errorMs()).toBe(0);
    answers(100, shift);
    expect(errorMs()).toBe(0);
    expect(told.at(-1)).toBe(0);
  });

  test('tries both in turn, when a proxy shifts the Date and the clock is wrong as well', () => {
    const { clock, errorMs, server } = host(60 * minute);
    const shift = 5 * 60 * minute;
    clock.refused(server(shift));
    clock.refused(server(shift));
    expect(errorMs()).toBe(-60 * minute);
    clock.refused(server(0));
    expect(Math.abs(errorMs())).toBeLessThan(2000);
  });

  test('forgets what it measured when the clock of the host is set, and says that it is right again', () => {
    const { errorMs, answers, told, set, pass, clock } = host(60 * minute);
    answers(5);
    set(0);
    pass(10);
    expect(errorMs()).toBe(0);
    expect(told).toHaveLength(2);
    expect(told[1]).toBe(0);
    set(-60 * minute);
    answers(5);
    expect(Math.abs(errorMs())).toBeLessThan(2000);
    expect(clock.offsetMs()).toBeLessThan(0);
  });

  test.each([
    undefined,
    '',
    'yesterday',
    '0',
    'Thu, 01 Jan 1970 00:00:00 GMT',
    'Fri, 31 Dec 9999 23:59:59 GMT',
    'x'.repeat(99),
  ])('ignores %j', (date) => {
    const { clock, told } = host(0);
    for (let n = 0; n < 9; n++) clock.observe(date);
    clock.refused(date);
    clock.refused(date, date);
    expect([clock.offsetMs(), told]).toEqual([0, []]);
  });
});
