import { execFileSync } from 'node:child_process';
import { appendFile, link, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFolderSource, type FolderSourceOptions } from '../../src/adapters/folder-source.ts';
import { systemClock } from '../../src/adapters/system-time.ts';
import { parentPath, pathToBytes, type WatchedPath } from '../../src/domain/watched-path.ts';
import type { FolderUnderTest } from '../contracts/file-source.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export interface RealFolder extends FolderUnderTest {
  readonly directory: string;
  readonly stateDirectory: string;
  readonly problems: { readonly code: string; readonly message: string; readonly remedy: string }[];
  /** Absolute, as bytes. */
  at(path: WatchedPath): Buffer;
}

/** A watched folder on the real file system, and a state directory beside it; both go after the test. */
export async function realFolder(options: Partial<FolderSourceOptions> = {}): Promise<RealFolder> {
  const base = await temporaryDirectory();
  const directory = join(base, 'watched');
  const stateDirectory = join(base, 'state');
  await mkdir(directory);
  const problems: RealFolder['problems'] = [];
  const source = createFolderSource({
    directory,
    stateDirectory,
    polling: 'auto',
    clock: systemClock,
    onDegraded: (problem) => problems.push(problem),
    onClaimsImpossible: (problem) => problems.push(problem),
    onLimit: (problem) => problems.push(problem),
    ...options,
  });
  const at = (path: WatchedPath) => Buffer.concat([Buffer.from(`${directory}/`), pathToBytes(path)]);
  const parentOf = (path: WatchedPath) => mkdir(at(parentPath(path)), { recursive: true });
  return {
    source,
    directory,
    stateDirectory,
    problems,
    at,
    async write(path, text) {
      await parentOf(path);
      await writeFile(at(path), text);
    },
    append: (path, text) => appendFile(at(path), text),
    async replace(path, text) {
      const elsewhere = join(base, 'replacement');
      await writeFile(elsewhere, text);
      await rename(elsewhere, at(path));
    },
    async mkdir(path) {
      await mkdir(at(path), { recursive: true });
    },
    remove: (path) => rm(at(path).toString(), { recursive: true, force: true }),
    rename: (from, to) => rename(at(from), at(to)),
    async link(path, target) {
      await parentOf(path);
      await symlink(at(target), at(path));
    },
    async hardLink(from, to) {
      await parentOf(to);
      await link(at(from), at(to));
    },
    fifo(path) {
      execFileSync('mkfifo', [at(path).toString()]);
    },
  };
}
