import { encodingOf, endingOf } from './compression.ts';
import type { CompanionEntry } from './session-log.ts';

/** Where `get` keeps what is not yet whole. */
export const unfinishedName = '.trainlogd-get';
const depthMax = 256;

/**
 * Under which path below a directory a companion is saved. Logs in the bucket may be anybody's: what would lead out of
 * the directory is refused, and control characters become `%XX`, as bytes that are not UTF-8 are in the log already.
 * A packed object is saved as it is, under the name that says so.
 */
export function savedPath({
  path,
  key,
}: Pick<CompanionEntry, 'path' | 'key'>): { readonly path: string } | { readonly refused: string } {
  const names = path.split('/');
  if (names.some((name) => /^\.{0,2}$/.test(name)))
    return { refused: 'its path is absolute, or has an empty, "." or ".." part' };
  if (names.length > depthMax) return { refused: `its path has more than ${depthMax} parts` };
  if (names[0] === unfinishedName) return { refused: `"${unfinishedName}" is where files are put together` };
  const encoding = encodingOf(path, key);
  const ending = encoding === undefined ? '' : endingOf(encoding);
  return { path: path.toWellFormed().replace(/\p{Cc}/gu, asPercent) + ending };
}

/** A name for the log beside the session's files, that none of them has, fetched or not. */
export function savedLogPath(companions: readonly Pick<CompanionEntry, 'path' | 'key'>[]): string {
  const taken = new Set<string>();
  for (const entry of companions) {
    const saved = savedPath(entry);
    if ('path' in saved) taken.add(saved.path.split('/')[0] ?? '');
  }
  let name = 'session-log.json';
  for (let number = 1; taken.has(name); number += 1) name = `session-log.${number}.json`;
  return name;
}

function asPercent(character: string): string {
  return [...new TextEncoder().encode(character)]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}
