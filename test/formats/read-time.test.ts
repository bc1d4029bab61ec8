import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readTime } from '../../src/formats/parts/read-time.ts';

test.each([
  ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
  ['2026-01-31t12:00:00.123456z', '2026-01-31T12:00:00.123Z'],
  ['2026-01-31 12:00:00+02:00', '2026-01-31T10:00:00.000Z'],
  ['2026-01-31T23:30:00-0530', '2026-02-01T05:00:00.000Z'],
  ['2024-02-29T00:00:00+00:00', '2024-02-29T00:00:00.000Z'],
  ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  [1_769_860_800, '2026-01-31T12:00:00.000Z'],
  [1_769_860_800.5, '2026-01-31T12:00:00.500Z'],
  [1_769_860_800_123, '2026-01-31T12:00:00.123Z'],
])('%j is %s', (value, iso) => {
  expect(readTime(value)).toEqual({ iso });
});

test('a time without an offset is taken as UTC, and says so', () => {
  const assumed = 'has no offset, read as UTC';
  expect(readTime('2026-01-31T12:00:00.5')).toEqual({ iso: '2026-01-31T12:00:00.500Z', assumed });
});

test.each([
  '',
  'yesterday',
  '2026-01-31',
  '2026-02-30T00:00:00Z',
  '2025-02-29T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-01-31T24:00:00Z',
  '2026-01-31T12:60:00Z',
  '2026-01-31T12:00:00+24:00',
  '9999-12-31T23:59:59-01:00',
  '+12026-01-31T12:00:00Z',
  '1769860800',
  0,
  -1,
  1e20,
  true,
  null,
  ['2026-01-31T12:00:00Z'],
])('%j is no time', (value) => {
  expect(readTime(value)).toBeUndefined();
});

test('every time that a Date can write with four digits of a year is read back', () => {
  const date = fc.date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59Z'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(date, (at) => {
      expect(readTime(at.toISOString())).toEqual({ iso: at.toISOString() });
    }),
  );
});
