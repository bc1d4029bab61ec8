import { statSync } from 'node:fs';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createDirectoryStore } from '../../src/adapters/directory-store.ts';
import { makeDirectory, makeOwnDirectory } from '../../src/adapters/make-directory.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe.each([
  ['makeDirectory', makeDirectory],
  ['makeOwnDirectory', async (path: string) => makeOwnDirectory(path)],
])('%s', (name, make) => {
  test('makes what is missing on the way, and leaves what is there', async () => {
    const base = await temporaryDirectory();
    await make(join(base, 'a', 'b', 'c'));
    await make(join(base, 'a', 'b', 'c'));
    await make('/');
    const { mode } = statSync(join(base, 'a', 'b', 'c'));
    expect(mode & 0o077).toBe(name === 'makeOwnDirectory' ? 0 : mode & 0o077);
  });

  test('takes a link to a directory for one, and no file', async () => {
    const base = await temporaryDirectory();
    await writeFile(join(base, 'file'), '');
    await symlink(base, join(base, 'link'));
    await make(join(base, 'link', 'below'));
    await expect(make(join(base, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(make(join(base, 'file', 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  });

  test.runIf(process.platform === 'linux')('ends where nothing can be made', async () => {
    await expect(make('/proc/nowhere/below')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

test.runIf(process.platform === 'linux')(
  'a directory destination that leads into /proc is blocked, not tried for ever',
  async () => {
    const base = await temporaryDirectory();
    await symlink('/proc/nowhere', join(base, 'link'));
    const store = createDirectoryStore({ path: join(base, 'link', 'logs') });
    const { signal } = new AbortController();
    await expect(store.find('training-logs/a.log', signal)).rejects.toMatchObject({ kind: 'blocked' });
  },
);
