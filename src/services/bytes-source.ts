import type { ByteSource } from '../ports/object-store.ts';

/** What was made in memory, to be sent like a file. */
export function bytesSource(bytes: Buffer): ByteSource {
  return {
    sizeBytes: bytes.length,
    read: async (position, length) => bytes.subarray(position, position + length),
    assertUnchanged: async () => {},
  };
}
