import { expect, test } from 'vitest';
import { savedLogPath, savedPath } from '../../src/domain/saved-path.ts';

test.each<[string, string, string]>([
  ['a/b.txt', 'k/a/b.txt', 'a/b.txt'],
  ['train.log', 'k/train.log.gz', 'train.log.gz'],
  ['train.log', 'k/train.log.zst', 'train.log.zst'],
  ['model.gz', 'k/model.gz', 'model.gz'],
  ['..a/...b', 'k/x', '..a/...b'],
  ['line\nbreak/\u001b[2J\u009b', 'k/x', 'line%0Abreak/%1B[2J%C2%9B'],
  ['nul\0', 'k/x', 'nul%00'],
  ['.hydra/config.yaml', 'k/x', '.hydra/config.yaml'],
])('%j at %j is saved as %j', (path, key, saved) => {
  expect(savedPath({ path, key })).toEqual({ path: saved });
});

test.each([
  '',
  '/',
  '/etc/passwd',
  '..',
  '../x',
  'a/../../x',
  'a//b',
  'a/./b',
  'a/',
  '.trainlogd-get/x',
  `${'a/'.repeat(300)}x`,
])('%j is refused', (path) => {
  expect(savedPath({ path, key: 'k/x' })).toEqual({ refused: expect.any(String) });
});

test('the log gets a name that no file of the session has', () => {
  const of = (...paths: string[]) => savedLogPath(paths.map((path) => ({ path, key: 'k' })));
  expect(of('a', 'b/session-log.json')).toBe('session-log.json');
  expect(of('session-log.json', 'session-log.1.json/x')).toBe('session-log.2.json');
});
