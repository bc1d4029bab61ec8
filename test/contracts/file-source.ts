import { describe, expect, onTestFinished, test } from 'vitest';
import { FileFailure } from '../../src/domain/failure.ts';
import { pathFromBytes, type WatchedPath } from '../../src/domain/watched-path.ts';
import { type FileSource, type FileStat, fingerprintOf, type OpenFile } from '../../src/ports/file-source.ts';
import { eventually } from '../support/eventually.ts';

type Awaitable = void | Promise<void>;

/** A source and the hands of a trainer. Parents are made as needed; `remove` takes all below. */
export interface FolderUnderTest {
  readonly source: FileSource;
  write(path: WatchedPath, text: string): Awaitable;
  append(path: WatchedPath, text: string): Awaitable;
  replace(path: WatchedPath, text: string): Awaitable;
  mkdir(path: WatchedPath): Awaitable;
  remove(path: WatchedPath): Awaitable;
  rename(from: WatchedPath, to: WatchedPath): Awaitable;
  /** A symbolic link to another path of the folder. */
  link(path: WatchedPath, target: WatchedPath): Awaitable;
  hardLink(from: WatchedPath, to: WatchedPath): Awaitable;
  fifo(path: WatchedPath): Awaitable;
}

const never = new AbortController().signal;
const badName = pathFromBytes(Buffer.from([0x6e, 0xff, 0x80]));

/** What every FileSource keeps, the real one and the one that other tests build on. */
export function fileSourceContract(name: string, make: () => Promise<FolderUnderTest>): void {
  const made = async (): Promise<FolderUnderTest> => {
    const folder = await make();
    onTestFinished(() => folder.source.close());
    return folder;
  };

  describe(`file source contract: ${name}`, () => {
    test('a scan lists every kind of entry in byte order and follows no link', async () => {
      const { source, ...hands } = await made();
      for (const path of ['a/x', 'a-b', 'a0', 'é', '\uffee', '🙂', badName, 'a/deep/er/file'])
        await hands.write(path, 'x');
      await hands.link('link', 'a');
      await hands.fifo('pipe');
      await hands.mkdir('empty');
      const listing = await source.scan('', never);
      expect(listing?.self).toMatchObject({ path: '', kind: 'directory' });
      expect(listing?.entries.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
        'directory a',
        'file a-b',
        'directory a/deep',
        'directory a/deep/er',
        'file a/deep/er/file',
        'file a/x',
        'file a0',
        'directory empty',
        'link link',
        `file ${badName}`,
        'other pipe',
        'file é',
        'file \uffee',
        'file 🙂',
      ]);
      expect(listing?.problems).toEqual([]);
    });

    test('a listing has only what is straight in the directory, by its path from the folder', async () => {
      const { source, ...hands } = await made();
      await hands.write('s/one', '1');
      await hands.write('s/sub/two', '2');
      const listing = await source.list('s', never);
      expect(listing?.self.path).toBe('s');
      expect(listing?.entries.map(({ path }) => path)).toEqual(['s/one', 's/sub']);
      expect(listing?.entries[0]?.stat.sizeBytes).toBe(1);
    });

    test('ignored names and what is below them are left out, .hydra and .job_config.json are not', async () => {
      const { source, ...hands } = await made();
      const ignored = [
        '.git/config',
        's/.hidden',
        's/a.tmp',
        's/b.part',
        's/c.swp',
        's/d~',
        's/dir.tmp/inner',
      ];
      for (const path of [...ignored, 's/.hydra/config.yaml', 's/.job_config.json'])
        await hands.write(path, 'x');
      const listing = await source.scan('', never);
      const kept = ['s', 's/.hydra', 's/.hydra/config.yaml', 's/.job_config.json'];
      expect(listing?.entries.map(({ path }) => path)).toEqual(kept);
    });

    test('what is not a directory of the folder has no listing', async () => {
      const { source, ...hands } = await made();
      await hands.write('d/file', 'x');
      await hands.link('link', 'd');
      for (const at of ['missing', 'd/file', 'link', 'missing/below']) {
        expect([at, await source.list(at, never)]).toEqual([at, undefined]);
        expect([at, await source.scan(at, never)]).toEqual([at, undefined]);
      }
    });

    test('a scan whose signal is aborted rejects with the reason', async () => {
      const { source } = await made();
      await expect(source.scan('', AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    });

    test('an open file gives exactly the bytes asked for, and changing when there are fewer', async () => {
      const { source, ...hands } = await made();
      await hands.write('s/f', 'hello world');
      const file = await opened(source, 's/f');
      expect(file.sizeBytes).toBe(11);
      expect(String(await file.read(0, 11))).toBe('hello world');
      expect(String(await file.read(6, 5))).toBe('world');
      expect(String(await file.read(11, 0))).toBe('');
      expect(await failureOf(file.read(6, 6))).toMatchObject({ reason: 'changing' });
    });

    test.each([
      ['missing', 'vanished', 'ENOENT'],
      ['d/f/below', 'vanished', undefined],
      ['d', 'unreadable', 'EISDIR'],
      ['link', 'unreadable', 'ELOOP'],
      ['loop', 'unreadable', 'ELOOP'],
      ['pipe', 'unreadable', 'ENXIO'],
      ['linked-directory/f', 'vanished', undefined],
      ['../outside', 'vanished', undefined],
    ] as const)('opening %s is refused as %s', async (path, reason, code) => {
      const { source, ...hands } = await made();
      await hands.write('d/f', 'x');
      await hands.link('link', 'd/f');
      await hands.link('loop', 'loop');
      await hands.link('linked-directory', 'd');
      await hands.fifo('pipe');
      const failure = await failureOf(source.open(path));
      expect(failure).toMatchObject(code === undefined ? { reason } : { reason, code });
      expect(failure.remedy).not.toBe('');
    });

    test('an open file survives being deleted, renamed over and claimed', async () => {
      const { source, ...hands } = await made();
      await hands.write('s/deleted', 'deleted');
      const deleted = await opened(source, 's/deleted');
      await hands.remove('s/deleted');
      expect(String(await deleted.read(0, 7))).toBe('deleted');
      await deleted.assertUnchanged();

      await hands.write('s/replaced', 'the old one');
      const replaced = await opened(source, 's/replaced');
      await hands.replace('s/replaced', 'the new one');
      expect(String(await replaced.read(0, 11))).toBe('the old one');
      await replaced.assertUnchanged();

      await hands.write('s/claimed', 'x');
      const claimed = await opened(source, 's/claimed');
      await source.claim('s/claimed', 'c-1');
      await claimed.assertUnchanged();
    });

    test('an open file that is written to is changing', async () => {
      const { source, ...hands } = await made();
      await hands.write('s/appended', 'x');
      const appended = await opened(source, 's/appended');
      await appended.assertUnchanged();
      await hands.append('s/appended', 'y');
      expect(await failureOf(appended.assertUnchanged())).toMatchObject({ reason: 'changing' });
      expect((await appended.statNow()).sizeBytes).toBe(2);

      await hands.write('s/truncated', 'many bytes');
      const truncated = await opened(source, 's/truncated');
      await hands.write('s/truncated', '');
      expect(await failureOf(truncated.read(0, 10))).toMatchObject({ reason: 'changing' });
    });

    test('a claim keeps the bytes when the owner deletes or replaces the file, until it is released', async () => {
      const { source, ...hands } = await made();
      await hands.write('s/f', 'precious');
      const claimed = await source.claim('s/f', 'claim-1');
      expect(claimed).toBeDefined();
      expect(fingerprintOf(await statAt(source, 's/f'))).toBe(fingerprintOf(claimed ?? missing()));
      expect(await source.claim('s/f', 'claim-1')).toEqual(claimed);
      await hands.replace('s/f', 'other');
      expect(await claimText(source, 'claim-1')).toBe('precious');
      expect(await source.claims()).toMatchObject([{ claim: 'claim-1', sizeBytes: 8 }]);
      await source.releaseClaim('claim-1');
      expect(await source.openClaim('claim-1', 's/f')).toBeUndefined();
      expect(await source.claims()).toEqual([]);
    });

    test("a claim says whether it is the last link; kept aside it is nobody's claim any more, for a week", async () => {
      const { source, ...hands } = await made();
      await hands.write('s/f', 'there');
      await hands.write('s/g', 'deleted');
      const claimed = await source.claim('s/f', 'claim-f');
      await source.claim('s/g', 'claim-g');
      await hands.remove('s/g');
      const claims = [...(await source.claims())].sort((a, b) => (a.claim < b.claim ? -1 : 1));
      expect(claims).toMatchObject([
        { claim: 'claim-f', isLastLink: false, stat: claimed },
        { claim: 'claim-g', isLastLink: true },
      ]);
      const nowMs = Date.now();
      expect(await source.keepAside([], nowMs)).toBeUndefined();
      expect(await source.keepAside(['claim-g'], nowMs)).toMatchObject({ files: 1 });
      expect((await source.claims()).map(({ claim }) => claim)).toEqual(['claim-f']);
      expect(await source.openClaim('claim-g', 's/g')).toBeUndefined();
      const dayMs = 24 * 3_600_000;
      const later = nowMs + 8 * dayMs;
      expect(await source.dropKeptAside(nowMs + 6 * dayMs, 8 * dayMs)).toEqual([]);
      // The clock was set, or is off: nobody has had a week.
      expect(await source.dropKeptAside(later, 6 * dayMs)).toEqual([]);
      expect(await source.dropKeptAside(later, 8 * dayMs)).toMatchObject([{ files: 1 }]);
      expect(await source.dropKeptAside(later, 8 * dayMs)).toEqual([]);
    });

    test('claims of two names of the same bytes are the last links when the owner has deleted both', async () => {
      const { source, ...hands } = await made();
      await hands.write('s/f', 'precious');
      await hands.hardLink('s/f', 's/g');
      await source.claim('s/f', 'claim-f');
      await source.claim('s/g', 'claim-g');
      const lastLinks = async () => (await source.claims()).map(({ isLastLink }) => isLastLink);
      await hands.remove('s/f');
      expect(await lastLinks()).toEqual([false, false]);
      await hands.remove('s/g');
      expect(await lastLinks()).toEqual([true, true]);
    });

    test('releasing a claim gives the stat that the file has from then on', async () => {
      const { source, ...hands } = await made();
      await hands.write('s/f', 'x');
      await source.claim('s/f', 'claim-1');
      expect(await source.releaseClaim('claim-1')).toEqual(await statAt(source, 's/f'));
      expect(await source.releaseClaim('claim-1')).toBeUndefined();
    });

    test('a claim that is taken again goes to the file that is there now', async () => {
      const { source, ...hands } = await made();
      await hands.write('s/f', 'old');
      await source.claim('s/f', 'claim-1');
      await hands.replace('s/f', 'new');
      expect(await source.claim('s/f', 'claim-1')).toEqual(await statAt(source, 's/f'));
      expect(await claimText(source, 'claim-1')).toBe('new');
    });

    test('only regular files can be claimed', async () => {
      const { source, ...hands } = await made();
      await hands.write('d/f', 'x');
      await hands.link('link', 'd/f');
      await hands.link('linked', 'd');
      await hands.fifo('pipe');
      for (const path of ['missing', 'd', 'link', 'linked/f', 'pipe']) {
        expect([path, await source.claim(path, 'claim-1')]).toEqual([path, undefined]);
      }
      expect(await source.claims()).toEqual([]);
    });

    test.each([
      ['nothing', 'removed'],
      ['append', 'changed'],
      ['rewrite with the same bytes', 'changed'],
      ['replace with the same bytes', 'changed'],
      ['rename away and back', 'changed'],
      ['claim', 'changed'],
      ['delete', 'gone'],
      ['swap for a link', 'changed'],
      ['swap for a directory', 'changed'],
      ['swap the parent for a link', 'gone'],
    ] as const)('removing a file after %s answers %s', async (what, answer) => {
      const { source, ...hands } = await made();
      await hands.write('s/f', 'bytes');
      const expected = await statAt(source, 's/f');
      const acts: Record<typeof what, () => unknown> = {
        nothing: () => undefined,
        append: () => hands.append('s/f', 'x'),
        'rewrite with the same bytes': () => hands.write('s/f', 'bytes'),
        'replace with the same bytes': () => hands.replace('s/f', 'bytes'),
        'rename away and back': async () => {
          await hands.rename('s/f', 's/g');
          await hands.rename('s/g', 's/f');
        },
        claim: () => source.claim('s/f', 'claim-1'),
        delete: () => hands.remove('s/f'),
        'swap for a link': async () => {
          await hands.rename('s/f', 's/g');
          await hands.link('s/f', 's/g');
        },
        'swap for a directory': async () => {
          await hands.remove('s/f');
          await hands.mkdir('s/f');
        },
        'swap the parent for a link': async () => {
          await hands.rename('s', 't');
          await hands.link('s', 't');
        },
      };
      await acts[what]();
      const before = await source.scan('', never);
      expect(await source.removeIfUnchanged('s/f', expected)).toBe(answer);
      const after = await source.scan('', never);
      const paths = (listing: typeof before) => listing?.entries.map(({ path }) => path);
      expect(paths(after)).toEqual(answer === 'removed' ? ['s'] : paths(before));
    });

    test('the folder is present and keeps its identity while things change in it', async () => {
      const { source, ...hands } = await made();
      const before = await source.state();
      await hands.write('s/f', 'x');
      expect(before.state).toBe('present');
      expect(await source.state()).toEqual(before);
    });

    test('hints name what changed straight in the folder and below the watched roots', async () => {
      const { source, ...hands } = await made();
      await hands.write('s/sub/f', 'x');
      await hands.write('top', 'x');
      const hinted = new Set<WatchedPath>();
      source.onHint((path) => hinted.add(path));
      source.watch(new Set(['s']));
      await source.state();
      for (const path of ['s/sub/f', 'top']) {
        // Written until it is heard: nothing says when the system began to watch.
        await eventually(async () => {
          await hands.append(path, 'y');
          return hinted.has(path);
        });
      }
    });
  });
}

async function opened(source: FileSource, path: WatchedPath): Promise<OpenFile> {
  const file = await source.open(path);
  onTestFinished(() => file.close());
  return file;
}

async function statAt(source: FileSource, path: WatchedPath): Promise<FileStat> {
  const file = await source.open(path);
  await file.close();
  return file.stat;
}

async function claimText(source: FileSource, claim: string): Promise<string> {
  const file = (await source.openClaim(claim, 's/f')) ?? missing();
  const bytes = await file.read(0, file.sizeBytes);
  await file.close();
  return String(bytes);
}

function missing(): never {
  throw new Error('expected a value, found undefined');
}

export async function failureOf(promise: Promise<unknown>): Promise<FileFailure> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof FileFailure) return error;
    throw error;
  }
  throw new Error('expected a FileFailure, found success');
}
