import { expect, test } from 'vitest';
import { textPlot } from '../../src/commands/text-plot.ts';

const curve = (points: readonly (readonly [number, number])[]) => ({ name: 'loss', points });

test('a curve falls from its highest value to its lowest, within 80 columns', () => {
  const points = Array.from({ length: 500 }, (_, x) => [x * 10, 2 * Math.exp(-x / 100) + 0.3] as const);
  const lines = textPlot(curve(points), 'step');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(lines[0]).toMatch(/^ +2\.\d+ \|\*/);
  expect(lines.at(-4)).toMatch(/^ +0\.3\d* \| +\*+$/);
  expect(lines.at(-2)).toMatch(/^ +0 +4990$/);
  expect(lines.at(-1)?.trim()).toBe('step');
  const firsts = lines.slice(0, 10).map((line) => line.indexOf('*'));
  expect(firsts).toEqual(firsts.toSorted((a, b) => a - b));
});

test.each([
  ['one value', [[5, 0.25]], 1],
  [
    'one value again and again',
    [
      [0, 2],
      [1, 2],
      [2, 2],
    ],
    1,
  ],
  [
    'one step many times',
    [
      [3, 1],
      [3, 2],
    ],
    1,
  ],
  [
    'huge values',
    [
      [0, 1e300],
      [1, -1e299],
    ],
    10,
  ],
] as const)('%s can be drawn', (_, points, height) => {
  const lines = textPlot(curve(points), 'step');
  expect(lines).toHaveLength(height + 3);
  expect(lines.join('')).toContain('*');
  expect(lines.join('')).not.toMatch(/NaN|Infinity/);
});
