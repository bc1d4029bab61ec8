import { lstatSync } from 'node:fs';
import { link, rename, rm } from 'node:fs/promises';
import type { FileStat } from '../ports/file-source.ts';
import { errnoOf } from './errno.ts';
import type { FolderCalls } from './folder-calls.ts';
import { toFileStat } from './folder-handle.ts';

/** The file's stat with the link `own` made; undefined for what is no regular file. Throws the system's error. */
export async function linkRegular(
  from: string | Buffer,
  own: string,
  calls: FolderCalls,
): Promise<FileStat | undefined> {
  const source = lstatSync(from, { bigint: true });
  if (!source.isFile()) return undefined;
  try {
    await calls.link(from, own);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    const there = lstatSync(own, { bigint: true });
    if (there.dev !== source.dev || there.ino !== source.ino) await replaceLink(from, own);
  }
  // link(2) follows no link but would link to one: what was swapped in meanwhile is not kept.
  const made = lstatSync(own, { bigint: true });
  if (made.isFile()) return toFileStat(made);
  await rm(own, { force: true });
  return undefined;
}

/**
 * The name always leads to whole bytes, the old ones or the new. A kill in between leaves a claim like any other, which no
 * file needs: it may be the only link to the newer bytes.
 */
async function replaceLink(from: string | Buffer, own: string): Promise<void> {
  const made = `${own}.new`;
  await rm(made, { force: true });
  await link(from, made);
  await rename(made, own);
}
