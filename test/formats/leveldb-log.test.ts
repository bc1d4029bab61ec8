import { describe, expect, test } from 'vitest';
import { LevelDbLog } from '../../src/formats/parts/leveldb-log.ts';
import { piece, wandbFile, wandbMagic } from '../support/wandb-file.ts';

function read(bytes: Buffer, chunkBytes = 1024 * 1024) {
  const records: Buffer[] = [];
  const log = new LevelDbLog((record) => records.push(Buffer.from(record)));
  for (let at = 0; at < bytes.length; at += chunkBytes)
    log.push(Buffer.from(bytes.subarray(at, at + chunkBytes)));
  return { records, damage: log.damage, tooLarge: log.tooLarge };
}

const sizes = [0, 1, 10, 32_000, 700, 32_754, 5, 32_761, 100_000, 0, 32_747, 3];
const records = sizes.map((size, at) => Buffer.alloc(size, at + 1));

test.each([1, 7, 4096, 1024 * 1024])('records of every length come back, cut into %i bytes', (chunkBytes) => {
  expect(read(wandbFile(records), chunkBytes)).toEqual({ records, damage: undefined, tooLarge: 0 });
});

test('a short tail waits, wherever it is cut', () => {
  const bytes = wandbFile(records.slice(0, 3));
  for (let length = 0; length < bytes.length; length += 1) {
    expect(read(bytes.subarray(0, length)).damage).toBeUndefined();
  }
});

describe('damage ends the reading, told with its place', () => {
  const bytes = wandbFile([Buffer.from('one'), Buffer.from('two'), Buffer.from('three')]);
  test.each<[string, Buffer, number, string]>([
    [
      'a flipped bit',
      flipped(bytes, 7 + 10 + 8),
      1,
      'a piece whose checksum is wrong at byte 17, not read on from there',
    ],
    [
      'a length beyond the block',
      Buffer.concat([bytes, Buffer.from('00000000ffff01', 'hex')]),
      3,
      'a piece that is longer than its block at byte 39, not read on from there',
    ],
    [
      'an unknown type',
      Buffer.concat([bytes, piece(9, Buffer.from('x'))]),
      3,
      'a piece of type 9 at byte 39, not read on from there',
    ],
    [
      'a last piece without a first one',
      Buffer.concat([bytes, piece(4, Buffer.from('x'))]),
      3,
      'a piece of type 4 at byte 39, not read on from there',
    ],
    [
      'a whole record inside of another',
      Buffer.concat([bytes, piece(2, Buffer.from('x')), piece(1, Buffer.from('y'))]),
      3,
      'a piece of type 1 at byte 47, not read on from there',
    ],
    ['another file', Buffer.from('#!/bin/sh\n'), 0, 'no log of wandb at byte 0, not read on from there'],
  ])('%s', (_, damaged, count, damage) => {
    for (const chunkBytes of [1, 1024]) {
      const found = read(damaged, chunkBytes);
      expect(found.damage).toBe(damage);
      expect(found.records).toHaveLength(count);
    }
  });
});

test('space that was reserved is stepped over to the next block', () => {
  const first = wandbFile([Buffer.from('one')]);
  const padded = Buffer.concat([first, Buffer.alloc(32 * 1024 - first.length), piece(1, Buffer.from('two'))]);
  for (const chunkBytes of [1000, 1024 * 1024]) {
    expect(read(padded, chunkBytes).records.map(String)).toEqual(['one', 'two']);
  }
});

test('a record that is too large is passed over, the next one is read', () => {
  const found = read(wandbFile([Buffer.alloc(5 * 1024 * 1024), Buffer.from('two')]));
  expect(found).toEqual({ records: [Buffer.from('two')], damage: undefined, tooLarge: 1 });
});

test('a file that does not begin as wandb writes it is told after its first byte', () => {
  expect(read(Buffer.from('x')).damage).toBe('no log of wandb at byte 0, not read on from there');
  expect(read(wandbMagic.subarray(0, 3)).damage).toBeUndefined();
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}
