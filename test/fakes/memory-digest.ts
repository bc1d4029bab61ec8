import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { formatCrc32 } from '../../src/domain/crc32-combine.ts';
import { type PartLayout, partsOf } from '../../src/domain/part-layout.ts';
import type { StoredObject } from '../../src/ports/object-store.ts';

export function md5Of(bytes: Buffer | string): string {
  return createHash('md5').update(bytes).digest('hex');
}

export function crc32Of(bytes: Buffer): string {
  return formatCrc32(crc32(bytes));
}

/** As S3 computes it of an object in parts. */
export function etagOfParts(etags: readonly string[]): string {
  return `${md5Of(Buffer.from(etags.join(''), 'hex'))}-${etags.length}`;
}

/** The ETag that `object` must have if it holds `bytes`. */
export function etagLike(object: StoredObject, bytes: Buffer): string {
  const layout = object.etag.includes('-') ? layoutOf(object.metadata) : undefined;
  if (layout === undefined) return md5Of(bytes);
  const parts = [...partsOf(layout, bytes.length)];
  return etagOfParts(
    parts.map(({ position, sizeBytes }) => md5Of(bytes.subarray(position, position + sizeBytes))),
  );
}

export function layoutMetadata({ firstBytes, doublesEvery }: PartLayout): Record<string, string> {
  const layout = doublesEvery === 0 ? 'constant' : String(doublesEvery);
  return { 'part-size': String(firstBytes), 'part-layout': layout };
}

function layoutOf(metadata: Readonly<Record<string, string>>): PartLayout {
  const firstBytes = Number(metadata['part-size']);
  return { firstBytes, doublesEvery: Number(metadata['part-layout']?.replace('constant', '0')) };
}
