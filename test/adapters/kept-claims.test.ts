import { linkSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dropKept, type KeptNow, keepClaims } from '../../src/adapters/kept-claims.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const dayMs = 24 * 3_600_000;
const nowMs = Date.UTC(2026, 5, 15);
const at = (now: Partial<KeptNow> = {}): KeptNow => ({
  nowMs,
  runningMs: 8 * dayMs,
  missingBytes: 0,
  ...now,
});

/** Directories of kept claims in a state directory, by their names, each so old and with one file of this text. */
async function stateWith(kept: Readonly<Record<string, { ageMs: number; text: string }>>) {
  const state = await temporaryDirectory();
  for (const [name, { ageMs, text }] of Object.entries(kept)) {
    await mkdir(join(state, name));
    await writeFile(join(state, name, '1-file'), text);
    const atSeconds = (nowMs - ageMs) / 1000;
    await utimes(join(state, name), atSeconds, atSeconds);
  }
  const left = async () => (await readdir(state)).sort();
  return { state, claims: join(state, 'claims'), left };
}

test('claims are moved to a directory that says why and since when', async () => {
  const { state, claims } = await stateWith({});
  await mkdir(claims);
  await writeFile(join(claims, '7-x'), 'only here');
  const kept = keepClaims(claims, 'unknown', ['7-x'], nowMs);
  expect(kept).toEqual({ directory: join(state, 'claims.unknown-20260615T000000000Z'), files: 1 });
  expect(await readFile(join(kept?.directory ?? '', '7-x'), 'utf8')).toBe('only here');
  expect(await readdir(claims)).toEqual([]);
});

test('what lies there for more than a week is removed and told, whatever it is there for', async () => {
  const young = 'claims.unknown-20260610T000000000Z';
  const { state, claims, left } = await stateWith({
    'claims.damaged-20260601T000000000Z': { ageMs: 8 * dayMs, text: 'x' },
    [young]: { ageMs: 6 * dayMs, text: 'y' },
  });
  expect(dropKept(claims, at())).toEqual([
    {
      directory: join(state, 'claims.damaged-20260601T000000000Z'),
      files: 1,
      because: 'it lay there for 7 days',
    },
  ]);
  expect(await left()).toEqual([young]);
});

test('a wall clock that is ahead makes nothing old: a week is over when this program has seen all of it', async () => {
  const { claims, left } = await stateWith({
    'claims.unknown-20260601T000000000Z': { ageMs: 365 * dayMs, text: 'x' },
  });
  expect(dropKept(claims, at({ runningMs: 6 * dayMs }))).toEqual([]);
  expect(await left()).toHaveLength(1);
  expect(dropKept(claims, at({ runningMs: 8 * dayMs }))).toHaveLength(1);
});

test('one that cannot be moved keeps no other from it, and is told; what is gone meanwhile is neither', async () => {
  const { claims } = await stateWith({});
  const directory = `${claims}.unknown-20260615T000000000Z`;
  for (const name of ['1-a', '2-b', '3-c'])
    await mkdir(claims, { recursive: true }).then(() => writeFile(join(claims, name), name));
  // A directory of that name is in the way.
  await mkdir(join(directory, '2-b'), { recursive: true });
  const left: unknown[] = [];
  const kept = keepClaims(claims, 'unknown', ['1-a', '2-b', 'gone', '3-c'], nowMs, (error) =>
    left.push(error),
  );
  expect(kept).toEqual({ directory, files: 2 });
  expect(left).toMatchObject([{ code: 'EISDIR' }]);
  expect(await readdir(claims)).toEqual(['2-b']);
  expect(() => keepClaims(claims, 'unknown', ['2-b', 'gone'], nowMs)).toThrow('EISDIR');
  expect(keepClaims(claims, 'unknown', ['gone'], nowMs)).toBeUndefined();
});

test('while the disk is nearly full the oldest go, and no more than are needed', async () => {
  const { claims, left } = await stateWith({
    'claims.damaged-20260612T000000000Z': { ageMs: 3 * dayMs, text: 'z'.repeat(100_000) },
    'claims.unknown-20260613T000000000Z': { ageMs: 2 * dayMs, text: 'z'.repeat(100_000) },
  });
  expect(dropKept(claims, at({ missingBytes: 50_000 }))).toMatchObject([
    { because: 'the disk is nearly full' },
  ]);
  expect(await left()).toEqual(['claims.unknown-20260613T000000000Z']);
});

test('a file that somebody has linked to elsewhere frees nothing', async () => {
  const { state, claims, left } = await stateWith({
    'claims.damaged-20260612T000000000Z': { ageMs: 3 * dayMs, text: 'z'.repeat(100_000) },
    'claims.unknown-20260613T000000000Z': { ageMs: 2 * dayMs, text: 'z'.repeat(100_000) },
  });
  linkSync(join(state, 'claims.damaged-20260612T000000000Z', '1-file'), join(state, 'rescued'));
  expect(dropKept(claims, at({ missingBytes: 50_000 }))).toHaveLength(2);
  expect(await left()).toEqual(['rescued']);
});

test('an emptied directory goes at once and unsaid; nothing else is touched', async () => {
  const others = ['claims', 'claims.damaged-notes', 'journal.sqlite.damaged-20260101T000000000Z'];
  const kept = Object.fromEntries(others.map((name) => [name, { ageMs: 90 * dayMs, text: 'x' }]));
  const { state, claims, left } = await stateWith(kept);
  await mkdir(join(state, 'claims.unknown-20260614T000000000Z'));
  await symlink(claims, join(state, 'claims.unknown-20260101T000000000Z'));
  expect(dropKept(claims, at())).toEqual([]);
  expect(await left()).toEqual([
    'claims',
    'claims.damaged-notes',
    'claims.unknown-20260101T000000000Z',
    others[2],
  ]);
});

test('without a state directory there is nothing to remove', () => {
  expect(dropKept('/nowhere/claims', at({ missingBytes: 1 }))).toEqual([]);
});
