import { FileFailure } from '../../src/domain/failure.ts';
import type { ByteSource } from '../../src/ports/object-store.ts';

export interface BytesOptions {
  /** Thrown by assertUnchanged(). */
  readonly changed?: Error;
  /** The bytes that are really there; reads beyond them fail as those of a file that was cut. */
  readonly availableBytes?: number;
  readonly onRead?: (position: number) => void;
}

/** A ByteSource over a Buffer, as strict as one over a file. */
export function sourceOf(
  bytes: Buffer | string,
  options: BytesOptions = {},
): ByteSource & { readonly reads: number } {
  const all = Buffer.from(bytes);
  const availableBytes = options.availableBytes ?? all.length;
  let reads = 0;
  return {
    get reads() {
      return reads;
    },
    sizeBytes: all.length,
    async read(position, length) {
      reads += 1;
      options.onRead?.(position);
      if (position + length > availableBytes) {
        throw new FileFailure(
          'changing',
          'ShortRead',
          `reading a test's bytes: ${availableBytes} are left`,
          'none',
        );
      }
      return Buffer.from(all.subarray(position, position + length));
    },
    async assertUnchanged() {
      if (options.changed !== undefined) throw options.changed;
    },
  };
}

/** Bytes that differ everywhere, the same for the same seed. */
export function patternBytes(sizeBytes: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  let state = seed >>> 0 || 1;
  for (let position = 0; position < sizeBytes; position += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[position] = state >>> 24;
  }
  return bytes;
}
