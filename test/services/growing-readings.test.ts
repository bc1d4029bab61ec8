import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Follower,
  type FormatReader,
  nothing,
  type Selection,
  UnreadableFile,
} from '../../src/formats/reader.ts';
import { SessionReadings } from '../../src/services/session-reading.ts';
import { MemoryFolder } from '../fakes/memory-folder.ts';

class TextFollower implements Follower {
  text = '';
  push(bytes: Buffer): void {
    this.text += bytes.toString('latin1');
  }
}

/** Reads `a.log` as it grows and `a.json` whole, and says what it saw. */
const plainReader: FormatReader = {
  name: 'plain',
  recognise: () => undefined,
  select: (files) =>
    files.flatMap(({ path }): Selection[] => {
      if (path === 'a.log') {
        return [{ manner: 'append', path, keep: 'companion', follow: () => new TextFollower() }];
      }
      if (path !== 'a.json') return [];
      const parse = (bytes: Buffer) => {
        if (bytes.length === 0) throw new UnreadableFile('an empty file');
        return bytes.toString();
      };
      return [{ manner: 'whole', path, keep: 'companion', bytesMax: 100, parse }];
    }),
  assess: (read) => ({
    ...nothing,
    facts: {
      config: {
        raw: {
          whole: read.flatMap(({ parsed }) => (typeof parsed === 'string' ? [parsed] : [])),
          segments: read.flatMap(({ segments }) => (segments ?? []).map((one) => (one as TextFollower).text)),
        },
      },
    },
  }),
};

const faultyReader: FormatReader = {
  ...plainReader,
  name: 'faulty',
  assess: () => {
    throw new Error('a case nobody thought of');
  },
};

function world(readers: readonly FormatReader[] = [plainReader]) {
  const folder = new MemoryFolder();
  const readings = new SessionReadings({ source: folder, readers, oneFile: () => undefined });
  const read = async (options?: { toEnd?: boolean }) => {
    const listing = await folder.scan('', new AbortController().signal);
    const files = listing?.entries.filter(({ kind }) => kind === 'file') ?? [];
    return readings.read({ root: 'run', kind: 'directory', files }, options);
  };
  const segments = async () => (await read()).sources[0]?.facts.config?.raw?.['segments'];
  return { folder, read, segments };
}

test('what is appended is read once, whatever the pieces', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ minLength: 1, maxLength: 600 }), { maxLength: 8 }),
      async (pieces) => {
        const { folder, segments } = world();
        let text = '';
        folder.write('run/a.log', '');
        for (const piece of pieces.map((one) => one.replace(/[^ -~]/g, '.'))) {
          text += piece;
          folder.write('run/a.log', text);
          expect(await segments()).toEqual([text]);
        }
      },
    ),
    { numRuns: 50 },
  );
});

test.each([
  ['truncated', 'second', 'second'],
  ['emptied and longer by now', 'x'.repeat(5000), 'x'.repeat(5000)],
  [
    'begun anew with the same beginning',
    `${'same '.repeat(200)}other end`,
    `${'same '.repeat(200)}other end`,
  ],
])('a file that was %s is a new segment', async (_, text, last) => {
  const { folder, segments } = world();
  const first = `${'same '.repeat(200)}first end`;
  folder.write('run/a.log', first);
  expect(await segments()).toEqual([first]);
  folder.write('run/a.log', text);
  expect(await segments()).toEqual([first, last]);
});

test('an empty file that is begun anew was no segment', async () => {
  const { folder, segments } = world();
  folder.write('run/a.log', '');
  expect(await segments()).toEqual(['']);
  folder.remove('run/a.log');
  folder.write('run/a.log', 'text');
  expect(await segments()).toEqual(['text']);
});

test('of many segments the last are kept', async () => {
  const { folder, segments } = world();
  for (let round = 0; round < 40; round++) {
    folder.write('run/a.log', `${round}:${'x'.repeat(40 - round)}`);
    await segments();
  }
  const kept = (await segments()) as string[];
  expect(kept).toHaveLength(16);
  expect(kept.at(-1)).toBe('39:x');
});

test('a long file is read in several looks, and at once when its end is needed', async () => {
  const long = 'y'.repeat(20 * 1024 * 1024);
  const one = world();
  one.folder.write('run/a.log', long);
  const looks: boolean[] = [];
  for (let behind = true; behind; ) {
    behind = (await one.read()).behind;
    looks.push(behind);
  }
  expect(looks).toEqual([true, true, false]);
  expect(await one.segments()).toEqual([long]);
  const other = world();
  other.folder.write('run/a.log', long);
  expect((await other.read({ toEnd: true })).behind).toBe(false);
});

test('what a file said before counts while it is being written anew', async () => {
  const { folder, read } = world();
  folder.write('run/a.json', 'good');
  expect((await read()).warnings).toEqual([]);
  folder.write('run/a.json', '');
  const reading = await read();
  expect(reading.sources[0]?.facts.config?.raw?.['whole']).toEqual(['good']);
  expect(reading.warnings).toEqual(['a.json: cannot be read, what it said before counts: an empty file']);
});

test("a reader's mistake costs what it would have said, and no more", async () => {
  const { folder, read } = world([faultyReader, plainReader]);
  folder.write('run/a.json', 'good');
  const reading = await read();
  expect(reading.sources.map(({ source }) => source)).toEqual(['faulty', 'plain']);
  expect(reading.sources[1]?.facts.config?.raw?.['whole']).toEqual(['good']);
  expect(reading.warnings).toEqual([
    'the reader "faulty" made a mistake, please report it: a case nobody thought of',
  ]);
});
