import { createHash } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../domain/failure.ts';
import { unfinishedName } from '../domain/saved-path.ts';
import { quotePath } from '../domain/watched-path.ts';
import type { DownloadDirectory, SaveRequest } from '../ports/download-directory.ts';
import { withParent } from './directory-descent.ts';
import { directoryFailure } from './directory-failure.ts';
import { syncDirectory } from './directory-layout.ts';
import { fillPart, isWanted, openPart } from './download-part.ts';
import { errnoOf } from './errno.ts';
import { makeDirectory } from './make-directory.ts';

/**
 * What lies in the directory beside the files:
 *
 *   .trainlogd-get/{sha256 of path and tag}   what arrived of a file that is not yet whole; the next try goes on with it
 *
 * A file gets its name by a hard link, which never takes the place of another, once its bytes are checked and on disk.
 */
export function createDownloadDirectory(directory: string): DownloadDirectory {
  return new DownloadFiles(directory);
}

/** File systems without hard links, and the limit of links to one file. */
const cannotLink = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES']);

class DownloadFiles implements DownloadDirectory {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  async save(request: SaveRequest, signal: AbortSignal): Promise<'written' | 'there'> {
    const doing = `saving ${quotePath(request.path)} in ${JSON.stringify(this.directory)}`;
    try {
      await makeDirectory(this.directory);
      return await withParent(this.directory, request.path.split('/'), true, (target, parent) =>
        this.#save(request, { target, parent, doing }, signal),
      );
    } catch (error) {
      if (error instanceof Failure) throw error;
      if (errnoOf(error) === 'EEXIST') throw noDirectory(doing);
      throw asPermanent(directoryFailure(error, doing, signal));
    }
  }

  async #save(
    request: SaveRequest,
    at: { readonly target: string; readonly parent: string; readonly doing: string },
    signal: AbortSignal,
  ): Promise<'written' | 'there'> {
    const { target, parent, doing } = at;
    if (await isThere(target, request, doing, signal)) return 'there';
    return await withParent(this.directory, [unfinishedName, partName(request)], true, async (part) => {
      const file = await openPart(part);
      try {
        await fillPart(file, request, doing, signal);
        await file.sync();
      } finally {
        await file.close();
      }
      const isOurs = await publish(part, target);
      // Somebody was quicker: another get of the same session, or a file that is to stay.
      if (!isOurs && !(await isThere(target, request, doing, signal))) throw differs(doing);
      await rm(part, { force: true });
      await syncDirectory(parent);
      return isOurs ? 'written' : 'there';
    });
  }

  async clean(): Promise<void> {
    const unfinished = join(this.directory, unfinishedName);
    try {
      await rm(unfinished, { recursive: true, force: true });
    } catch (error) {
      const doing = `removing ${JSON.stringify(unfinished)}`;
      throw asPermanent(directoryFailure(error, doing, new AbortController().signal));
    }
  }
}

function partName({ path, tag }: SaveRequest): string {
  // NUL stands in neither, so that no two pairs are the same bytes.
  return createHash('sha256').update(`${path}\0${tag}`).digest('hex');
}

async function isThere(
  target: string,
  request: SaveRequest,
  doing: string,
  signal: AbortSignal,
): Promise<boolean> {
  const found = await isWanted(target, request, signal);
  if (found === 'other') throw differs(doing);
  return found === 'wanted';
}

/** False where something has the name already. */
async function publish(part: string, target: string): Promise<boolean> {
  try {
    await link(part, target);
    return true;
  } catch (error) {
    // ENOENT: another get of the same file was quicker, and has cleared it away.
    if (['EEXIST', 'ENOENT'].includes(errnoOf(error))) return false;
    if (!cannotLink.has(errnoOf(error))) throw error;
  }
  try {
    // The name is taken first, so that the rename replaces nothing but this.
    await (await open(target, 'wx')).close();
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
  await rename(part, target);
  return true;
}

function differs(doing: string): Failure {
  const attempted = `${doing}: something else is there already`;
  const remedy = 'move it away, or name another directory';
  return new Failure({ kind: 'permanent', code: 'EEXIST', attempted, remedy });
}

function noDirectory(doing: string): Failure {
  const attempted = `${doing}: what is there is no directory`;
  return new Failure({ kind: 'permanent', code: 'EEXIST', attempted, remedy: 'name another directory' });
}

/** To the bucket's reader it is no trouble of the bucket. */
function asPermanent(failure: Failure): Failure {
  if (failure.kind === 'cancelled') return failure;
  const remedy = failure.remedy ?? 'look what is wrong with this directory, and run it again';
  const { code, message: attempted, cause } = failure;
  return new Failure({ kind: 'permanent', code, attempted, remedy, cause });
}
