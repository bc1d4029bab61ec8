import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  baseName,
  comparePaths,
  depthOf,
  displayPath,
  isIgnoredName,
  isUtf8Path,
  joinPath,
  parentPath,
  pathFromBytes,
  pathToBytes,
  quotePath,
  relativeTo,
} from '../../src/domain/watched-path.ts';

const path = (...bytes: number[]) => pathFromBytes(Uint8Array.from(bytes));

/** Random bytes, with much that nearly is UTF-8: cut sequences, surrogates, overlong forms, a byte order mark. */
const nearlyUtf8 = fc.constantFrom<number[]>(
  [0xc3],
  [0xc3, 0xa9],
  [0xe2, 0x82],
  [0xe2, 0x82, 0xac],
  [0xed, 0xa0, 0x80],
  [0xed, 0xb2, 0x80],
  [0xc0, 0xaf],
  [0xf0, 0x9f, 0x98],
  [0xf0, 0x9f, 0x98, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xef, 0xbb, 0xbf],
  [0x80],
  [0xff],
  [0x2f],
  [0x0a],
);
const bytes = fc
  .array(
    fc.oneof(
      nearlyUtf8,
      fc.uint8Array({ maxLength: 3 }).map((array) => [...array]),
    ),
    { maxLength: 8 },
  )
  .map((pieces) => Buffer.from(pieces.flat()));

describe('a path', () => {
  test('gives back every byte of a name', () => {
    fc.assert(
      fc.property(bytes, (name) => {
        expect(pathToBytes(pathFromBytes(name))).toEqual(name);
      }),
      { numRuns: 1000 },
    );
  });

  test('is another for every other name, and sorts as the names do', () => {
    fc.assert(
      fc.property(bytes, bytes, (one, other) => {
        const order = Buffer.compare(one, other);
        expect(pathFromBytes(one) === pathFromBytes(other)).toBe(order === 0);
        expect(Math.sign(comparePaths(pathFromBytes(one), pathFromBytes(other)))).toBe(order);
      }),
      { numRuns: 1000 },
    );
  });

  test('splits where its bytes split', () => {
    fc.assert(
      fc.property(bytes, (name) => {
        const parts = pathFromBytes(name).split('/');
        expect(
          Buffer.from(parts.map((part) => pathToBytes(part).toString('latin1')).join('/'), 'latin1'),
        ).toEqual(name);
      }),
    );
  });

  test.each([
    ['ASCII', path(0x61), 'a', true],
    ['UTF-8', path(0xc3, 0xa9), 'é', true],
    ['beyond the first plane', path(0xf0, 0x9f, 0x98, 0x80), '😀', true],
    ['a byte order mark', path(0xef, 0xbb, 0xbf, 0x61), '\ufeffa', true],
    ['a bad byte', path(0x61, 0xff, 0x62), 'a\udcffb', false],
    ['a cut sequence', path(0xe2, 0x82), '\udce2\udc82', false],
    ['an encoded surrogate', path(0xed, 0xb2, 0x80), '\udced\udcb2\udc80', false],
    ['a bad byte after a pair', path(0xf0, 0x9f, 0x98, 0x80, 0x80), '😀\udc80', false],
  ])('of %s', (_, given, text, isUtf8) => {
    expect(given).toBe(text);
    expect(isUtf8Path(given)).toBe(isUtf8);
  });
});

describe('for people', () => {
  test('a path is valid Unicode, bad bytes as %XX', () => {
    expect(displayPath(path(0x61, 0xff, 0x80))).toBe('a%FF%80');
    expect(displayPath('é/b')).toBe('é/b');
    fc.assert(
      fc.property(bytes, (name) => {
        expect(displayPath(pathFromBytes(name)).isWellFormed()).toBe(true);
      }),
    );
  });

  test('a quoted path is one line that shows what is there, and reads back', () => {
    fc.assert(
      fc.property(fc.oneof(bytes.map(pathFromBytes), fc.string({ unit: 'binary' })), (given) => {
        const quoted = quotePath(given);
        expect(quoted).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
        if (given.isWellFormed()) expect(JSON.parse(quoted)).toBe(given);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['a newline', 'a\nb', '"a\\nb"'],
    ['a terminal escape', 'a\u001b[2Jb', '"a\\u001b[2Jb"'],
    ['a control character above ASCII', 'a\u0085b\u009b', '"a\\u0085b\\u009b"'],
    ['text that runs the other way', 'a\u202egpj.exe', '"a\\u202egpj.exe"'],
    ['a quote', 'a"b', '"a\\"b"'],
    ['a bad byte', 'a\udcff', '"a%FF"'],
  ])('%s is quoted', (_, given, quoted) => {
    expect(quotePath(given)).toBe(quoted);
  });
});

describe('the parts of a path', () => {
  test.each([
    ['', '', '', 0],
    ['a', '', 'a', 1],
    ['a/b', 'a', 'b', 2],
    ['a/b/c', 'a/b', 'c', 3],
  ])('of %j', (given, parent, name, depth) => {
    expect([parentPath(given), baseName(given), depthOf(given)]).toEqual([parent, name, depth]);
    if (given !== '') expect(joinPath(parent, name)).toBe(given);
  });

  test.each([
    ['', 'a/b', 'a/b'],
    ['a', 'a/b', 'b'],
    ['a', 'a', undefined],
    ['a', 'ab/c', undefined],
    ['a/b', 'a', undefined],
  ])('relative to %j: %j', (root, given, relative) => {
    expect(relativeTo(root, given)).toBe(relative);
  });
});

test.each([
  ['a', false],
  ['.a', true],
  ['.hydra', false],
  ['.hydra2', true],
  ['.job_config.json', false],
  ['.hydra.tmp', true],
  ['a.tmp', true],
  ['a.part', true],
  ['a.swp', true],
  ['a~', true],
  ['a.tmp.log', false],
  ['tmp', false],
  ['a.TMP', false],
])('the name %j is ignored: %j', (name, ignored) => {
  expect(isIgnoredName(name)).toBe(ignored);
});
