import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type EndObservations,
  endInSight,
  endOf,
  quietStillNeededMs,
  silent,
} from '../../src/domain/end-rule.ts';

const idleMs = 7_200_000;
const nothing: EndObservations = {
  endings: [],
  marker: undefined,
  process: undefined,
  quietForMs: 0,
  heldOpen: false,
};

/** All that can end a session, what counts first on top. */
const ranks: readonly { by: string; status: string; seen: Partial<EndObservations> }[] = [
  { by: 'result.json', status: 'cancelled', seen: { endings: [{ status: 'cancelled', by: 'result.json' }] } },
  { by: '_FAILED', status: 'failed', seen: { marker: '_FAILED' } },
  { by: '_SUCCESS', status: 'completed', seen: { marker: '_SUCCESS' } },
  {
    by: 'trainer_state.json',
    status: 'completed',
    seen: { endings: [{ status: 'completed', by: 'trainer_state.json' }] },
  },
  {
    by: 'session.pid: process 7 is gone',
    status: 'interrupted',
    seen: { process: { pid: 7, state: 'dead' } },
  },
  { by: 'no change for 7200 s', status: 'stalled', seen: { quietForMs: idleMs } },
];

describe('a session ends', () => {
  test.each(ranks)('by $by', ({ by, status, seen }) => {
    expect(endOf({ ...nothing, ...seen }, idleMs)).toEqual({ by, status, evidence: status !== 'stalled' });
  });

  test('by the first of these when there are several', () => {
    fc.assert(
      fc.property(fc.subarray([...ranks.keys()], { minLength: 1 }), (present) => {
        const seen = present.map((rank) => ranks[rank]?.seen ?? {});
        const endings = seen.flatMap((one) => one.endings ?? []);
        const marker = seen.find((one) => one.marker !== undefined)?.marker;
        const all = { ...Object.assign({}, nothing, ...seen), endings, marker };
        expect(endOf(all, idleMs)?.by).toBe(ranks[Math.min(...present)]?.by);
      }),
    );
  });

  test('by what went wrong before what went well, whoever says it first', () => {
    const well = { status: 'completed', by: 'a.wandb' } as const;
    const crash = { status: 'failed', by: 'train.log', error: 'ValueError', quietMs: 60_000 } as const;
    const endings = [well, crash];
    expect(endOf({ ...nothing, endings, quietForMs: 59_999 }, idleMs)).toBeUndefined();
    expect(quietStillNeededMs({ ...nothing, endings, quietForMs: 59_000 })).toBe(1000);
    const failed = { status: 'failed', by: 'train.log', error: 'ValueError', evidence: true };
    expect(endOf({ ...nothing, endings, quietForMs: 60_000 }, idleMs)).toEqual(failed);
    expect(endInSight({ ...nothing, endings })).toEqual(failed);
    const soon = { ...nothing, endings: [{ ...well, quietMs: 60_000 }] };
    expect(endInSight(soon)?.status).toBe('completed');
    expect(endInSight({ ...soon, heldOpen: true })).toBeUndefined();
    // Nobody is left who could go on.
    const process = { pid: 7, state: 'dead' } as const;
    expect(endOf({ ...nothing, endings, process }, idleMs)).toEqual(failed);
    const result = { status: 'completed', by: 'result.json' } as const;
    expect(endOf({ ...nothing, endings: [crash, result] }, idleMs)?.by).toBe('result.json');
  });

  test('with time and error, where the evidence names them', () => {
    const native = {
      status: 'failed',
      by: 'result.json',
      endedAt: '2026-01-31T12:00:00Z',
      error: 'OOM',
    } as const;
    expect(endOf({ ...nothing, endings: [native] }, idleMs)).toEqual({ ...native, evidence: true });
  });
});

test.each<[string, Partial<EndObservations>]>([
  ['while it is quiet for less than the idle time', { quietForMs: idleMs - 1 }],
  ['while a process holds a file open', { quietForMs: idleMs * 100, heldOpen: true }],
  ['while its process lives', { process: { pid: 7, state: 'alive' } }],
])('no session ends %s', (_, seen) => {
  expect(endOf({ ...nothing, ...seen }, idleMs)).toBeUndefined();
});

test('silence needs time and nobody who could still write', () => {
  expect(silent({ quietForMs: 10, heldOpen: false }, 10)).toBe(true);
  expect(silent({ quietForMs: Number.POSITIVE_INFINITY, heldOpen: false }, 10)).toBe(true);
  expect(silent({ quietForMs: 9, heldOpen: false }, 10)).toBe(false);
  expect(silent({ quietForMs: 10, heldOpen: true }, 10)).toBe(false);
});

test('a living process that falls silent has stalled all the same', () => {
  const seen = { ...nothing, process: { pid: 7, state: 'alive' } as const, quietForMs: idleMs };
  expect(endOf(seen, idleMs)?.status).toBe('stalled');
});
