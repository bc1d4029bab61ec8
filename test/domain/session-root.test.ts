import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  findRoots,
  namesByDirectory,
  owningRoot,
  type RootRules,
  rootReason,
} from '../../src/domain/session-root.ts';
import { parentPath, relativeTo } from '../../src/domain/watched-path.ts';

const auto: RootRules = {
  recognise: (names) =>
    names.has('session.json') ? 'certain' : names.has('trainer_state.json') ? 'likely' : undefined,
  matches: undefined,
  frozen: () => false,
  depthMax: 6,
};
const freezing = (...paths: string[]): RootRules => ({ ...auto, frozen: (path) => paths.includes(path) });
const globbing = (pattern: RegExp): RootRules => ({ ...auto, matches: (path) => pattern.test(path) });

/** Entries of all files and of the directories that they lie in. */
function entriesOf(files: readonly string[]) {
  const directories = new Set<string>();
  for (const file of files) {
    for (let at = parentPath(file); at !== '' && !directories.has(at); at = parentPath(at))
      directories.add(at);
  }
  return [
    ...[...directories].map((path) => ({ path, kind: 'directory' })),
    ...files.map((path) => ({ path, kind: 'file' })),
  ];
}

function rootsOf(top: string, files: readonly string[], rules = auto, inside = false): string[] {
  const names = namesByDirectory(top, entriesOf(files));
  return findRoots(top, names, inside, rules).map(({ path, by }) => `${path} by ${by}`);
}

describe('sessions start', () => {
  test.each<[string, string, string[], RootRules, string[]]>([
    ['at a native file', 'a', ['a/session.json'], auto, ['a by native']],
    ['at what a reader takes for a run', 'a', ['a/trainer_state.json'], auto, ['a by reader']],
    [
      'at the shallowest of these',
      'a',
      ['a/b/trainer_state.json', 'a/b/c/trainer_state.json'],
      auto,
      ['a/b by reader'],
    ],
    [
      'at each of several',
      'a',
      ['a/c/session.json', 'a/b/session.json'],
      auto,
      ['a/b by native', 'a/c by native'],
    ],
    ['at the name of what nobody recognises', 'a', ['a/x', 'a/b/y'], auto, ['a by name']],
    [
      'at native files inside others',
      'a',
      ['a/session.json', 'a/b/session.json'],
      auto,
      ['a by native', 'a/b by native'],
    ],
    [
      'not at a checkpoint of one',
      'a',
      ['a/session.json', 'a/checkpoint-10/trainer_state.json', 'a/checkpoint-20/session.json'],
      auto,
      ['a by native'],
    ],
    [
      'not at a restart or a rank of one',
      'a',
      ['a/trainer_state.json', 'a/attempt_0/session.json', 'a/rank_3/session.json'],
      auto,
      ['a by reader'],
    ],
    [
      'at a checkpoint that lies alone',
      'checkpoint-9',
      ['checkpoint-9/trainer_state.json'],
      auto,
      ['checkpoint-9 by reader'],
    ],
    [
      'at versions, each',
      'a',
      ['a/trainer_state.json', 'a/version_0/trainer_state.json', 'a/version_1/trainer_state.json'],
      auto,
      ['a by reader', 'a/version_0 by reader', 'a/version_1 by reader'],
    ],
    [
      'at the runs of MLflow',
      'mlruns',
      ['mlruns/trainer_state.json', 'mlruns/1/ab/trainer_state.json', 'mlruns/1/ab/x/trainer_state.json'],
      auto,
      ['mlruns by reader', 'mlruns/1/ab by reader'],
    ],
    [
      'at the runs of a multirun',
      'multirun',
      ['multirun/d/trainer_state.json', 'multirun/d/t/0/trainer_state.json'],
      auto,
      ['multirun/d by reader', 'multirun/d/t/0 by reader'],
    ],
    ['six levels down', 'a', ['a/b/c/d/e/f/session.json'], auto, ['a/b/c/d/e/f by native']],
    ['not seven levels down', 'a', ['a/b/c/d/e/f/g/session.json'], auto, ['a by name']],
    [
      'where they started before',
      'a',
      ['a/b/x', 'a/session.json'],
      freezing('a/b'),
      ['a by native', 'a/b by frozen'],
    ],
    [
      'where they started before, a checkpoint too',
      'a',
      ['a/session.json', 'a/checkpoint-1/x'],
      freezing('a/checkpoint-1'),
      ['a by native', 'a/checkpoint-1 by frozen'],
    ],
    ['where a glob says', 'a', ['a/b/x', 'a/c/session.json'], globbing(/^a\/b$/), ['a/b by glob']],
    ['nowhere where no glob says so', 'a', ['a/session.json'], globbing(/^$/), []],
    [
      'where they started before, under a glob as well',
      'a',
      ['a/x'],
      { ...globbing(/^$/), frozen: () => true },
      ['a by frozen'],
    ],
    ['in the folder itself', '', ['session.json', 'a/x'], auto, [' by native']],
  ])('%s', (_, top, files, rules, roots) => {
    expect(rootsOf(top, files, rules)).toEqual(roots);
  });

  test('inside a folder that is a session, neither by name nor by what a reader takes for a run', () => {
    expect(rootsOf('a', ['a/x'], auto, true)).toEqual([]);
    expect(rootsOf('a', ['a/trainer_state.json'], auto, true)).toEqual([]);
    expect(rootsOf('a', ['a/session.json'], auto, true)).toEqual(['a by native']);
  });

  test('by the names of files and directories, not of links', () => {
    const names = namesByDirectory('a', [
      { path: 'a/session.json', kind: 'link' },
      { path: 'a/b', kind: 'directory' },
      { path: 'a/f', kind: 'file' },
    ]);
    expect([...(names.get('a') ?? [])]).toEqual(['b', 'f']);
    expect(rootReason('a', names.get('a') ?? new Set(), false, auto)).toBeUndefined();
  });
});

describe('whatever lies in the folder', () => {
  const name = fc.constantFrom('a', 'b', 'checkpoint-1', 'version_0', 'rank_0', 'multirun', '0', '\udcff');
  const leaf = fc.constantFrom('session.json', 'trainer_state.json', 'x');
  const files = fc
    .array(fc.tuple(fc.array(name, { maxLength: 7 }), leaf), { minLength: 1, maxLength: 12 })
    .map((all) => [...new Set(all.map(([folders, file]) => ['top', ...folders, file].join('/')))])
    // One name is a file or a directory, not both.
    .map((all) => all.filter((one) => !all.some((other) => other.startsWith(`${one}/`))));
  const paths = (all: readonly string[], rules: RootRules) =>
    findRoots('top', namesByDirectory('top', entriesOf(all)), false, rules).map((root) => root.path);

  test('each file belongs to the innermost root above it, and to no other', () => {
    fc.assert(
      fc.property(files, (all) => {
        const roots = new Set(paths(all, auto));
        expect(roots.size).toBe(paths(all, auto).length);
        for (const file of all) {
          const above = [...roots].filter((root) => relativeTo(root, file) !== undefined);
          const innermost = above.sort((one, other) => other.length - one.length)[0];
          expect(owningRoot(file, roots)).toBe(innermost);
        }
      }),
    );
  });

  test('a root stays one, whatever appears later, inside it or around it', () => {
    fc.assert(
      fc.property(files, files, (before, added) => {
        const roots = new Set(paths(before, auto));
        const all = [...new Set([...before, ...added])];
        const after = new Set(paths(all, { ...auto, frozen: (path) => roots.has(path) }));
        for (const root of roots) expect(after).toContain(root);
      }),
    );
  });

  test('a native file starts a session wherever it is not part of one', () => {
    fc.assert(
      fc.property(files, (all) => {
        const roots = new Set(paths(all, auto));
        for (const file of all) {
          const root = parentPath(file);
          const isDeep = root.split('/').length > auto.depthMax;
          if (!file.endsWith('/session.json') || isDeep || /\/(checkpoint-1|rank_0)$/.test(root)) continue;
          expect(roots).toContain(root);
        }
      }),
    );
  });
});

test('a folder that is no session owns nothing', () => {
  expect(owningRoot('a/b', new Set(['a/c']))).toBeUndefined();
  expect(owningRoot('x', new Set(['']))).toBe('');
});
