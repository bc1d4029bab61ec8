import type { Digests } from './object-digest.ts';

/** What the server says of an object, in the answer to a write or to HEAD. */
export interface Evidence {
  readonly sizeBytes?: number | undefined;
  /** Without quotes; '' where the server gives none. */
  readonly etag: string;
  /** CRC-32 of the whole object, base64. */
  readonly crc32?: string | undefined;
  readonly encryption?: string | undefined;
}

/**
 * Whether the object is the one with these digests. `unknown`: the server says nothing that could be compared, as
 * with KMS, under which an ETag only looks like an MD5.
 */
export function compare(
  expected: Digests & { readonly sizeBytes: number },
  found: Evidence,
): 'same' | 'different' | 'unknown' {
  if (found.sizeBytes !== undefined && found.sizeBytes !== expected.sizeBytes) return 'different';
  if (found.etag === expected.etag) return 'same';
  if (found.crc32 !== undefined) return found.crc32 === expected.crc32 ? 'same' : 'different';
  const isMd5 = /^[0-9a-f]{32}(-\d+)?$/.test(found.etag) && !(found.encryption ?? '').startsWith('aws:kms');
  return isMd5 ? 'different' : 'unknown';
}

/** The parts that S3 allows in one object. */
const partsMax = 10_000;
const mebibyte = 1024 * 1024;

/** The size of the parts for an object of `sizeBytes`, or undefined where one request is enough. */
export function choosePartSize(sizeBytes: number, partSizeBytes: number): number | undefined {
  if (sizeBytes <= partSizeBytes) return undefined;
  const needed = Math.ceil(sizeBytes / partsMax / mebibyte) * mebibyte;
  return Math.max(partSizeBytes, needed);
}

const partSizeName = 'part-size';

/** User metadata that lets the ETag be computed again. */
export function partSizeMetadata(partSizeBytes: number | undefined): Record<string, string> {
  return partSizeBytes === undefined ? {} : { [partSizeName]: String(partSizeBytes) };
}

export function partSizeOf(metadata: Readonly<Record<string, string>>): number | undefined {
  const text = metadata[partSizeName] ?? '';
  return /^[1-9]\d{0,12}$/.test(text) ? Number(text) : undefined;
}
