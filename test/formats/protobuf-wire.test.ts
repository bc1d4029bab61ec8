import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readWire, signedOf, type WireField } from '../../src/formats/parts/protobuf-wire.ts';
import { UnreadableFile } from '../../src/formats/reader.ts';
import { field, varint } from '../support/wandb-file.ts';

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

describe('the encoding guide says', () => {
  test.each<[string, string, unknown[]]>([
    ['a varint', '08 96 01', [{ number: 1, type: 'varint', value: 150n }]],
    ['a text', '12 07 74 65 73 74 69 6e 67', [{ number: 2, type: 'bytes', value: Buffer.from('testing') }]],
    ['a message', '1a 03 08 96 01', [{ number: 3, type: 'bytes', value: hex('08 96 01') }]],
    [
      'fixed ones',
      '09 0102030405060708 15 0a0b0c0d',
      [
        { number: 1, type: 'fixed64', value: hex('0102030405060708') },
        { number: 2, type: 'fixed32', value: hex('0a0b0c0d') },
      ],
    ],
    ['a group, which is stepped over', '0b 10 01 0c', [{ number: 2, type: 'varint', value: 1n }]],
    ['nothing', '', []],
  ])('%s', (_, bytes, fields) => {
    expect([...readWire(hex(bytes))]).toEqual(fields);
  });
});

test('what was written is read, any number and any length', () => {
  const value = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.uint8Array({ maxLength: 300 }));
  const fields = fc.array(fc.tuple(fc.integer({ min: 1, max: 2 ** 29 - 1 }), value), { maxLength: 20 });
  fc.assert(
    fc.property(fields, (written) => {
      const message = Buffer.concat(
        written.map(([number, one]) => field(number, typeof one === 'bigint' ? one : Buffer.from(one))),
      );
      const read = [...readWire(message)].map(({ number, value: found }) => [number, found]);
      expect(read).toEqual(
        written.map(([number, one]) => [number, typeof one === 'bigint' ? one : Buffer.from(one)]),
      );
    }),
    { seed: 3 },
  );
});

test.each([
  ['a varint that does not end', 'ff'],
  ['a varint of 11 bytes', '08 ffffffffffffffffffffff01'],
  ['a length beyond the message', '0a 05 01'],
  ['a length of 2^63', '0a ffffffffffffffff7f'],
  ['a cut fixed number', '0d 0102'],
  ['wire type 6', '0e 01'],
  ['wire type 7', '0f 01'],
  ['field number 0', '00 01'],
])('%s is damage, told with its place', (_, bytes) => {
  expect(() => [...readWire(hex(bytes))]).toThrow(UnreadableFile);
  expect(() => [...readWire(hex(bytes))]).toThrow(/^no protobuf message: .+ at byte \d+ of it$/);
});

test('what lies before the damage is handed out', () => {
  const read: WireField[] = [];
  expect(() => {
    for (const one of readWire(hex('08 01 0a 05 01'))) read.push(one);
  }).toThrow(UnreadableFile);
  expect(read).toEqual([{ number: 1, type: 'varint', value: 1n }]);
});

test('only so many fields are read', () => {
  const message = Buffer.concat(Array.from({ length: 11 }, () => hex('08 01')));
  expect([...readWire(message, 11)]).toHaveLength(11);
  expect(() => [...readWire(message, 10)]).toThrow(/more than 10 fields/);
});

test('signed numbers', () => {
  expect(signedOf(5n)).toBe(5);
  expect(signedOf(2n ** 64n - 1n)).toBe(-1);
  expect(signedOf(2n ** 60n)).toBeUndefined();
  expect(varint(300n)).toEqual(hex('ac 02'));
});

test('any bytes are either fields or damage', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        for (const { number } of readWire(Buffer.from(bytes))) expect(number).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toBeInstanceOf(UnreadableFile);
      }
    }),
    { seed: 5, numRuns: 5000 },
  );
});
