import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { companionKey, keyBytesMax, resumeKey, sessionLogKey } from '../../src/domain/object-key.ts';
import { pathFromBytes } from '../../src/domain/watched-path.ts';

const template = 'training-logs/{year}/{month}/{session-id}.log';
const startMs = Date.UTC(2026, 0, 31, 23, 59);
const folder = 'training-logs/companions/2026/01/run-7/';

test('a log lies under year and month of its start, in UTC', () => {
  expect(sessionLogKey(template, startMs, 'run-7')).toBe('training-logs/2026/01/run-7.log');
  expect(sessionLogKey(template, new Date('2026-12-31T23:30:00-02:00'), 'x')).toBe(
    'training-logs/2027/01/x.log',
  );
  expect(sessionLogKey('{session-id}/{month}/{month}', startMs, '$&')).toBe('$&/01/01');
});

describe('a companion lies beside the months', () => {
  test.each([
    [template, 'training-logs/companions/2026/01/run-7/a/b.log'],
    ['team/logs/{session-id}.json', 'team/logs/companions/2026/01/run-7/a/b.log'],
    ['{year}/{session-id}.log', 'companions/2026/01/run-7/a/b.log'],
    ['logs-{year}/{session-id}.log', 'logs-companions/2026/01/run-7/a/b.log'],
  ])('with the template %s', (given, key) => {
    expect(companionKey(given, startMs, 'run-7', 'a/b.log')).toEqual({ key, encoded: false });
  });
});

describe('a path that can be a key is one, unchanged', () => {
  test.each([
    'a',
    'a b/ü/😀',
    '.hydra/config.yaml',
    'a%2eb/c+d&e',
    '...',
    'a/..b/.c',
    'x'.repeat(keyBytesMax - folder.length),
  ])('%j', (path) => {
    expect(companionKey(template, startMs, 'run-7', path)).toEqual({ key: folder + path, encoded: false });
  });
});

describe('a path that cannot be a key is encoded', () => {
  test.each([
    ['not UTF-8', pathFromBytes(Buffer.of(0x61, 0xff))],
    ['one byte too long', 'x'.repeat(keyBytesMax - folder.length + 1)],
    ['too long in UTF-8 only', 'ü'.repeat(keyBytesMax / 2)],
    ['empty', ''],
    ['an empty segment', 'a//b'],
    ['a slash at the end', 'a/'],
    ['a dot', 'a/./b'],
    ['two dots', '../b'],
    ['a newline', 'a\nb'],
    ['a character that XML cannot hold', 'a\ufffe'],
    ['where encoded paths lie', '.encoded/0'],
    ['where resume records lie', '.resume/0.json'],
  ])('%s', (_, path) => {
    const { key, encoded } = companionKey(template, startMs, 'run-7', path);
    expect(encoded).toBe(true);
    expect(key).toMatch(/^training-logs\/companions\/2026\/01\/run-7\/\.encoded\/[0-9a-f]{64}$/);
  });
});

test('a resume record lies beside the companions, where no path leads, by a key that S3 takes', () => {
  const key = resumeKey(template, startMs, 'run-7', 'logs/out.log');
  expect(key).toMatch(/^training-logs\/companions\/2026\/01\/run-7\/\.resume\/[0-9a-f]{64}\.json$/);
  expect(resumeKey(template, startMs, 'run-7', 'x'.repeat(4_000))).toHaveLength(key.length);
  expect(resumeKey(template, startMs, 'run-7', 'logs/out.lo')).not.toBe(key);
});

test('two paths never share a key, and a key is always one that S3 takes', () => {
  const piece = fc.constantFrom('a', 'b', '/', '.', '..', '\n', 'ü', '.encoded', '.resume', 'x'.repeat(600));
  const pieces = fc.array(piece, { maxLength: 8 }).map((parts) => parts.join(''));
  const bytes = fc.uint8Array({ maxLength: 6 }).map((array) => pathFromBytes(Buffer.from(array)));
  const path = fc.oneof(pieces, bytes, fc.string());
  fc.assert(
    fc.property(path, path, (one, other) => {
      // Only strings that stand for bytes are paths.
      fc.pre(one.isWellFormed() && other.isWellFormed() ? true : !/[\ud800-\udbff]/.test(one + other));
      const first = companionKey(template, startMs, 'run-7', one).key;
      expect(first === companionKey(template, startMs, 'run-7', other).key).toBe(one === other);
      expect(Buffer.byteLength(first)).toBeLessThanOrEqual(keyBytesMax);
      expect(first.isWellFormed()).toBe(true);
    }),
    { numRuns: 1000 },
  );
});
