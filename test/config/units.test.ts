import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDuration, parseSize, printDuration, printSize } from '../../src/config/units.ts';

const quantity = fc.oneof(
  fc.nat(),
  fc.maxSafeNat(),
  fc.nat(10_000).map((n) => n * 86_400_000),
);

describe('durations', () => {
  test.each([
    ['500ms', 500],
    ['2s', 2_000],
    ['1m', 60_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['1.5h', 5_400_000],
    ['1.1m', 66_000],
    [' 3 s ', 3_000],
    ['0', 0],
    ['0s', 0],
  ])('%j is %d milliseconds', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  test.each([
    '',
    '5',
    's',
    '-1s',
    '1 hour',
    '5M',
    '1h30m',
    '1e3s',
    'Infinitys',
    '99999999999d',
    '1,5h',
    '0x1s',
  ])('%j is refused', (text) => expect(parseDuration(text)).toBeUndefined());

  test('what is printed reads back to the same', () => {
    fc.assert(fc.property(quantity, (ms) => parseDuration(printDuration(ms)) === ms));
  });

  test.each([
    [0, '0s'],
    [1_500, '1500ms'],
    [60_000, '1m'],
    [7_200_000, '2h'],
    [604_800_000, '7d'],
  ])('%d is printed as %s', (ms, expected) => expect(printDuration(ms)).toBe(expected));

  test('a fraction is not printed as if it were whole', () => {
    expect(() => printDuration(0.5)).toThrow(RangeError);
  });
});

describe('sizes', () => {
  test.each([
    ['123B', 123],
    ['64KiB', 65_536],
    ['8MiB', 8_388_608],
    ['10GiB', 10_737_418_240],
    ['5MB', 5_000_000],
    ['5mb', 5_000_000],
    ['1.5KiB', 1_536],
    ['0', 0],
  ])('%j is %d bytes', (text, expected) => {
    expect(parseSize(text)).toBe(expected);
  });

  test.each(['', '8', 'MiB', '-1B', '8 megabytes', '10G', '9999999TiB'])('%j is refused', (text) =>
    expect(parseSize(text)).toBeUndefined(),
  );

  test('what is printed reads back to the same', () => {
    fc.assert(fc.property(quantity, (bytes) => parseSize(printSize(bytes)) === bytes));
  });

  test.each([
    [8_388_608, '8MiB'],
    [5_000_000, '5MB'],
    [1_001, '1001B'],
  ])('%d is printed as %s', (bytes, expected) => expect(printSize(bytes)).toBe(expected));
});
