import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatReaders } from '../../src/formats/registry.ts';
import { hasSamples, sampleRuns } from '../support/real-samples.ts';
import { filesBelow } from '../support/run-directories.ts';
import { seededRandom } from '../support/seeded-random.ts';
import {
  type Files,
  type SessionFilesOf,
  sessionsIn,
  Watched,
  type WhatIsKnown,
  writtenAtMs,
} from './watched-session.ts';

/**
 * Files of real runs, growing as they grew, and worse: what is known of them at the end is what one reading of the whole
 * files says. What stood in a file before it was begun anew is another run's, or is in there again: facts, durations too,
 * come from the file as it is, and whoever looks at it for the first time knows as much.
 */

async function once({ root, files }: SessionFilesOf): Promise<WhatIsKnown> {
  const watched = new Watched(root);
  for (const [path, bytes] of files) watched.folder.write(path, bytes);
  return watched.last();
}

/** Which of them are read as they grow. */
function growing({ root, files }: SessionFilesOf): string[] {
  const prefix = root === '' ? '' : `${root}/`;
  const infos = [...files].map(([path, bytes]) => ({
    path: path.slice(prefix.length),
    sizeBytes: bytes.length,
    modifiedAtMs: writtenAtMs,
  }));
  const selections = formatReaders.flatMap((reader) => reader.select(infos));
  return [
    ...new Set(selections.filter(({ manner }) => manner === 'append').map(({ path }) => prefix + path)),
  ];
}

type Step = (watched: Watched, path: string, so: Buffer) => void;

const append: Step = ({ folder }, path, so) => {
  const known = folder.statAt(path)?.sizeBytes ?? 0;
  if (folder.statAt(path) === undefined) folder.write(path, so);
  else if (so.length > known) folder.append(path, so.subarray(known));
};
/** As by writing elsewhere and renaming. */
const replace: Step = ({ folder }, path, so) => {
  if (folder.statAt(path) === undefined) folder.write(path, so);
  else folder.replace(path, so);
};
const rewrite: Step = ({ folder }, path, so) => folder.write(path, so);
const truncate: Step = ({ folder }, path) => folder.write(path, '');
const restart: Step = (watched, path, so) => {
  watched.restart();
  append(watched, path, so);
};

const ways: readonly (readonly [string, readonly Step[]])[] = [
  ['appended piece by piece', [append]],
  ['replaced by a longer copy now and then', [append, append, replace]],
  ['emptied and written again now and then', [append, truncate, rewrite, append]],
  ['appended, read by an agent that is started again', [append, restart, append]],
  ['all of it', [append, replace, append, truncate, append, restart, rewrite]],
];

async function grown(session: SessionFilesOf, steps: readonly Step[], seed: number): Promise<WhatIsKnown> {
  const random = seededRandom(seed);
  const watched = new Watched(session.root);
  const paths = growing(session);
  for (const [path, bytes] of session.files) if (!paths.includes(path)) watched.folder.write(path, bytes);
  const lengths = new Map<string, number>();
  const pieces = 12;
  for (let piece = 1; piece <= pieces; piece++) {
    const step = steps[(piece - 1) % steps.length] ?? append;
    for (const path of paths) {
      const bytes = session.files.get(path) ?? Buffer.alloc(0);
      // Cut anywhere, in the middle of a line, a number, a record.
      const upTo = Math.min(bytes.length, Math.floor((bytes.length * (piece - random.next())) / pieces));
      lengths.set(path, Math.max(lengths.get(path) ?? 0, upTo));
      step(watched, path, bytes.subarray(0, lengths.get(path)));
    }
    await watched.look();
  }
  for (const path of paths) append(watched, path, session.files.get(path) ?? Buffer.alloc(0));
  return watched.last();
}

describe('runs', () => {
  const runs = new Map([...fixtureRuns(), ...sampleRuns()].map(([name, paths]) => [name, bytesOf(paths)]));

  test.each([...runs.keys()])('%s: however it grew, it is known as if it was read once', async (name) => {
    for (const session of await sessionsIn(runs.get(name) ?? new Map())) {
      const expected = await once(session);
      for (const [at, [way, steps]] of ways.entries()) {
        expect(await grown(session, steps, at), `${session.root || '.'} ${way}`).toEqual(expected);
      }
    }
  });

  const older = [...runs.keys()].flatMap((name) => {
    const [repository] = name.split('@');
    return [...runs.keys()]
      .filter((other) => other !== name && other.startsWith(`${repository}@`))
      .map((other) => [name, other] as const);
  });

  test.skipIf(!hasSamples).each(older)(
    'what %s left is no part of %s in the same place',
    async (before, after) => {
      for (const session of await sessionsIn(runs.get(after) ?? new Map())) {
        const left = runs.get(before) ?? new Map();
        const same = [...session.files.keys()].filter((path) => left.has(path));
        const watched = new Watched(session.root);
        for (const path of same) watched.folder.write(path, left.get(path) ?? '');
        await watched.look();
        for (const [path, bytes] of session.files) watched.folder.write(path, bytes);
        expect(await watched.last(), session.root).toEqual(await once(session));
      }
    },
  );
});

function bytesOf(paths: ReadonlyMap<string, string>): Files {
  return new Map([...paths].map(([source, target]) => [target, readFileSync(source)]));
}

/** Of our own, in the shape of real ones. */
function fixtureRuns(): Map<string, Map<string, string>> {
  const folder = join(import.meta.dirname, '../fixtures/runs');
  const named = (name: string) =>
    new Map(filesBelow(join(folder, name)).map((path) => [join(folder, name, path), `${name}/${path}`]));
  return new Map(readdirSync(folder).map((name) => [name, named(name)]));
}
