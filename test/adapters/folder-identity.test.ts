import { spawnSync } from 'node:child_process';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { FolderState } from '../../src/ports/file-source.ts';
import { eventually } from '../support/eventually.ts';
import { type RealFolder, realFolder } from '../support/real-folder.ts';

const never = new AbortController().signal;

async function watchedFolder(): Promise<RealFolder & { hinted: Set<string> }> {
  const folder = await realFolder();
  onTestFinished(() => folder.source.close());
  const hinted = new Set<string>();
  folder.source.onHint((path) => hinted.add(path));
  folder.source.watch(new Set(['s']));
  return { ...folder, hinted };
}

async function hintsArrive(folder: RealFolder & { hinted: Set<string> }, path: string): Promise<void> {
  folder.hinted.clear();
  await folder.write(path, 'x');
  await eventually(async () => {
    await folder.append(path, 'y');
    return folder.hinted.has(path);
  });
}

function identityOf(state: FolderState): string {
  if (state.state !== 'present') throw new Error(`expected the folder to be present, found ${state.state}`);
  return state.identity;
}

test('a folder that is missing is missing, and is watched once it is there', async () => {
  const folder = await watchedFolder();
  await rm(folder.directory, { recursive: true });
  expect(await folder.source.state()).toEqual({ state: 'missing' });
  expect(await folder.source.scan('', never)).toBeUndefined();
  await mkdir(folder.directory);
  expect(await folder.source.state()).toMatchObject({ state: 'present' });
  await hintsArrive(folder, 's/f');
});

test('a folder that is removed and made again is another one, and is watched', async () => {
  const folder = await watchedFolder();
  const before = identityOf(await folder.source.state());
  await hintsArrive(folder, 's/f');
  await rm(folder.directory, { recursive: true });
  await mkdir(folder.directory);
  expect(identityOf(await folder.source.state())).not.toBe(before);
  expect((await folder.source.scan('', never))?.entries).toEqual([]);
  await hintsArrive(folder, 's/f');
  await hintsArrive(folder, 'top');
});

test('a folder that is given through a link is read by that name, also after the link leads elsewhere', async () => {
  const folder = await watchedFolder();
  await folder.write('s/f', 'first');
  await rename(folder.directory, `${folder.directory}-1`);
  await symlink('watched-1', folder.directory);
  const first = identityOf(await folder.source.state());
  const file = await folder.source.open('s/f');
  await file.close();
  expect(file.sizeBytes).toBe(5);

  await rm(folder.directory);
  await symlink('watched-2', folder.directory);
  expect(await folder.source.state()).toEqual({ state: 'missing' });
  await mkdir(`${folder.directory}-2`);
  expect(identityOf(await folder.source.state())).not.toBe(first);
  await hintsArrive(folder, 's/f');
});

test('a folder that is swapped by a mount is another one, and is watched; so is the old one afterwards', async ({
  skip,
}) => {
  const folder = await watchedFolder();
  await folder.write('below', 'x');
  const before = identityOf(await folder.source.state());
  const other = join(folder.directory, '../other');
  await mkdir(other);
  await writeFile(join(other, 'mounted'), 'x');
  const mounted = spawnSync('mount', ['--bind', other, folder.directory], { encoding: 'utf8' });
  if (mounted.status !== 0)
    skip(`mounting is not permitted here: ${(mounted.stderr ?? String(mounted.error)).split('\n')[0]}`);
  try {
    expect(identityOf(await folder.source.state())).not.toBe(before);
    expect((await folder.source.scan('', never))?.entries.map(({ path }) => path)).toEqual(['mounted']);
    const file = await folder.source.open('mounted');
    await file.close();
    await hintsArrive(folder, 'top');
  } finally {
    spawnSync('umount', ['--lazy', folder.directory]);
  }
  expect(identityOf(await folder.source.state())).toBe(before);
  await hintsArrive(folder, 'below');
});

test('a mount point below the folder is entered', async ({ skip }) => {
  const folder = await realFolder();
  await folder.mkdir('s/mounted');
  const mounted = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', folder.at('s/mounted').toString()], {
    encoding: 'utf8',
  });
  if (mounted.status !== 0)
    skip(`mounting is not permitted here: ${(mounted.stderr ?? String(mounted.error)).split('\n')[0]}`);
  try {
    await folder.write('s/mounted/f', 'x');
    const listing = await folder.source.scan('', never);
    expect(listing?.entries.map(({ path }) => path)).toEqual(['s', 's/mounted', 's/mounted/f']);
    await (await folder.source.open('s/mounted/f')).close();
    expect(await folder.source.claim('s/mounted/f', 'claim-1')).toBeUndefined();
    expect(folder.problems).toMatchObject([
      { code: 'EXDEV', remedy: expect.stringContaining('state.directory') },
    ]);
  } finally {
    spawnSync('umount', [folder.at('s/mounted').toString()]);
  }
});

test('a folder that is a file is unreadable', async () => {
  const folder = await realFolder();
  await rm(folder.directory, { recursive: true });
  await writeFile(folder.directory, 'x');
  expect(await folder.source.state()).toEqual({ state: 'unreadable', code: 'ENOTDIR' });
});
