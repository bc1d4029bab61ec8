import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editDistance, nearest } from '../../src/config/nearest.ts';
import { optionKeys } from '../../src/config/schema.ts';

describe('nearest()', () => {
  test.each([
    ['watch.setle', 'watch.settle'],
    ['watch.settel', 'watch.settle'],
    ['settle', 'watch.settle'],
    ['keyTemplate', 'destination.keyTemplate'],
    ['destination.path_style', 'destination.pathStyle'],
    ['watch.ignore-older-than', 'watch.ignoreOlderThan'],
    ['retension.localFiles', 'retention.localFiles'],
  ])('finds for %s the key %s', (name, expected) => {
    expect(nearest(name, optionKeys)).toBe(expected);
  });

  test.each(['foo', 'zzzzzzzzzz', ''])('finds nothing near %j', (name) => {
    expect(nearest(name, optionKeys)).toBeUndefined();
  });
});

describe('editDistance()', () => {
  test.each([
    ['', '', 0],
    ['abc', '', 3],
    ['idle', 'idel', 1],
    ['kitten', 'sitting', 3],
  ])('from %j to %j is %d', (from, to, expected) => expect(editDistance(from, to)).toBe(expected));

  test('is the same both ways and zero only for equal words', () => {
    const word = fc.string({ maxLength: 8 });
    fc.assert(
      fc.property(word, word, (from, to) => {
        expect(editDistance(from, to)).toBe(editDistance(to, from));
        expect(editDistance(from, to) === 0).toBe(from === to);
      }),
    );
  });
});
