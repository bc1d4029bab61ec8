import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { curvesOf, lossOf, thinPoints } from '../../src/domain/curves.ts';
import type { Facts } from '../../src/domain/facts.ts';
import { viewOf } from '../../src/domain/session-view.ts';
import { draftOf, identityOf } from '../support/journal.ts';

const view = (facts: Facts, more = {}) =>
  viewOf({ ...draftOf(), sources: [{ source: 's', facts, provenance: {} }], ...more }, identityOf('a'));

describe('the curves of a history', () => {
  test('are its numbers over its steps, losses first, clocks and counters left out', () => {
    const history = {
      columns: ['runtime', 'epoch', 'acc', 'eval_loss', 'step', 'loss', 'samples_per_second', 'note'],
      rows: [
        [9, 1, 0.5, null, 20, 1, 3, 'x'],
        [8, 0.5, null, 2, 10, 3, 3, 'y'],
        [7, 2, 0.75, 1e301, 30, null, 3, 'z'],
      ],
    };
    expect(curvesOf(history, 8)).toEqual({
      x: 'step',
      curves: [
        {
          name: 'loss',
          points: [
            [10, 3],
            [20, 1],
          ],
        },
        { name: 'eval_loss', points: [[10, 2]] },
        {
          name: 'acc',
          points: [
            [20, 0.5],
            [30, 0.75],
          ],
        },
      ],
    });
    expect(curvesOf(history, 1).curves.map(({ name }) => name)).toEqual(['loss']);
    expect(lossOf(history)?.name).toBe('loss');
  });

  test.each([
    [
      'epochs where there are no steps',
      ['epoch', 'loss'],
      [
        [2, 1],
        [1, 2],
      ],
      'epoch',
      [
        [1, 2],
        [2, 1],
      ],
    ],
    [
      'rows where there is neither',
      ['loss'],
      [[2], [1]],
      'row',
      [
        [0, 2],
        [1, 1],
      ],
    ],
  ])('go over %s', (_, columns, rows, x, points) => {
    expect(curvesOf({ columns, rows }, 8)).toEqual({ x, curves: [{ name: 'loss', points }] });
  });

  test('of a single point are no loss to draw in a row', () => {
    expect(lossOf({ columns: ['step', 'loss'], rows: [[1, 2]] })).toBeUndefined();
  });

  test('are thinned evenly, with both ends', () => {
    const points = Array.from({ length: 101 }, (_, at) => at);
    expect(thinPoints(points, 5)).toEqual([0, 25, 50, 75, 100]);
    expect(thinPoints([1, 2], 5)).toEqual([1, 2]);
  });
});

describe('what is kept of a session', () => {
  test('is who, how long, how it ended and how its loss went', () => {
    const rows = Array.from({ length: 200 }, (_, at) => [at, 1 / (at + 3)]);
    const { brief } = view({
      framework: 'F',
      user: { username: 'ada' },
      startedAt: '2026-01-31T00:00:00Z',
      endedAt: '2026-01-31T01:00:00Z',
      history: { columns: ['step', 'loss'], rows },
    });
    expect(brief).toMatchObject({
      framework: 'F',
      user: 'ada',
      endedAt: '2026-01-31T01:00:00Z',
      durationSeconds: 3600,
    });
    expect(brief.loss?.values.length).toBe(40);
    expect([brief.loss?.values[0], brief.loss?.values.at(-1)]).toEqual([0.3333, 0.00495]);
    expect(view({ endedAt: '2026-01-31T01:00:00Z' }, { status: 'running' }).brief).not.toHaveProperty(
      'endedAt',
    );
  });

  test('has nested values as a flat list', () => {
    const raw = { optimizer: { name: 'adamw', betas: [0.9, 0.95] }, layers: [{ size: 1 }], nothing: {} };
    expect(view({ config: { epochs: 3, raw } }).detail.config).toEqual({
      entries: [
        ['optimizer.name', 'adamw'],
        ['optimizer.betas', '[0.9,0.95]'],
        ['layers.0.size', '1'],
        ['nothing', '{}'],
        ['epochs', '3'],
      ],
      more: 0,
    });
  });

  test('is made of anything that facts can hold, and is bounded', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constant('x'.repeat(100_000)));
    const cell = fc.oneof(fc.double(), fc.constant(null), text);
    const facts = fc.record({
      user: fc.record({ username: text }),
      config: fc.record({ raw: fc.dictionary(text, fc.jsonValue() as fc.Arbitrary<never>) }),
      results: fc.record({ metrics: fc.dictionary(text, fc.double()), error: text }),
      history: fc.record({
        columns: fc.array(text, { maxLength: 4 }),
        rows: fc.array(fc.array(cell, { maxLength: 5 })),
      }),
    });
    fc.assert(
      fc.property(facts, fc.array(text), (some, warnings) => {
        const { brief, detail } = view(some, { warnings, name: warnings[0] ?? 'n' });
        expect(JSON.stringify(brief).length).toBeLessThan(10_000);
        expect(JSON.stringify(detail).length).toBeLessThan(600_000);
      }),
      { numRuns: 30 },
    );
  });
});
