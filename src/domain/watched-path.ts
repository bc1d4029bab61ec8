/**
 * Paths below the watched folder, without losing a byte.
 *
 * A file name on Linux is bytes; most are UTF-8, some are not. A `WatchedPath` is a string in which every byte
 * that is not part of valid UTF-8 is one lone surrogate U+DC80..U+DCFF (PEP 383). Valid UTF-8 never decodes to a lone
 * surrogate, so the mapping loses nothing and two different names never meet.
 */

/** Relative to the watched folder, segments joined by `/`; the empty string is the folder itself. */
export type WatchedPath = string;

const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

export function pathFromBytes(bytes: Uint8Array): WatchedPath {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return decodeKeepingBadBytes(bytes); // reason: only names that are not UTF-8 come here
  }
}

function decodeKeepingBadBytes(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = validSequenceLength(bytes, at);
    if (length === 0) {
      text += String.fromCharCode(0xdc00 + (bytes[at] ?? 0));
      at += 1;
    } else {
      text += strictDecoder.decode(bytes.subarray(at, at + length));
      at += length;
    }
  }
  return text;
}

function validSequenceLength(bytes: Uint8Array, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    try {
      strictDecoder.decode(bytes.subarray(at, at + length));
      return length;
    } catch {
      // reason: not a whole sequence yet; one more byte may make it one
    }
  }
  return 0;
}

export function pathToBytes(path: WatchedPath): Buffer {
  if (path.isWellFormed()) return Buffer.from(path, 'utf8');
  const pieces: Uint8Array[] = [];
  for (const character of path) {
    const code = character.codePointAt(0) ?? 0;
    pieces.push(code >= 0xdc80 && code <= 0xdcff ? Uint8Array.of(code - 0xdc00) : encoder.encode(character));
  }
  return Buffer.concat(pieces);
}

export function isUtf8Path(path: WatchedPath): boolean {
  return path.isWellFormed();
}

/** Valid Unicode for JSON readers: bytes that are not UTF-8 as `%XX`. Not reversible by itself. */
export function displayPath(path: WatchedPath): string {
  if (path.isWellFormed()) return path;
  let text = '';
  for (const character of path) {
    const code = character.codePointAt(0) ?? 0;
    text += code >= 0xdc80 && code <= 0xdcff ? `%${(code - 0xdc00).toString(16).toUpperCase()}` : character;
  }
  return text;
}

/** For messages: quoted, on one line, whatever is in it. */
export function quotePath(path: WatchedPath): string {
  return JSON.stringify(displayPath(path)).replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export function joinPath(parent: WatchedPath, name: string): WatchedPath {
  return parent === '' ? name : `${parent}/${name}`;
}

export function parentPath(path: WatchedPath): WatchedPath {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

export function baseName(path: WatchedPath): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** `path` below `root`, relative to it; undefined when it is not below. */
export function relativeTo(root: WatchedPath, path: WatchedPath): WatchedPath | undefined {
  if (root === '') return path;
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : undefined;
}

export function depthOf(path: WatchedPath): number {
  return path === '' ? 0 : path.split('/').length;
}

/** Names that are never read, never shipped, never counted as activity. */
export function isIgnoredName(name: string): boolean {
  if (name.startsWith('.')) return name !== '.hydra' && name !== '.job_config.json';
  return /(\.tmp|\.part|\.swp|~)$/.test(name);
}

/** Byte order: the same on every host and in every locale. */
export function comparePaths(a: WatchedPath, b: WatchedPath): number {
  return Buffer.compare(pathToBytes(a), pathToBytes(b));
}
