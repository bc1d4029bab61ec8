import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import type { FileSource, OpenFile } from '../../src/ports/file-source.ts';
import { makePlace, objectBytes, type Place, runAgent, shippedLogs, startAgent } from '../support/agent.ts';
import { eventually } from '../support/eventually.ts';
import { expectHealthy, expectRow, makeHealthy, write } from '../support/hostile.ts';

/** Where a trainer gets in between: after the folder was listed and before a file is first touched, and while it is read. */
const trainer = vi.hoisted(() => ({
  afterListing: (_path: string): void => {},
  whileReading: (_path: string): void => {},
  neverEndingListing: '',
}));

vi.mock(import('../../src/adapters/folder-source.ts'), async (importOriginal) => {
  const original = await importOriginal();
  return { ...original, createFolderSource: (options) => interrupted(original.createFolderSource(options)) };
});

function interrupted(source: FileSource): FileSource {
  return {
    ...source,
    async scan(at, signal) {
      if (at === trainer.neverEndingListing)
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return source.scan(at, signal);
    },
    claim(path, claim) {
      trainer.afterListing(path);
      return source.claim(path, claim);
    },
    open: async (path) => interruptedFile(await source.open(path), path),
  };
}

function interruptedFile(file: OpenFile, path: string): OpenFile {
  return {
    stat: file.stat,
    sizeBytes: file.sizeBytes,
    async read(position, length) {
      const bytes = await file.read(position, length);
      trainer.whileReading(path);
      return bytes;
    },
    statNow: () => file.statNow(),
    assertUnchanged: () => file.assertUnchanged(),
    close: () => file.close(),
  };
}

function once(path: string, act: () => void): (path: string) => void {
  let done = false;
  return (at) => {
    if (at !== path || done) return;
    done = true;
    act();
  };
}

beforeEach(() => {
  trainer.afterListing = () => {};
  trainer.whileReading = () => {};
  trainer.neverEndingListing = '';
});

async function placeWith(files: Readonly<Record<string, string>>): Promise<Place> {
  const place = await makePlace();
  await makeHealthy(place);
  for (const [path, text] of Object.entries(files)) await write(place, `hostile/${path}`, text);
  return place;
}

const files = { 'kept.txt': 'kept', 'sub/a.txt': 'a', 'sub/deep/b.txt': 'b' };
const vanished = [
  { path: 'sub/a.txt', reason: 'vanished' },
  { path: 'sub/deep/b.txt', reason: 'vanished' },
];

test('a directory that vanishes after it was listed is named file by file, and the rest ships', async () => {
  const place = await placeWith(files);
  const sub = join(place.folder, 'hostile/sub');
  trainer.afterListing = once('hostile/kept.txt', () => rmSync(sub, { recursive: true }));
  const ended = await runAgent(place, ['drain', '--timeout', '20s']);
  await expectRow(
    {
      name: '',
      make: () => {},
      companions: ['kept.txt'],
      missing: vanished,
      told: [/: sub\/a\.txt was deleted before it could be sent$/, /: sub\/deep\/b\.txt was deleted/],
    },
    place,
    ended,
  );
});

test('a session that vanishes whole after it was listed leaves a log that names all of it', async () => {
  const place = await placeWith(files);
  trainer.afterListing = once('hostile/kept.txt', () =>
    rmSync(join(place.folder, 'hostile'), { recursive: true }),
  );
  const ended = await runAgent(place, ['drain', '--timeout', '20s']);
  const missing = [{ path: 'kept.txt', reason: 'vanished' }, ...vanished];
  await expectRow({ name: '', make: () => {}, companions: [], missing }, place, ended);
});

test('a directory that is swapped for a link after it was listed leads nowhere', async () => {
  const place = await placeWith(files);
  const outside = join(place.folder, '../outside');
  mkdirSync(join(outside, 'deep'), { recursive: true });
  for (const path of ['a.txt', 'deep/b.txt']) writeFileSync(join(outside, path), 'out of bounds');
  const sub = join(place.folder, 'hostile/sub');
  trainer.afterListing = once('hostile/kept.txt', () => {
    renameSync(sub, join(place.folder, '../moved'));
    symlinkSync(outside, sub);
  });
  const ended = await runAgent(place, ['drain', '--timeout', '20s']);
  await expectRow(
    { name: '', make: () => {}, companions: ['kept.txt'], missing: vanished, never: /out of bounds/ },
    place,
    ended,
  );
  for (const { key } of shippedLogs(place).get('hostile')?.companions ?? [])
    expect(objectBytes(place, key).toString()).not.toContain('out of bounds');
});

test('a file that is written in place while it is read ships as it is afterwards, never as a mixture', async () => {
  const place = await placeWith({ 'data.bin': 'a'.repeat(1000) });
  const file = join(place.folder, 'hostile/data.bin');
  trainer.whileReading = once('hostile/data.bin', () => writeFileSync(file, 'b'.repeat(1000)));
  const ended = await runAgent(place, ['drain', '--timeout', '20s']);
  await expectRow(
    { name: '', make: () => {}, companions: ['data.bin'], told: [/: data\.bin again in .*, CHANGED:/] },
    place,
    ended,
  );
  const key = shippedLogs(place).get('hostile')?.companions[0]?.key ?? '';
  expect(objectBytes(place, key).toString()).toBe('b'.repeat(1000));
});

/** A look that took long on a busy machine is not soon repeated. */
const repeated = { timeoutMs: 25_000 };

test.each([
  ['replaced by another', (file: string, text: string) => replaceBy(file, text)],
  ['appended to', (file: string) => appendFileSync(file, 'b'.repeat(1000))],
])('a file that is %s while it is read ships again as it is by then', async (_, act) => {
  const place = await placeWith({ 'data.bin': 'a'.repeat(1000), 'result.json': '{"status":"completed"}' });
  const file = join(place.folder, 'hostile/data.bin');
  trainer.whileReading = once('hostile/data.bin', () => act(file, 'b'.repeat(1000)));
  const run = startAgent(place, ['run']);
  await eventually(() => {
    const log = shippedLogs(place).get('hostile');
    const companion = log?.companions.find(({ path }) => path === 'data.bin');
    expect(companion && objectBytes(place, companion.key).toString()).toMatch(/^(a{1000})?b{1000}$/);
    expect(log?.missing).toEqual([]);
    return true;
  }, repeated);
  run.signal('SIGTERM');
  const ended = await run.ended;
  expect(ended.exit, ended.stderr).toBe(0);
  expectHealthy(place);
});

function replaceBy(file: string, text: string): void {
  writeFileSync(`${file}.tmp`, text);
  renameSync(`${file}.tmp`, file);
}

test('a session whose directory is gone by the next start is given up, and what never arrived is named', async () => {
  const place = await placeWith({ 'session.json': '{"id":"short-lived"}', 'train.log': 'epoch 1\n' });
  const run = startAgent(place, ['run']);
  await run.until('session.found', ({ session }) => session === 'hostile');
  run.signal('SIGTERM');
  const stopped = await run.ended;
  expect(stopped.exit, stopped.stderr).toBe(75);
  expect(shippedLogs(place).get('hostile')?.session.status).toBe('running');
  rmSync(join(place.folder, 'hostile'), { recursive: true });
  const ended = await runAgent(place, ['drain', '--timeout', '20s']);
  // What it held by then nobody knows: the log must not look complete.
  const missing = [
    { path: '.', reason: 'vanished' },
    { path: 'train.log', reason: 'vanished' },
  ];
  await expectRow(
    {
      name: '',
      make: () => {},
      companions: [],
      missing,
      warnings: [/^directory "." could not be read, ENOENT/],
    },
    place,
    ended,
  );
  expect(shippedLogs(place).get('hostile')?.session).toMatchObject({ status: 'stalled', id: 'short-lived' });
});

test('a stop in the middle of a listing is no failure', async () => {
  const place = await placeWith(files);
  trainer.neverEndingListing = 'hostile';
  const run = startAgent(place, ['run'], { env: { TRAINLOGD_DRAIN_TIMEOUT: '100ms' } });
  await run.until('session.sealed', ({ session }) => session === 'healthy');
  run.signal('SIGTERM');
  run.signal('SIGTERM');
  const ended = await run.ended;
  expect(ended.exit, ended.stderr).not.toBe(70);
  expect(ended.stderr).not.toMatch(/bug|failed/);
});
