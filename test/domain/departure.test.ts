import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { departed, lookAgainMs, planDeparture } from '../../src/domain/departure.ts';
import type { EndObservations } from '../../src/domain/end-rule.ts';

const sinceMs = 1_000_000;
const because = 'the pod is going';
const nothing: EndObservations = {
  endings: [],
  marker: undefined,
  process: undefined,
  quietForMs: 0,
  heldOpen: false,
};
const left = { status: 'interrupted', by: because, evidence: false } as const;
const inUse = { ...left, mayGoOn: true } as const;
const crash = { status: 'failed', by: 'train.log', error: 'OOM' } as const;
const done = { status: 'completed', by: 'a.wandb' } as const;
const alive = { pid: 7, state: 'alive' } as const;
const hourMs = 3_600_000;

/** Of 15 minutes: quiet after 60 s, last call a minute before the deadline. */
const departure = planDeparture({ because, sinceMs, timeoutMs: 870_000, settleMs: 2_000 });
const lastCall = 810_000;

test.each([
  { timeoutMs: 870_000, settleMs: 2_000, quietMs: 60_000, lastCall: 810_000, lastLook: 865_000 },
  { timeoutMs: 300_000, settleMs: 2_000, quietMs: 30_000, lastCall: 240_000, lastLook: 295_000 },
  { timeoutMs: 60_000, settleMs: 2_000, quietMs: 10_000, lastCall: 40_000, lastLook: 55_000 },
  { timeoutMs: 24_000, settleMs: 2_000, quietMs: 8_000, lastCall: 16_000, lastLook: 19_000 },
  { timeoutMs: 3_000, settleMs: 2_000, quietMs: 2_000, lastCall: 2_000, lastLook: 2_250 },
  { timeoutMs: 24_000, settleMs: 120_000, quietMs: 120_000, lastCall: 16_000, lastLook: 19_000 },
])('of $timeoutMs ms, with a settle time of $settleMs, $quietMs are quiet', (row) => {
  const { timeoutMs, settleMs, quietMs } = row;
  expect(planDeparture({ because, sinceMs, timeoutMs, settleMs })).toEqual({
    because,
    sinceMs,
    quietMs,
    lastCallMs: sinceMs + row.lastCall,
    lastLookMs: sinceMs + row.lastLook,
  });
});

describe('a session on a host that is going', () => {
  test.each<[string, number, Partial<EndObservations>, object | undefined]>([
    ['silent for long, is given its quiet time', 59_999, { quietForMs: hourMs }, undefined],
    ['left alone since the signal, is over', 60_000, { quietForMs: hourMs }, left],
    ['written to a moment ago, is not', 60_000, { quietForMs: 59_999 }, undefined],
    ['left alone since its last change, is over', 100_000, { quietForMs: 60_000 }, left],
    ['of which a file is held open, is not', lastCall - 1, { quietForMs: hourMs, heldOpen: true }, undefined],
    ['whose process lives, is not', lastCall - 1, { quietForMs: hourMs, process: alive }, undefined],
    ['written to at the last call, is said to go on', lastCall, { quietForMs: 0 }, inUse],
    ['held open at the last call, too', lastCall, { quietForMs: hourMs, heldOpen: true }, inUse],
    ['whose process lives at the last call, too', lastCall, { quietForMs: hourMs, process: alive }, inUse],
    ['left alone at the last call, is over', lastCall, { quietForMs: 60_000 }, left],
    [
      'that failed by its own words, says so',
      60_000,
      { quietForMs: 60_000, endings: [done, { ...crash, quietMs: hourMs }] },
      { ...crash, evidence: true },
    ],
    [
      'that failed and is written to at the last call, says both',
      lastCall,
      { endings: [{ ...crash, quietMs: 60_000 }] },
      { ...crash, evidence: true, mayGoOn: true },
    ],
    [
      'that went well and is held open, did not end well before its time',
      lastCall,
      { heldOpen: true, endings: [{ ...done, quietMs: 60_000 }] },
      inUse,
    ],
  ])('%s', (_, afterMs, seen, seal) => {
    expect(departed({ ...nothing, ...seen }, departure, sinceMs + afterMs)).toEqual(seal);
  });

  test('is looked at again when it may be over, by the last call at the latest', () => {
    fc.assert(
      fc.property(
        fc.record({
          timeoutMs: fc.integer({ min: 1_000, max: 3_600_000 }),
          settleMs: fc.integer({ min: 10, max: 120_000 }),
          afterMs: fc.integer({ min: 0, max: 3_600_000 }),
          quietForMs: fc.integer({ min: 0, max: 3_600_000 }),
          heldOpen: fc.boolean(),
        }),
        ({ timeoutMs, settleMs, afterMs, quietForMs, heldOpen }) => {
          const plan = planDeparture({ because, sinceMs, timeoutMs, settleMs });
          expect(plan.lastCallMs).toBeLessThan(plan.lastLookMs);
          expect(plan.lastLookMs).toBeLessThan(sinceMs + timeoutMs);
          const nowMs = sinceMs + Math.min(afterMs, timeoutMs);
          const seen = { ...nothing, quietForMs, heldOpen };
          if (departed(seen, plan, nowMs)) return;
          const againMs = lookAgainMs(seen, plan, nowMs);
          expect(againMs).toBeGreaterThan(nowMs);
          expect(againMs).toBeLessThanOrEqual(plan.lastCallMs);
          const later = { ...seen, quietForMs: quietForMs + againMs - nowMs };
          if (!heldOpen) expect(departed(later, plan, againMs)).toBeDefined();
          expect(departed({ ...nothing }, plan, plan.lastCallMs)).toBeDefined();
        },
      ),
    );
  });
});
