import { describe, expect, test } from 'vitest';
import { plot, smallPlot } from '../../src/http/plot.ts';
import { sparkline } from '../../src/http/sparkline.ts';
import { logTicks, ticks } from '../../src/http/ticks.ts';
import { agoText, bytesText, durationText, numberText, shortNumber, timeHtml } from '../../src/http/words.ts';

describe('as people read it', () => {
  test.each([
    [bytesText, 0, '0 B'],
    [bytesText, 1020, '1020 B'],
    [bytesText, 1536, '1.50 KiB'],
    [bytesText, 1020 * 1024, '1020 KiB'],
    [bytesText, 2 ** 60, '1024 PiB'],
    [bytesText, Number.NaN, '–'],
    [durationText, 0, '0 s'],
    [durationText, 0.0421, '0.042 s'],
    [durationText, 59.6, '1 min'],
    [durationText, 3661, '1 h 1 min'],
    [durationText, 187_200, '2 d 4 h'],
    [durationText, -1, '–'],
    [agoText, 59, '59 s ago'],
    [agoText, 7_200, '2 h ago'],
    [agoText, 200_000, '2 d ago'],
    [agoText, -5, '0 s ago'],
    [numberText, 0.25, '0.2500'],
    [numberText, 3, '3'],
    [numberText, 1e-7, '1e-7'],
    [shortNumber, 1_234_567, '1.23e6'],
    [shortNumber, Number.POSITIVE_INFINITY, '–'],
  ])('%o of %d', (said, value, expected) => {
    expect(said(value)).toBe(expected);
  });

  test('a time is in UTC, one that is none a dash', () => {
    expect(timeHtml(0).text).toBe('<time datetime="1970-01-01T00:00:00.000Z">1970-01-01 00:00</time>');
    expect(timeHtml(1e20).text).toBe('–');
  });
});

describe('the marks of an axis', () => {
  test.each([
    [0, 10, 5, [0, 2, 4, 6, 8, 10]],
    [0.26, 0.87, 3, [0.4, 0.6, 0.8]],
    [1.001, 1.999, 3, [1.2, 1.4, 1.6, 1.8]],
    [-1, 1, 2, [-1, 0, 1]],
    [5, 5, 5, [5]],
    [-1e308, 1e308, 3, [-1e308]],
  ])('from %d to %d, about %d, are round: %j', (low, high, count, expected) => {
    expect(ticks(low, high, count)).toEqual(expected);
  });

  test.each([
    [0.5, 2000, [1, 10, 100, 1000]],
    [2, 9, [2, 9]],
    [1e-300, 1e300, 7],
  ])('by powers of ten from %d to %d are few', (least, most, expected) => {
    const found = logTicks(least, most);
    if (typeof expected === 'number') expect(found.length).toBeLessThanOrEqual(expected);
    else expect(found).toEqual(expected);
  });
});

test.each([
  ['a single point', [[0, 1]]],
  [
    'a flat line',
    [
      [0, 1],
      [1, 1],
    ],
  ],
  [
    'the largest and the smallest',
    [
      [0, 9e299],
      [1, -9e299],
      [2, 5e-324],
    ],
  ],
  [
    'many orders of magnitude',
    [
      [0, 1e-300],
      [1, 1e299],
    ],
  ],
] as const)('a plot of %s has places that can be drawn', (_, points) => {
  const { text } = plot([{ name: 'loss', points }], 'step', smallPlot, 'p');
  expect(text).not.toMatch(/NaN|Infinity/);
  expect(text).toContain('loss by step');
});

test('a line in a row is told in words as well, and is left out where there is none', () => {
  expect(sparkline({ name: '<loss>', values: [2, 1, 1.5] })?.text).toContain(
    'aria-label="&lt;loss&gt;: from 2 to 1.500, least 1"',
  );
  expect(sparkline({ name: 'loss', values: [2] })).toBeUndefined();
  expect(sparkline({ name: 'loss', values: [3, 3] })?.text).not.toContain('NaN');
});
