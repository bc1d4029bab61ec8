import { expect, test } from 'vitest';
import { companionKeys } from '../../src/services/companion-keys.ts';

const folder = 'training-logs/companions/2026/05/s1/';
const identity = { id: 's1', startedAtMs: Date.UTC(2026, 4, 1) };
const keyTemplate = 'training-logs/{year}/{month}/{session-id}.log';
const large = 100_000;

function keysOf(
  paths: readonly string[],
  options: { known?: Record<string, string>; wanted?: 'gzip' | 'zstd' | 'none'; open?: string } = {},
) {
  const { known = {}, wanted = 'gzip', open } = options;
  const rows = Object.entries(known).map(([path, key]) => ({
    path,
    key: folder + key,
    role: 'companion' as const,
  }));
  const keyOf = companionKeys({
    keyTemplate,
    identity,
    known: new Map(rows.map((row) => [row.path, row])),
    companions: paths.map((path) => ({ path })),
    wanted,
    isOpen: (path) => path === open,
  });
  return (path: string, sizeBytes = large) => keyOf({ path, sizeBytes }).replace(folder, '');
}

test('a file that is worth it gets a key that says how it is packed', () => {
  const keys = keysOf([]);
  expect([keys('train.log'), keys('a/metrics.csv')]).toEqual(['train.log.gz', 'a/metrics.csv.gz']);
  expect(keysOf([], { wanted: 'zstd' })('train.log')).toBe('train.log.zst');
  expect(keysOf([], { wanted: 'none' })('train.log')).toBe('train.log');
});

test.each(['x.gz', 'x.ZST', 'x.png', 'deep/x.tar.bz2', 'x.npz', 'x.parquet', 'x.mp4', 'x.jpeg', 'x.zip'])(
  'a file that is packed already, %s, goes as it is',
  (path) => expect(keysOf([])(path)).toBe(path),
);

test('a tiny file, and one of which parts are there as it is, go as they are', () => {
  expect(keysOf([])('train.log', 1023)).toBe('train.log');
  expect(keysOf([])('train.log', 1024)).toBe('train.log.gz');
  expect(keysOf([], { open: 'train.log' })('train.log')).toBe('train.log');
});

test('what was decided stays, whatever is wanted now', () => {
  const known = { 'plain.log': 'plain.log', 'packed.log': 'packed.log.gz' };
  for (const wanted of ['none', 'gzip', 'zstd'] as const) {
    const keys = keysOf([], { known, wanted });
    expect([keys('plain.log'), keys('packed.log', 10)]).toEqual(['plain.log', 'packed.log.gz']);
  }
});

test('two files never share a key', () => {
  const both = keysOf(['a.log', 'a.log.gz']);
  expect([both('a.log'), both('a.log.gz')]).toEqual(['a.log', 'a.log.gz']);
  const later = keysOf(['a.log', 'a.log.gz'], { known: { 'a.log': 'a.log.gz' } });
  expect(later('a.log')).toBe('a.log.gz');
  expect(later('a.log.gz')).toMatch(/^\.encoded\/[0-9a-f]{64}$/);
});

test('a key that would be too long with its ending is encoded', () => {
  const path = `${'p'.repeat(1024 - folder.length - 4)}.log`;
  expect(keysOf([])(path)).toMatch(/^\.encoded\/[0-9a-f]{64}\.gz$/);
});
