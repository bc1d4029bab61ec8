import { describe, expect, test } from 'vitest';
import {
  type FoundLease,
  inheritedIdentity,
  isSameDirectory,
  type Lease,
  leaseDirectoryName,
  leaseLimits,
  nextStep,
  portableShape,
} from '../../src/domain/lease.ts';

const lease = (change: Partial<Lease> = {}): Lease => ({
  version: 1,
  state: 'held',
  host: 'a',
  writer: 'w-a',
  root: 'run',
  directory: '12:5',
  ...change,
});
const found = (change: Partial<Lease> = {}, trusted = true): FoundLease => ({
  number: 3,
  lease: lease(change),
  trusted,
});
const damaged: FoundLease = { number: 3, lease: undefined, trusted: false };
const { leaseMs } = leaseLimits;
const seeker = (host: string, shape?: string) => ({ host, writer: `w-${host}`, shape });

describe('nextStep()', () => {
  test.each<[string, FoundLease | undefined, ReturnType<typeof seeker>, number, object]>([
    ['there is none', undefined, seeker('b'), 0, { take: true, because: 'nobody' }],
    ['it is ours', found(), seeker('a'), 0, { take: true, because: 'ours' }],
    ['it is ours and done', found({ state: 'done' }), seeker('a'), 0, { take: true, because: 'ours' }],
    ['our writer, on another host', found({ host: 'c' }), seeker('a'), 0, { take: false, isDone: false }],
    [
      'our host, with another journal',
      found({ writer: 'w-c' }),
      seeker('a'),
      0,
      { take: false, isDone: false },
    ],
    ['another beats', found(), seeker('b'), leaseMs - 1, { take: false, isDone: false }],
    ['another is silent', found(), seeker('b'), leaseMs, { take: true, because: 'silent' }],
    [
      'another gave it back',
      found({ state: 'released' }),
      seeker('b'),
      0,
      { take: true, because: 'released' },
    ],
    [
      'shipped as it is',
      found({ state: 'done', shape: 's' }),
      seeker('b', 's'),
      leaseMs,
      { take: false, isDone: true },
    ],
    [
      'shipped, and changed',
      found({ state: 'done', shape: 's' }),
      seeker('b', 't'),
      0,
      { take: true, because: 'changed' },
    ],
    [
      'shipped, nobody looked',
      found({ state: 'done', shape: 's' }),
      seeker('b'),
      leaseMs,
      { take: false, isDone: true },
    ],
    [
      'shipped, nobody knows what',
      found({ state: 'done' }),
      seeker('b', 't'),
      0,
      { take: true, because: 'changed' },
    ],
    ['it cannot be read', damaged, seeker('b'), leaseMs - 1, { take: false, isDone: false }],
    ['it cannot be read for long', damaged, seeker('b'), leaseMs, { take: true, because: 'silent' }],
  ])('%s', (_, lease, who, unchangedMs, step) => {
    expect(nextStep(lease, who, unchangedMs, leaseLimits)).toEqual(step);
  });
});

describe('inheritedIdentity()', () => {
  const identity = {
    id: 'run-1',
    key: 'k',
    startedAtMs: Date.UTC(2026, 0, 1),
    startedBy: 'session.json',
    origin: 'ab'.repeat(16),
    unique: false,
    warnings: [],
  };
  const nowMs = Date.UTC(2026, 0, 2);
  const session = { root: 'run', directory: '12:5' };

  test.each<[string, FoundLease | undefined, boolean]>([
    ['the same session', found({ identity }), true],
    ['the same session by a kernel that knows no birth time', found({ identity, directory: '12:0' }), true],
    ['nobody had one', found(), false],
    ['none was found', undefined, false],
    ['another user wrote it', found({ identity }, false), false],
    ['it cannot be read', damaged, false],
    ['another root', found({ identity, root: 'run2' }), false],
    ['another directory', found({ identity, directory: '13:5' }), false],
    ['born at another time', found({ identity, directory: '12:6' }), false],
    ['a start that cannot be', found({ identity: { ...identity, startedAtMs: 0 } }), false],
  ])('%s', (_, lease, isInherited) => {
    expect(inheritedIdentity(lease, session, nowMs)).toEqual(isInherited ? identity : undefined);
  });
});

test('two directories are one by inode, and by birth time where both hosts know it', () => {
  expect(isSameDirectory('12:5', '12:5')).toBe(true);
  expect(isSameDirectory('12:5', '12:0')).toBe(true);
  expect(isSameDirectory('12:5', '')).toBe(true);
  expect(isSameDirectory('12:5', '12:6')).toBe(false);
  expect(isSameDirectory('12:5', '1:5')).toBe(false);
});

test('no two roots share a directory, and none leads elsewhere', () => {
  const roots = [
    '',
    '.',
    '..',
    'run',
    'Run',
    'a/b',
    'a-b',
    '@run',
    '.x',
    'a\n',
    'ü',
    '\udcff',
    'x'.repeat(101),
  ];
  const names = roots.map(leaseDirectoryName);
  expect(new Set(names).size).toBe(roots.length);
  for (const name of names) expect(name).toMatch(/^([A-Za-z0-9][A-Za-z0-9._-]{0,99}|@[0-9a-f]{64})$/);
  expect(leaseDirectoryName('3f0d7c52-8f8e-4a8b-9a53-0d4b7a0f7f11')).toBe(
    '3f0d7c52-8f8e-4a8b-9a53-0d4b7a0f7f11',
  );
});

test('a shape is the same on every host: paths, sizes, and times to the millisecond', () => {
  const file = { path: 'run/out.log', sizeBytes: 1, mtimeNs: 1_000_000_999n };
  expect(portableShape([file])).toBe(portableShape([{ ...file, mtimeNs: 1_000_000_000n }]));
  for (const other of [{ path: 'run/o.log' }, { sizeBytes: 2 }, { mtimeNs: 1_001_000_000n }])
    expect(portableShape([{ ...file, ...other }])).not.toBe(portableShape([file]));
  expect(portableShape([])).not.toBe(portableShape([file]));
});
