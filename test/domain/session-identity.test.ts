import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  believableStart,
  chooseIdentity,
  generatedId,
  isUuidName,
  legalId,
  originOf,
  suffixedId,
} from '../../src/domain/session-identity.ts';

const legal = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const startedAtMs = Date.UTC(2026, 0, 31, 12, 0, 5);
const place = { host: 'h', folder: '/data/out', path: 'group/run 7', startedAtMs };

describe('a legal id', () => {
  test.each([
    ['run-7', 'run-7'],
    ['run 7/a', 'run-7-a'],
    ['../../etc/passwd', 'etc-passwd'],
    ['.hidden', 'hidden'],
    ['ü', undefined],
    ['😀a😀', 'a-'],
    ['', undefined],
    ['---', undefined],
    ['a\nb', 'a-b'],
    ['x'.repeat(128), 'x'.repeat(128)],
  ])('of %j is %j', (raw, id) => {
    expect(legalId(raw)).toBe(id);
  });

  test('is legal, and stays itself', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ maxLength: 300 }), fc.string({ unit: 'binary', maxLength: 300 })),
        (raw) => {
          const id = legalId(raw);
          fc.pre(id !== undefined);
          expect(id).toMatch(legal);
          expect(legalId(id)).toBe(id);
        },
      ),
    );
  });

  test('of two long names with the same beginning are two', () => {
    const one = legalId(`${'x'.repeat(200)}1`);
    const other = legalId(`${'x'.repeat(200)}2`);
    expect(one).toHaveLength(128);
    expect(one).not.toBe(other);
  });
});

test.each([
  ['123e4567-e89b-12d3-a456-426614174000', true],
  ['zzzzzzzz-zzzz-ZZZZ-9999-zzzzzzzzzzzz', true],
  ['123e4567-e89b-12d3-a456-42661417400', false],
  ['123e4567e89b12d3a456426614174000', false],
  ['x123e4567-e89b-12d3-a456-426614174000', false],
  ['123e4567-e89b-12d3-a456-42661417400_', false],
])('%s is a UUID name: %s', (name, answer) => {
  expect(isUuidName(name)).toBe(answer);
});

describe('a generated id', () => {
  test('shows place and start', () => {
    expect(generatedId(place)).toMatch(/^group-run-7-20260131T120005Z-[0-9a-f]{6}$/);
    expect(generatedId({ ...place, path: '' })).toMatch(/^out-20260131T120005Z-[0-9a-f]{6}$/);
    expect(generatedId({ ...place, path: '', folder: '/' })).toMatch(/^20260131T120005Z-[0-9a-f]{6}$/);
    expect(generatedId({ ...place, path: 'x'.repeat(300) })).toHaveLength(128);
  });

  test('is legal, and another for another host, folder, path or start', () => {
    const text = fc.string({ maxLength: 200 }).map((value) => value.replaceAll('\0', ''));
    const start = fc.integer({ min: Date.UTC(2015, 0, 1), max: Date.UTC(2100, 0, 1) });
    const places = fc.record({ host: text, folder: text, path: text, startedAtMs: start });
    fc.assert(
      fc.property(places, text, (one, extra) => {
        const id = generatedId(one);
        expect(id).toMatch(legal);
        expect(generatedId({ ...one })).toBe(id);
        for (const other of [
          { ...one, host: `${one.host}x${extra}` },
          { ...one, folder: `${one.folder}x${extra}` },
          { ...one, path: `${one.path}x${extra}` },
          { ...one, startedAtMs: one.startedAtMs + 1 },
        ]) {
          expect(originOf({ ...other, directoryIdentity: 'd' })).not.toBe(
            originOf({ ...one, directoryIdentity: 'd' }),
          );
        }
      }),
    );
  });
});

test('a suffix keeps an id legal and tells origins apart', () => {
  expect(suffixedId('run-7', 'a')).toMatch(/^run-7-[0-9a-f]{6}$/);
  expect(suffixedId('run-7', 'a')).not.toBe(suffixedId('run-7', 'b'));
  expect(suffixedId('x'.repeat(128), 'a')).toMatch(legal);
});

test('an origin is 32 hex digits, another for a directory that was made again', () => {
  const origin = originOf({ ...place, directoryIdentity: '1:2' });
  expect(origin).toMatch(/^[0-9a-f]{32}$/);
  expect(originOf({ ...place, directoryIdentity: '1:2' })).toBe(origin);
  expect(originOf({ ...place, directoryIdentity: '1:3' })).not.toBe(origin);
  expect(originOf({ ...place, host: 'ab', folder: 'c', directoryIdentity: '1' })).not.toBe(
    originOf({ ...place, host: 'a', folder: 'bc', directoryIdentity: '1' }),
  );
});

const now = Date.UTC(2026, 0, 31);
test.each([
  [0, false],
  [Date.UTC(2014, 11, 31, 23, 59, 59, 999), false],
  [Date.UTC(2015, 0, 1), true],
  [now, true],
  [now + 86_400_000, true],
  [now + 86_400_001, false],
  [Date.UTC(9999, 0, 1), false],
  [Number.NaN, false],
])('a start at %d is believed: %s', (ms, answer) => {
  expect(believableStart(ms, now)).toBe(answer);
});

describe('the identity of a session', () => {
  const uuid = '123e4567-e89b-12d3-a456-426614174000';

  test('is what session.json says', () => {
    const chosen = chooseIdentity({ ...place, name: uuid, nativeId: 'run-7' });
    expect(chosen).toEqual({ id: 'run-7', source: 'session.json', unique: false, warnings: [] });
  });

  test('is made legal where it must be, and the original is kept', () => {
    const chosen = chooseIdentity({ ...place, name: uuid, nativeId: 'run 7' });
    expect(chosen).toEqual({
      id: 'run-7',
      source: 'session.json',
      unique: false,
      original: 'run 7',
      warnings: ['session.json: id "run 7" is no legal id, "run-7" is used'],
    });
  });

  test('is the name of the directory where that is a UUID', () => {
    const chosen = chooseIdentity({ ...place, name: uuid });
    expect(chosen).toEqual({ id: uuid, source: 'directory name', unique: false, warnings: [] });
  });

  test('else is generated, and then nobody else has it', () => {
    const chosen = chooseIdentity({ ...place, name: 'run 7', nativeId: '😀' });
    expect(chosen).toEqual({
      id: generatedId(place),
      source: 'generated',
      unique: true,
      warnings: ['session.json: id "😀" has no letter or digit that an id could be made of'],
    });
  });

  test('no warning repeats an address that someone took for an id', () => {
    const chosen = chooseIdentity({ ...place, name: 'x', nativeId: 'alice@example.com' });
    expect(chosen.warnings.join()).not.toContain('alice@');
  });
});
