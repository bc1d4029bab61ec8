import { type Encoding, encodingFor, encodingOf, packedKey } from '../domain/compression.ts';
import { companionKey, encodedCompanionKey, keyBytesMax } from '../domain/object-key.ts';
import type { WatchedPath } from '../domain/watched-path.ts';
import type { FileRecord } from '../ports/journal.ts';

export interface CompanionKeysOptions {
  readonly keyTemplate: string;
  readonly identity: { readonly id: string; readonly startedAtMs: number };
  /** What the journal has of the session's files. */
  readonly known: ReadonlyMap<WatchedPath, Pick<FileRecord, 'path' | 'role' | 'key'>>;
  /** All companions that are there. */
  readonly companions: readonly { readonly path: WatchedPath }[];
  /** How files are packed that were never queued before. */
  readonly wanted: Encoding | 'none';
  /** Whether parts of the file, as it is, are in the bucket. */
  readonly isOpen?: (path: WatchedPath) => boolean;
}

/**
 * The key of each file of a session. Whether one is packed is decided when it is queued first, and then stays. Two files
 * never share a key: `a.log` is not packed beside an `a.log.gz`, and an `a.log.gz` that comes later gets an encoded key.
 */
export function companionKeys(
  options: CompanionKeysOptions,
): (file: { readonly path: WatchedPath; readonly sizeBytes: number }) => string {
  const { keyTemplate, identity, known, companions, wanted, isOpen } = options;
  const { id, startedAtMs } = identity;
  const plainKey = (path: WatchedPath) => companionKey(keyTemplate, startedAtMs, id, path).key;
  const encodedKey = (path: WatchedPath) => encodedCompanionKey(keyTemplate, startedAtMs, id, path);
  const holders = new Map<string, WatchedPath>();
  for (const { role, key, path } of known.values()) if (role === 'companion') holders.set(key, path);
  for (const { path } of companions) {
    const key = plainKey(path);
    if (!holders.has(key)) holders.set(key, path);
  }
  const isFree = (key: string, path: WatchedPath) => (holders.get(key) ?? path) === path;
  return ({ path, sizeBytes }) => {
    const plain = plainKey(path);
    const row = known.get(path);
    const fresh = isOpen?.(path) ? undefined : encodingFor(path, sizeBytes, wanted);
    const encoding = row?.role === 'companion' ? encodingOf(path, row.key) : fresh;
    if (encoding !== undefined) {
      const packed = packedKey(plain, encoding);
      const key = Buffer.byteLength(packed) <= keyBytesMax ? packed : packedKey(encodedKey(path), encoding);
      if (isFree(key, path)) return key;
    }
    return isFree(plain, path) ? plain : encodedKey(path);
  };
}
