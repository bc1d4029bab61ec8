import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { gitState } from '../../src/adapters/git-state.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const commit = '0123456789abcdef0123456789abcdef01234567';

/** A repository by its files alone, as where there is no git. */
async function repository(files: Record<string, string>): Promise<string> {
  const directory = await temporaryDirectory();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(directory, path, '..'), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  return directory;
}
const withoutGit = { PATH: '/nonexistent' };

test.each([
  [
    'a branch',
    { '.git/HEAD': 'ref: refs/heads/a/b\n', '.git/refs/heads/a/b': `${commit}\n` },
    { commit, branch: 'a/b' },
  ],
  ['no branch', { '.git/HEAD': `${commit}\n` }, { commit }],
  [
    'a packed branch',
    { '.git/HEAD': 'ref: refs/heads/m\n', '.git/packed-refs': `# pack\n${commit} refs/heads/m\n` },
    { commit, branch: 'm' },
  ],
  [
    'a worktree',
    {
      '.git': 'gitdir: main/wt\n',
      'main/wt/HEAD': 'ref: refs/heads/m\n',
      'main/wt/commondir': '..\n',
      'main/refs/heads/m': commit,
    },
    { commit, branch: 'm' },
  ],
  ['a branch without a commit', { '.git/HEAD': 'ref: refs/heads/m\n' }, undefined],
  ['a way out', { '.git/HEAD': 'ref: refs/../../x\n', x: commit }, undefined],
  ['nonsense', { '.git/HEAD': '\0\0' }, undefined],
  ['a file that names nothing', { '.git': 'x' }, undefined],
])('gitState() reads %s', async (_, files, found) => {
  const directory = await repository(files as Record<string, string>);
  mkdirSync(join(directory, 'below'), { recursive: true });
  expect(await gitState(join(directory, 'below'), withoutGit)).toEqual(found);
});

test('gitState() does not wait for a git that hangs', async (context) => {
  const directory = await repository({ '.git/HEAD': commit, 'bin/git': '#!/bin/sh\nexec sleep 600\n' });
  if (spawnSync('chmod', ['+x', join(directory, 'bin/git')]).status !== 0) context.skip('no chmod');
  const PATH = `${join(directory, 'bin')}:/usr/bin:/bin`;
  expect(await gitState(directory, { PATH })).toEqual({ commit });
});
