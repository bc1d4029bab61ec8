import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCompanionFilter } from '../../src/domain/companion-filter.ts';
import { pathFromBytes } from '../../src/domain/watched-path.ts';

const checkpoints = ['**/checkpoint-*/**', '*.safetensors'];
const rules = { include: [], exclude: [...checkpoints, 'cache/', '*.pyc'], checkpoints, bytesMax: 100 };

describe('the choice for a file', () => {
  const choose = createCompanionFilter(rules);
  test.each([
    ['stdout.log', 1, 'companion'],
    ['stdout.log', 100, 'companion'],
    ['stdout.log', 101, 'tooLarge'],
    ['checkpoint-10/optimizer.bin', 1, 'checkpoint'],
    ['a/checkpoint-10/b/c', 1_000, 'checkpoint'],
    ['model.safetensors', 1, 'checkpoint'],
    ['deep/er/model.safetensors', 1, 'checkpoint'],
    ['cache/a/b', 1, 'excluded'],
    ['other/cache/a', 1, 'companion'],
    ['x/y.pyc', 1, 'excluded'],
    ['.hydra/config.yaml', 1, 'companion'],
    ['.job_config.json', 1, 'companion'],
    ['new\nline/checkpoint-1/\n', 1, 'checkpoint'],
    ['näme/ü.safetensors', 1, 'checkpoint'],
    ['', 1, 'companion'],
    ['session.env', 1, 'excluded'],
    ['ranks/1/session.env', 1, 'excluded'],
  ])('%j of %i bytes: %s', (path, bytes, choice) => {
    expect(choose(path, bytes)).toBe(choice);
  });

  test('names that are not UTF-8 are matched like others', () => {
    const bad = pathFromBytes(Buffer.from([0x61, 0xff, 0x2e]));
    expect(choose(`${bad}pyc`, 1)).toBe('excluded');
    expect(choose(`${bad}log`, 1)).toBe('companion');
  });
});

test('where nothing is excluded, checkpoints are companions', () => {
  const choose = createCompanionFilter({ ...rules, exclude: [] });
  expect(choose('checkpoint-1/model.safetensors', 1)).toBe('companion');
});

test('with an include list the rest is left out, and exclusion still wins', () => {
  const choose = createCompanionFilter({ ...rules, include: ['*.log', 'cache/**'] });
  expect(choose('a/b.log', 1)).toBe('companion');
  expect(choose('a/b.txt', 1)).toBe('excluded');
  expect(choose('cache/b.txt', 1)).toBe('excluded');
  expect(choose('a/model.safetensors', 1)).toBe('checkpoint');
});

test('no path makes it throw', () => {
  const choose = createCompanionFilter(rules);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(), (bytes, size) => {
      expect(['companion', 'excluded', 'checkpoint', 'tooLarge']).toContain(
        choose(pathFromBytes(Buffer.from(bytes)), size),
      );
    }),
  );
});
