import { growingLayout, type PartLayout } from '../domain/part-layout.ts';
import type { StoredObject } from '../ports/object-store.ts';

/** What the server says of an object, in the answer to a write or to HEAD. */
export interface Evidence {
  readonly sizeBytes?: number | undefined;
  /** Without quotes; '' where the server gives none. */
  readonly etag: string;
  /** CRC-32 of the whole object, base64. */
  readonly crc32?: string | undefined;
  readonly encryption?: string | undefined;
}

/** What an object must be. */
export interface Expected {
  readonly sizeBytes: number;
  readonly crc32: string;
  /** Absent where its MD5s were not computed, since its checksum is kept. */
  readonly etag?: string | undefined;
}

/**
 * Whether the object is the one that is expected. `unknown`: the server says nothing that could be compared, as with
 * KMS, under which an ETag only looks like an MD5.
 */
export function compare(expected: Expected, found: Evidence): 'same' | 'different' | 'unknown' {
  if (found.sizeBytes !== undefined && found.sizeBytes !== expected.sizeBytes) return 'different';
  if (found.etag !== '' && found.etag === expected.etag) return 'same';
  if (found.crc32 !== undefined) return found.crc32 === expected.crc32 ? 'same' : 'different';
  return expected.etag !== undefined && isMd5(found) ? 'different' : 'unknown';
}

/** Whether an ETag is computed from the bytes. */
export function isMd5({ etag, encryption }: Pick<Evidence, 'etag' | 'encryption'>): boolean {
  return /^[0-9a-f]{32}(-\d+)?$/.test(etag) && !(encryption ?? '').startsWith('aws:kms');
}

/** User metadata that says which upload an object was made by. */
export const tokenName = 'upload';

/**
 * Whether the object at a key is what an upload was to become. `byOther`: it has the same bytes, and another upload made
 * it. Its token tells where nothing else does.
 */
export function madeBy(
  token: string | undefined,
  expected: Expected,
  { object, evidence }: { readonly object: StoredObject; readonly evidence: Evidence },
): 'this' | 'byOther' | undefined {
  const verdict = compare(expected, evidence);
  if (verdict === 'different') return undefined;
  if (token !== undefined && object.metadata[tokenName] === token) return 'this';
  if (verdict === 'unknown') return undefined;
  return token === undefined ? 'this' : 'byOther';
}

const sizeName = 'part-size';
const shapeName = 'part-layout';
const constant = 'constant';

/** User metadata that lets the ETag be computed again. */
export function layoutMetadata({ firstBytes, doublesEvery }: PartLayout): Record<string, string> {
  return { [sizeName]: String(firstBytes), ...(doublesEvery === 0 ? { [shapeName]: constant } : {}) };
}

/** `own`: what this store cuts alike, for a caller who remembers the size alone. */
export function layoutOf(
  metadata: Readonly<Record<string, string>>,
  own: PartLayout,
): PartLayout | undefined {
  const size = metadata[sizeName] ?? '';
  if (!/^[1-9]\d{0,12}$/.test(size)) return undefined;
  const firstBytes = Number(size);
  if (metadata[shapeName] === constant) return { firstBytes, doublesEvery: 0 };
  return firstBytes === own.firstBytes ? own : growingLayout(firstBytes);
}
