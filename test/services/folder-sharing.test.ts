import { expect, test } from 'vitest';
import type { FolderState } from '../../src/ports/file-source.ts';
import { folderSharing } from '../../src/services/folder-sharing.ts';

const on = (network: boolean): FolderState => ({ state: 'present', identity: '1', fileSystem: 'x', network });
const missing: FolderState = { state: 'missing' };

/** What is answered for each state of the folder in turn, in each life. */
function answers(
  shared: 'auto' | boolean,
  ...lives: (FolderState | undefined)[][]
): (boolean | undefined)[][] {
  const meta = new Map<string, string>();
  const journal = {
    getMeta: (name: string) => meta.get(name),
    setMeta: (name: string, value: string) => void meta.set(name, value),
  };
  return lives.map((states) => {
    let state: FolderState | undefined;
    const isShared = folderSharing({ shared, folder: '/f', journal, folderState: () => state });
    return states.map((now) => {
      state = now;
      return isShared();
    });
  });
}

test('what the configuration says counts, whatever the folder is', () => {
  expect(answers(true, [undefined, missing, on(false)])).toEqual([[true, true, true]]);
  expect(answers(false, [undefined, missing, on(true)])).toEqual([[false, false, false]]);
});

test('a network file system is shared; nobody can tell before it was looked at', () => {
  expect(answers('auto', [undefined, on(true), on(false)])).toEqual([[undefined, true, false]]);
});

test('a folder that is away is what it was, also in the next life', () => {
  expect(answers('auto', [on(true), missing], [undefined, missing])).toEqual([
    [true, true],
    [true, true],
  ]);
  expect(answers('auto', [on(false), missing], [undefined, missing])).toEqual([
    [false, false],
    [false, false],
  ]);
});

test('a folder that was never there is not shared', () => {
  expect(answers('auto', [undefined, missing])).toEqual([[undefined, false]]);
});
