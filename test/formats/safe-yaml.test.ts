import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { parseSafeYaml, yamlBytesMax } from '../../src/formats/parts/safe-yaml.ts';
import { UnreadableFile } from '../../src/formats/reader.ts';

function parse(text: string) {
  return parseSafeYaml(Buffer.from(text));
}

test.each<[string, string, unknown]>([
  [
    'plain values',
    'a: 1\nb: 2.5e-05\nc: true\nd: ~\ne: text\nf: [1, x]\n',
    { a: 1, b: 2.5e-5, c: true, d: null, e: 'text', f: [1, 'x'] },
  ],
  ['nothing', '', null],
  ['an empty mapping', '{}', {}],
  ['the words of YAML 1.1', 'a: yes\nb: off\nc: 0o17\n', { a: 'yes', b: 'off', c: 15 }],
  ['a byte order mark and CRLF', '\ufeffa: 1\r\nb: 2\r\n', { a: 1, b: 2 }],
  [
    'aliases and merged mappings',
    'a: &x {p: 1, q: 2}\nb: *x\nc:\n  <<: *x\n  q: 3\n',
    { a: { p: 1, q: 2 }, b: { p: 1, q: 2 }, c: { p: 1, q: 3 } },
  ],
  ['the last of equal keys', 'a: 1\na: 2\n', { a: 2 }],
  ['only the first of many documents', 'a: 1\n---\nb: 2\n', { a: 1 }],
  ['keys that are numbers', '1: a\ntrue: b\n', { 1: 'a', true: 'b' }],
  ['an alias of nothing', 'a: [1]\n', { a: [1] }],
])('reads %s', (_, text, value) => {
  expect(parse(text)).toEqual({ value, warnings: [] });
});

test.each<[string, string, unknown, string]>([
  [
    'tags',
    'a: !!python/object:os.system\n  b: 1\nc: !mine 2\n',
    { a: { b: 1 }, c: '2' },
    'tags that are not acted upon: 2',
  ],
  ['NaN and Infinity', 'a: .nan\nb: -.inf\n', { a: null, b: null }, 'NaN or Infinity read as null: 2'],
  [
    'large integers',
    'a: 9223372036854775807\n',
    { a: '9223372036854775807' },
    'integers beyond 2^53 kept as strings: 1',
  ],
  ['keys that are no text', '? [1, 2]\n: a\nb: 1\n', { b: 1 }, 'keys that are no text left out: 1'],
])('counts %s', (_, text, value, warning) => {
  expect(parse(text)).toEqual({ value, warnings: [warning] });
});

test('a key __proto__ is a key', () => {
  const { value } = parse('__proto__: {polluted: true}\na: &x {__proto__: {b: 1}}\nc: {<<: *x}\n');
  expect(Object.keys(value as object)).toEqual(['__proto__', 'a', 'c']);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

describe('refuses', () => {
  const bomb = `a0: &a0 [x]\n${Array.from({ length: 20 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at},`.repeat(9)}]`).join('\n')}`;
  test.each<[string, string, RegExp]>([
    [
      'what is no YAML, with its place and without its content',
      'secret: b: c\n',
      /^not YAML \(block as implicit key\) at byte \d+$/,
    ],
    ['deep nesting', '['.repeat(20_000), /^more than 48 levels deep$/],
    ['deep blocks', '- '.repeat(20_000), /^more than 48 levels deep$/],
    [
      'deep mappings',
      Array.from({ length: 100 }, (_, at) => `${' '.repeat(at)}a:`).join('\n'),
      /^more than 48 levels deep$/,
    ],
    ['aliases that multiply', bomb, /^more than 20000 values, aliases included$/],
    ['an alias within itself', 'a: &x [*x]\n', /^an alias that holds itself$/],
    ['zero bytes', 'a: 1\0', /^not YAML: a zero byte$/],
    [
      'a pointer of Git LFS',
      'version https://git-lfs.github.com/spec/v1\noid sha256:0\n',
      /^a Git LFS pointer/,
    ],
    ['too many bytes', 'a'.repeat(yamlBytesMax + 1), /^65537 bytes, more than the 65536 that are read$/],
  ])('%s', (_, text, message) => {
    expect(() => parse(text)).toThrow(UnreadableFile);
    expect(() => parse(text)).toThrow(message);
  });
});

test('whatever JSON can say comes back', () => {
  const json = fc.jsonValue({ maxDepth: 4, noUnicodeString: false });
  fc.assert(
    fc.property(json, (value) => {
      fc.pre(!JSON.stringify(value).includes('<<'));
      const written = stringify(value, { schema: 'core', aliasDuplicateObjects: false });
      fc.pre(Buffer.byteLength(written) <= yamlBytesMax && !written.includes('\0'));
      expect(JSON.stringify(parse(written).value)).toBe(JSON.stringify(value, largeAsText));
    }),
    { seed: 5, numRuns: 300 },
  );
});

function largeAsText(_: string, value: unknown): unknown {
  const isLarge = Number.isInteger(value) && !Number.isSafeInteger(value) && /^-?\d+$/.test(String(value));
  return isLarge ? String(value) : value;
}

test('any text is a value or a refusal', () => {
  const pieces = fc.constantFrom(
    '- ',
    'a: ',
    '[',
    ']',
    '{',
    '}',
    '&x ',
    '*x',
    '!!set ',
    '? ',
    '|\n',
    '"',
    "'",
    '\n',
    '  ',
    '#',
    '---\n',
    '<<: ',
    '%',
    '.nan',
    ',',
    '\t',
    '\u2028',
    '__proto__: ',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(pieces, fc.string({ maxLength: 6 })), { maxLength: 60 }), (some) => {
      try {
        expect(JSON.stringify(parse(some.join('')).value)).toBeDefined();
      } catch (error) {
        expect(error).toBeInstanceOf(UnreadableFile);
      }
    }),
    { seed: 6, numRuns: Number(process.env['TRAINLOGD_TEST_FUZZ'] ?? 2000) },
  );
}, 600_000);
