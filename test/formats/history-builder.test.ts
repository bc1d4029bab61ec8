import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { thinHistory } from '../../src/domain/history.ts';
import { HistoryBuilder } from '../../src/formats/parts/history-builder.ts';

test('values of one step are one row; step, epoch and loss come first', () => {
  const builder = new HistoryBuilder();
  builder.add(1, [
    ['lr', 0.1],
    ['loss', 2],
  ]);
  builder.add(2, [['loss', Number.NaN]]);
  builder.add(2, [
    ['eval_loss', 3],
    ['epoch', 1],
    ['none', undefined],
  ]);
  expect(builder.build()).toEqual({
    columns: ['step', 'epoch', 'loss', 'lr', 'eval_loss'],
    rows: [
      [1, null, 2, 0.1, null],
      [2, 1, null, null, 3],
    ],
  });
});

test('nothing was added: there is no history', () => {
  expect(new HistoryBuilder().build()).toBeUndefined();
});

test('rows are bounded, first and last are there, the others evenly spread', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), (count) => {
      const builder = new HistoryBuilder(100);
      for (let step = 0; step < count; step++) builder.add(step, [['loss', step]]);
      const { rows, thinnedFrom } = builder.build() ?? { rows: [] };
      const steps = rows.map(([step]) => Number(step));
      expect(rows.length).toBeLessThanOrEqual(101);
      expect([steps[0], steps.at(-1)]).toEqual([0, count - 1]);
      expect(thinnedFrom).toBe(rows.length < count ? count : undefined);
      const gaps = steps.slice(1, -1).map((step, at) => step - (steps[at] ?? 0));
      expect(new Set(gaps).size).toBeLessThanOrEqual(1);
    }),
  );
});

test('columns are bounded, and those left out are counted', () => {
  const builder = new HistoryBuilder();
  const names = Array.from({ length: 100 }, (_, at) => `metric${at}`);
  builder.add(
    1,
    names.map((name) => [name, 1]),
  );
  expect(builder.build()?.columns).toHaveLength(48);
  expect(builder.columnsLeftOut).toBe(53);
});

describe('thinned to a number of bytes', () => {
  const rows = Array.from({ length: 1000 }, (_, step) => [step, step / 7]);
  const history = { columns: ['step', 'loss'], rows };

  test('first and last row stay, and the number of rows that there were', () => {
    const thinned = thinHistory(history, 2000);
    expect(Buffer.byteLength(JSON.stringify(thinned))).toBeLessThanOrEqual(2000);
    expect(thinned?.rows[0]).toEqual([0, 0]);
    expect(thinned?.rows.at(-1)).toEqual([999, 999 / 7]);
    expect(thinned?.rows.length).toBeGreaterThan(50);
    expect(thinned?.thinnedFrom).toBe(1000);
  });

  test('what fits stays as it is, and of what never fits nothing is kept', () => {
    expect(thinHistory(history, 1_000_000)).toBe(history);
    expect(thinHistory(history, 20)).toBeUndefined();
  });
});
