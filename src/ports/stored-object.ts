import type { Encoding } from '../domain/compression.ts';

export interface StoredObject {
  readonly key: string;
  readonly sizeBytes: number;
  /** Without quotes. */
  readonly etag: string;
  /** User metadata, lower-case names; empty when the object is not one of ours. */
  readonly metadata: Readonly<Record<string, string>>;
  /** When it was written, by the destination's clock; absent where that is not known. */
  readonly writtenAtMs?: number;
}

/** `absent`: create, never overwrite. Otherwise: replace only the object that has this ETag. */
export type PutCondition = { readonly absent: true } | { readonly etag: string };

/** A way to read the body, again and from anywhere, never an open stream: a retry needs the bytes once more. */
export interface ByteSource {
  readonly sizeBytes: number;
  /**
   * Exactly `length` bytes from `position`; throws FileFailure('changing') when there are fewer. `into`, at least that
   * long, may be used to hold them: the result is then a part of it.
   */
  read(position: number, length: number, into?: Buffer): Promise<Buffer>;
  /** Set: the object is to hold these bytes packed like this, which makes another size of them. */
  readonly encoding?: Encoding | undefined;
  /** Throws FileFailure('changing') when the bytes may no longer be what was read. */
  assertUnchanged(): Promise<void>;
}

export interface Receipt {
  readonly etag: string;
  readonly sizeBytes: number;
  /** CRC-32 (ISO-HDLC) of the whole object as read from disk, base64 of 4 bytes big-endian, as S3 writes it. */
  readonly crc32: string;
  /** Set when the object was sent in parts; needed to compute its ETag again. */
  readonly partSizeBytes?: number;
}
