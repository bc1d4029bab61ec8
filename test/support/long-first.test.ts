import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { longFolders, rankOf } from './long-first.ts';

const tests = join(import.meta.dirname, '..');

test('files of the folders that last long begin before all others, in the order of the folders', () => {
  const names = ['architecture.test.ts', 'e2e/a.test.ts', 'domain/e2e.test.ts', 'faults/b.test.ts'];
  const ranks = names.map((name) => rankOf(join(tests, name)));
  expect(ranks).toEqual([longFolders.length, longFolders.indexOf('e2e'), longFolders.length, 0]);
});

test('every folder that lasts long is there', () => {
  expect(longFolders.filter((folder) => !existsSync(join(tests, folder)))).toEqual([]);
});
