import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { link, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDownloadDirectory } from '../../src/adapters/download-files.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { SaveRequest } from '../../src/ports/download-directory.ts';
import { patternBytes } from '../support/byte-source.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const never = new AbortController().signal;
const bytes = patternBytes(300_000);
const digestOf = (body: Buffer) => createHash('sha256').update(body).digest('hex');

/** A body that breaks off behind `until` bytes; `opened` has each position that was asked for. */
function requestOf(path: string, more: { until?: number; body?: Buffer; tag?: string } = {}) {
  const opened: number[] = [];
  const progress: number[] = [];
  const { body = bytes, until = Number.POSITIVE_INFINITY, tag = 'etag' } = more;
  const request: SaveRequest = {
    path,
    sizeBytes: bytes.length,
    tag,
    check: () => {
      const hash = createHash('sha256');
      return {
        update: (chunk) => void hash.update(chunk),
        finish: () => (hash.digest('hex') === digestOf(bytes) ? undefined : 'its bytes are others'),
      };
    },
    open: async (position) => {
      opened.push(position);
      return (async function* () {
        for (let at = position; at < Math.min(until, body.length); at += 7000)
          yield body.subarray(at, Math.min(at + 7000, until));
        if (until < body.length)
          throw new Failure({ kind: 'transient', code: 'ECONNRESET', attempted: 'broken' });
      })();
    },
    onProgress: (count) => progress.push(count),
  };
  return { request, opened, progress };
}

const unfinishedIn = (root: string) => readdirSync(join(root, '.trainlogd-get'));
const partOf = (root: string) => join(root, '.trainlogd-get', unfinishedIn(root)[0] ?? '');
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => expect.fail('did not throw'),
    (error: unknown) => error,
  );

test('a file appears whole, and what broke off goes on where it broke', async () => {
  const root = join(await temporaryDirectory(), 'made', 'here');
  const directory = createDownloadDirectory(root);
  const broken = requestOf('a/b.bin', { until: 100_000 });
  expect(await refusal(directory.save(broken.request, never))).toMatchObject({ code: 'ECONNRESET' });
  expect(readdirSync(join(root, 'a'))).toEqual([]);
  const again = requestOf('a/b.bin');
  expect(await createDownloadDirectory(root).save(again.request, never)).toBe('written');
  expect(again.opened).toEqual([100_000]);
  expect(again.progress.at(-1)).toBe(bytes.length);
  expect((await readFile(join(root, 'a', 'b.bin'))).equals(bytes)).toBe(true);
  const there = requestOf('a/b.bin');
  expect(await directory.save(there.request, never)).toBe('there');
  expect(there.opened).toEqual([]);
  await directory.clean();
  expect(readdirSync(root)).toEqual(['a']);
});

test('what arrived under another tag, or was damaged on disk, is not gone on with', async () => {
  const root = await temporaryDirectory();
  const directory = createDownloadDirectory(root);
  await refusal(directory.save(requestOf('f', { until: 100_000, tag: 'older' }).request, never));
  await refusal(directory.save(requestOf('f', { until: 100_000 }).request, never));
  expect(unfinishedIn(root)).toHaveLength(2);
  for (const name of unfinishedIn(root))
    await writeFile(join(root, '.trainlogd-get', name), Buffer.alloc(5000, 1));
  const damaged = requestOf('f');
  expect(await refusal(directory.save(damaged.request, never))).toMatchObject({
    kind: 'transient',
    code: 'BadDigest',
  });
  expect(damaged.opened).toEqual([5000]);
  const again = requestOf('f');
  expect(await directory.save(again.request, never)).toBe('written');
  expect(again.opened).toEqual([0]);
});

test.each([
  ['other bytes', patternBytes(bytes.length, 2), 'BadDigest'],
  ['more than it should be', patternBytes(bytes.length + 1), 'BadDigest'],
  ['less than it should be', patternBytes(bytes.length - 1), 'IncompleteBody'],
])('%s never become the file', async (_, body, code) => {
  const root = await temporaryDirectory();
  const directory = createDownloadDirectory(root);
  const error = await refusal(directory.save(requestOf('f', { body }).request, never));
  expect(error).toMatchObject({ kind: 'transient', code });
  expect(existsSync(join(root, 'f'))).toBe(false);
});

test('what is there already stays as it is, be it a file, a directory, a link or a FIFO', async () => {
  const root = await temporaryDirectory();
  const outside = await temporaryDirectory();
  await writeFile(join(outside, 'kept'), 'kept');
  await writeFile(join(root, 'file'), 'mine');
  await writeFile(join(root, 'same-size'), patternBytes(bytes.length, 3));
  await mkdir(join(root, 'directory'));
  await symlink(join(outside, 'kept'), join(root, 'link'));
  await symlink(join(outside, 'new'), join(root, 'dangling'));
  await symlink(outside, join(root, 'out'));
  execFileSync('mkfifo', [join(root, 'fifo')]);
  const directory = createDownloadDirectory(root);
  for (const path of [
    'file',
    'same-size',
    'directory',
    'link',
    'dangling',
    'fifo',
    'out/new',
    'file/below',
  ]) {
    const { request, opened } = requestOf(path);
    const error = await refusal(directory.save(request, never));
    expect(error, path).toMatchObject({ kind: 'permanent', remedy: expect.stringMatching(/move/) });
    expect(opened, path).toEqual([]);
  }
  expect(await readFile(join(root, 'file'), 'utf8')).toBe('mine');
  expect(readdirSync(outside)).toEqual(['kept']);
  expect(await readFile(join(outside, 'kept'), 'utf8')).toBe('kept');
});

test.each(['symbolic', 'hard', 'fifo', 'directory'])(
  'a %s link or the like in the place of an unfinished file is not written through',
  async (kind) => {
    const root = await temporaryDirectory();
    const directory = createDownloadDirectory(root);
    await refusal(directory.save(requestOf('f', { until: 7000 }).request, never));
    const [part, victim] = [partOf(root), join(root, 'victim')];
    await writeFile(victim, 'untouched');
    execFileSync('rm', [part]);
    if (kind === 'symbolic') await symlink(victim, part);
    else if (kind === 'hard') await link(victim, part);
    else if (kind === 'fifo') execFileSync('mkfifo', [part]);
    else await mkdir(part);
    expect(await directory.save(requestOf('f').request, never)).toBe('written');
    expect(await readFile(victim, 'utf8')).toBe('untouched');
    expect((await readFile(join(root, 'f'))).equals(bytes)).toBe(true);
  },
);

test('a file in the place of the directory is said to be one', async () => {
  const file = join(await temporaryDirectory(), 'file');
  await writeFile(file, 'mine');
  const error = await refusal(createDownloadDirectory(file).save(requestOf('f').request, never));
  expect(error).toMatchObject({ kind: 'permanent', remedy: 'name another directory' });
  expect(await readFile(file, 'utf8')).toBe('mine');
});

test('of two at once one writes the file, and both have it', async () => {
  const root = await temporaryDirectory();
  const saves = [0, 1].map(() => createDownloadDirectory(root).save(requestOf('f').request, never));
  expect((await Promise.all(saves)).toSorted()).toEqual(['there', 'written']);
  expect((await readFile(join(root, 'f'))).equals(bytes)).toBe(true);
});

test('a link in the place of the directory of unfinished files is not followed', async () => {
  const root = await temporaryDirectory();
  const outside = await temporaryDirectory();
  await symlink(outside, join(root, '.trainlogd-get'));
  const directory = createDownloadDirectory(root);
  expect(await refusal(directory.save(requestOf('f').request, never))).toMatchObject({ kind: 'permanent' });
  await directory.clean();
  expect(readdirSync(outside)).toEqual([]);
  expect(existsSync(outside)).toBe(true);
});
