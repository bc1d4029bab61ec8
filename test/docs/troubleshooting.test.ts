import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { codesOf } from '../../src/doctor/codes.ts';

const text = readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8');

test('docs/troubleshooting.md says of every finding what it means and what to do, and of no other', () => {
  const wanted = Object.values(codesOf)
    .flat()
    .filter((code) => !code.endsWith('.ok'));
  const rows = text.split('\n').filter((line) => /^\| `[a-z]+\.[a-zA-Z0-9]+`/.test(line));
  const told = rows.flatMap((row) => {
    const [, codes = '', means = '', remedy = ''] = row.split('|');
    expect([means.trim(), remedy.trim()], row).not.toContain('');
    return [...codes.matchAll(/`([^`]+)`/g)].map(([, code]) => code);
  });
  expect(told.toSorted()).toEqual(wanted.toSorted());
});
