import type { PartChecksum } from '../ports/part-store.ts';

/** What a server does with the headers that protect an object. */
export interface EndpointFacts {
  /** `crc32`: it checks and keeps a CRC-32 that is sent along; `md5`: it only checks Content-MD5. */
  readonly checksum: PartChecksum;
  /** PutObject with If-None-Match creates, and never overwrites. */
  readonly createsOnce: boolean;
  /** PutObject with If-Match replaces the object that is named, and no other. */
  readonly replacesExactly: boolean;
}

/** AWS keeps its word on every write. */
export const awsFacts: EndpointFacts = { checksum: 'crc32', createsOnce: true, replacesExactly: true };

export function formatFacts(facts: EndpointFacts): string {
  return JSON.stringify(facts);
}

/** Undefined for what is no such facts: they are found out again. */
export function parseFacts(text: string | undefined): EndpointFacts | undefined {
  if (text === undefined) return undefined;
  try {
    const { checksum, createsOnce, replacesExactly } = JSON.parse(text);
    const isKnown = checksum === 'crc32' || checksum === 'md5';
    if (!isKnown || typeof createsOnce !== 'boolean' || typeof replacesExactly !== 'boolean')
      return undefined;
    return { checksum, createsOnce, replacesExactly };
  } catch {
    return undefined; // reason: written by something else, it tells nothing
  }
}
