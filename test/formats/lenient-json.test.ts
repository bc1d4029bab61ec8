import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseLenientJson, UnreadableJson } from '../../src/formats/parts/lenient-json.ts';

const bytes = (text: string) => Buffer.from(text, 'utf8');

function failureOf(input: Buffer, bytesMax?: number): UnreadableJson {
  try {
    parseLenientJson(input, bytesMax);
  } catch (error) {
    if (error instanceof UnreadableJson) return error;
    throw error;
  }
  throw new Error('was read');
}

test('valid JSON is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 8 }), (text) => {
      // Integers that a double cannot hold are kept as strings, on purpose.
      fc.pre(!/(?<![.\d])\d{16,}(?![\d.eE])/.test(text));
      expect(parseLenientJson(bytes(text))).toEqual({ value: JSON.parse(text), warnings: [] });
    }),
  );
});

test('blanks between tokens mean nothing', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const spread = `\r\n\t ${JSON.stringify(value, null, '\t')} \n`;
      expect(parseLenientJson(bytes(spread))).toEqual(parseLenientJson(bytes(JSON.stringify(value))));
    }),
  );
});

describe('what trainers write', () => {
  test.each([
    [
      '{"a": NaN, "b": [Infinity, -Infinity]}',
      { a: null, b: [null, null] },
      ['NaN or Infinity read as null, 3 times'],
    ],
    ['[1e999]', [null], ['NaN or Infinity read as null, once']],
    [
      '[9223372036854775807, -9007199254740993, 9007199254740991]',
      ['9223372036854775807', '-9007199254740993', 9007199254740991],
      ['integer beyond 2^53 kept as a string, 2 times'],
    ],
    ['[1e30, -0, 0.1]', [1e30, -0, 0.1], []],
    ['{"a": 1, "b": 2, "a": 3}', { a: 3, b: 2 }, []],
    ['\ufeff{"a": "ü"}', { a: 'ü' }, []],
    ['"\\ud83d\\ude00\\n"', '😀\n', []],
  ])('%s', (text, value, warnings) => {
    expect(parseLenientJson(bytes(text))).toEqual({ value, warnings });
  });

  test('UTF-16 of either order, where a byte order mark says so', () => {
    const little = Buffer.from('\ufeff{"a": "ü"}', 'utf16le');
    const big = Buffer.from(little).swap16();
    expect(parseLenientJson(little)).toEqual({ value: { a: 'ü' }, warnings: [] });
    expect(parseLenientJson(big)).toEqual({ value: { a: 'ü' }, warnings: [] });
  });

  test('bytes that are not UTF-8 are replaced, with a warning', () => {
    const input = Buffer.concat([bytes('{"a": "x'), Buffer.of(0xff), bytes('y"}')]);
    expect(parseLenientJson(input)).toEqual({
      value: { a: 'x\ufffdy' },
      warnings: ['bytes that are not UTF-8 were replaced'],
    });
  });

  test('a key __proto__ is a key and changes no prototype', () => {
    const { value } = parseLenientJson(bytes('{"__proto__": {"polluted": 1}}'));
    expect(Object.keys(value as object)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });
});

describe('what cannot be read says what and where', () => {
  test.each([
    ['', 'empty', 'an empty file'],
    [' \n', 'empty', 'an empty file'],
    ['\0\0\0\0', 'empty', '4 zero bytes'],
    ['{"a": [1, 2', 'truncated', 'the file ends in the middle at byte 11'],
    ['{"a": "x', 'truncated', 'the file ends in the middle at byte 8'],
    ['{"a": fal', 'truncated', 'the file ends in the middle at byte 9'],
    ['{"a": 1.', 'truncated', 'the file ends in the middle at byte 8'],
    ['{"ü": x}', 'syntax', 'expected a value, found "x" at byte 7'],
    ['{"a": 1,}', 'syntax', 'expected a key in quotes, found "}" at byte 8'],
    ['{"a": 1} {', 'syntax', 'expected the end of the file, found "{" at byte 9'],
    ["{'a': 1}", 'syntax', 'expected a key in quotes, found "\'" at byte 1'],
    ['{"a" 1}', 'syntax', 'expected ":", found "1" at byte 5'],
    ['["\\x"]', 'syntax', 'a string with an unknown escape at byte 1'],
    ['["a\nb"]', 'syntax', 'expected no control character in a string, found "\\n" at byte 3'],
    ['[01]', 'syntax', 'expected "," or "]", found "1" at byte 2'],
    ['[+1]', 'syntax', 'expected a value, found "+" at byte 1'],
    [`${'['.repeat(200)}${']'.repeat(200)}`, 'tooDeep', 'more than 64 levels deep at byte 64'],
    [
      'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n',
      'lfsPointer',
      'a Git LFS pointer, not the file itself',
    ],
  ])('%j', (text, kind, message) => {
    expect(failureOf(bytes(text))).toMatchObject({ kind, message });
  });

  test('a file over the limit is not looked at', () => {
    expect(failureOf(bytes('[1, 2, 3]'), 8)).toMatchObject({
      kind: 'tooLarge',
      message: '9 bytes, more than the 8 that are read',
    });
  });
});

test('64 levels are read, 65 are not', () => {
  const nested = (levels: number) => bytes('['.repeat(levels) + ']'.repeat(levels));
  expect(parseLenientJson(nested(64)).warnings).toEqual([]);
  expect(failureOf(nested(65)).kind).toBe('tooDeep');
});

test('the first part of an object is truncated, wherever it was cut', () => {
  const cut = fc.tuple(
    fc.dictionary(fc.string(), fc.jsonValue()),
    fc.double({ min: 0, max: 1, noNaN: true }),
  );
  fc.assert(
    fc.property(cut, ([object, at]) => {
      const text = JSON.stringify(object);
      const part = text.slice(0, 1 + Math.floor(at * (text.length - 2))).toWellFormed();
      fc.pre(part.length < text.length);
      expect(failureOf(bytes(part)).kind).toBe('truncated');
    }),
  );
});

test('any bytes give a value or say why not', () => {
  const jsonish = fc
    .array(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        '"',
        ':',
        ',',
        '\\',
        '\\u',
        'NaN',
        '-',
        '1',
        'e',
        '.',
        ' ',
        '\0',
        'ü',
        '__proto__',
      ),
    )
    .map((pieces) => bytes(pieces.join('')));
  const anyBytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
    fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.concat([Buffer.of(0xff, 0xfe), array])),
    jsonish,
  );
  fc.assert(
    fc.property(anyBytes, (input) => {
      try {
        JSON.stringify(parseLenientJson(input).value);
      } catch (error) {
        expect(error).toBeInstanceOf(UnreadableJson);
        const { offsetBytes } = error as UnreadableJson;
        expect(offsetBytes ?? 0).toBeLessThanOrEqual(input.length);
      }
    }),
    { numRuns: 2000 },
  );
});

test.each(['[', '{"a":', '"', '\\"', '[1,', ' ', '-', '{"a":1,"a":', '\0'])(
  'a mebibyte of %j is answered at once',
  (piece) => {
    const input = bytes(`[${piece.repeat(Math.floor(1_000_000 / piece.length))}`);
    const before = performance.now();
    expect(failureOf(input)).toBeInstanceOf(UnreadableJson);
    expect(performance.now() - before).toBeLessThan(2_000);
  },
);
