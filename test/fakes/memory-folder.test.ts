import { expect, test } from 'vitest';
import { fileSourceContract } from '../contracts/file-source.ts';
import { MemoryFolder } from './memory-folder.ts';

fileSourceContract('memory', async () => {
  const source = new MemoryFolder();
  return {
    source,
    write: (path, text) => source.write(path, text),
    append: (path, text) => source.append(path, text),
    replace: (path, text) => source.replace(path, text),
    mkdir: (path) => source.mkdir(path),
    remove: (path) => source.remove(path),
    rename: (from, to) => source.rename(from, to),
    link: (path) => source.link(path),
    hardLink: (from, to) => source.hardLink(from, to),
    fifo: (path) => source.other(path),
  };
});

test('on a full disk the memory folder lets go of the claims whose files are gone, oldest first', async () => {
  const source = new MemoryFolder();
  for (const name of ['kept', 'first', 'second']) {
    source.write(name, name);
    await source.claim(name, `claim-${name}`);
  }
  source.remove('second');
  source.remove('first');
  expect(await source.releaseClaimsBelowFloor()).toEqual([]);
  source.diskFull = true;
  expect(await source.releaseClaimsBelowFloor()).toEqual(['claim-second', 'claim-first']);
  expect((await source.claims()).map(({ claim }) => claim)).toEqual(['claim-kept']);
});
