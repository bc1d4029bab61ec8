import { createHash } from 'node:crypto';
import { isUtf8Path, pathToBytes, type WatchedPath } from './watched-path.ts';

/**
 * Where things lie in the bucket. The log's key follows the template; companions lie beside the months, below the same
 * fixed prefix: readers of a month read every object in it.
 *
 *   {prefix}companions/{year}/{month}/{session-id}/{path}
 *   {prefix}companions/{year}/{month}/{session-id}/.encoded/{SHA-256 of the path's bytes, hex}
 *   {prefix}companions/{year}/{month}/{session-id}/.resume/{SHA-256 of the path as the log shows it, hex}.json
 *
 * The second form is for paths that cannot be a key, the third for what another host needs to complete a file. No other
 * path leads there: names that begin with `.` are not read, and should one come here all the same, it is encoded too.
 * So two paths of a session never share a key.
 */

/** S3's limit, in bytes of UTF-8. */
export const keyBytesMax = 1024;
const encodedFolder = '.encoded';
const resumeFolder = '.resume';
const ownFolders: readonly string[] = [encodedFolder, resumeFolder];

export function sessionLogKey(template: string, startedAt: Date | number, id: string): string {
  return fill(template, monthOf(startedAt), id);
}

/** `path` is relative to the session's root. `encoded`: the key does not show the path. */
export function companionKey(
  template: string,
  startedAt: Date | number,
  id: string,
  path: WatchedPath,
): { readonly key: string; readonly encoded: boolean } {
  const folder = companionFolder(template, startedAt, id);
  const key = folder + path;
  if (isPlainPath(path) && Buffer.byteLength(key) <= keyBytesMax) return { key, encoded: false };
  return { key: encodedCompanionKey(template, startedAt, id, path), encoded: true };
}

/** The form for paths that cannot be a key, or whose key another file has. */
export function encodedCompanionKey(
  template: string,
  startedAt: Date | number,
  id: string,
  path: WatchedPath,
): string {
  const digest = createHash('sha256').update(pathToBytes(path)).digest('hex');
  return `${companionFolder(template, startedAt, id)}${encodedFolder}/${digest}`;
}

/** Where the resume record of a file lies; `shownPath` is the path as the session's log shows it. */
export function resumeKey(template: string, startedAt: Date | number, id: string, shownPath: string): string {
  const digest = createHash('sha256').update(shownPath).digest('hex');
  return `${companionFolder(template, startedAt, id)}${resumeFolder}/${digest}.json`;
}

/** What the keys of all companions of a session begin with. */
export function companionFolder(template: string, startedAt: Date | number, id: string): string {
  const folder = `${fixedPrefix(template)}companions/{year}/{month}/{session-id}/`;
  return fill(folder, monthOf(startedAt), id);
}

/** Where a destination is asked what it honours; no session's key, whatever its id. */
export function probeKey(template: string): string {
  return `${fixedPrefix(template)}companions/.trainlogd-probe`;
}

function isPlainPath(path: WatchedPath): boolean {
  // Control characters and non-characters cannot stand in XML, in which S3 lists keys; a listing with one is unreadable.
  if (!isUtf8Path(path) || hasUnlistable(path)) return false;
  const segments = path.split('/');
  // Clients and proxies normalise these away.
  return !ownFolders.includes(segments[0] ?? '') && !segments.some((segment) => /^\.{0,2}$/.test(segment));
}

function hasUnlistable(path: WatchedPath): boolean {
  return /[\p{Cc}\uFFFE\uFFFF]/u.test(path);
}

/** What all keys begin with: the template up to its first placeholder. */
export function fixedPrefix(template: string): string {
  const brace = template.indexOf('{');
  return brace < 0 ? template : template.slice(0, brace);
}

/** Why a key that a log lists is none of ours: nobody's log makes us ask for other things in the bucket. */
export function foreignKey(template: string, key: string): string | undefined {
  const prefix = fixedPrefix(template);
  return key !== '' && key.startsWith(prefix)
    ? undefined
    : `its key ${JSON.stringify(key.slice(0, 200))} does not begin with ${JSON.stringify(prefix)}`;
}

function monthOf(startedAt: Date | number): { year: string; month: string } {
  const date = new Date(startedAt);
  return {
    year: String(date.getUTCFullYear()).padStart(4, '0'),
    month: String(date.getUTCMonth() + 1).padStart(2, '0'),
  };
}

function fill(template: string, { year, month }: { year: string; month: string }, id: string): string {
  const values: Record<string, string> = { year, month, 'session-id': id };
  // A function, because `$&` in a replacement string would mean something.
  return template.replace(/\{(year|month|session-id)\}/g, (_, name: string) => values[name] ?? '');
}
