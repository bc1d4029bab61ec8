import type { PartStore } from './part-store.ts';
import type { ByteSource, PutCondition, Receipt, StoredObject } from './stored-object.ts';

export type { ByteSource, PutCondition, Receipt, StoredObject } from './stored-object.ts';

/**
 * Where objects go. The contract of every destination (test/contracts/object-store.ts proves it for each):
 *
 * - An object that `put` returned for is whole, verified against the bytes that were read, and durable.
 * - A `put` that fails or is cancelled leaves either nothing new or the whole object, never a part of it.
 * - `put` asks `source.assertUnchanged()` after the last byte was read and before the object becomes visible;
 *   when that throws, nothing becomes visible and the error is passed on unchanged.
 * - Errors are `Failure`, `Conflict`, or what `source` threw. Nothing else.
 * - Nothing is ever deleted.
 */
export interface ObjectStore {
  /** For people: `s3://bucket` or `file:///path`. */
  readonly name: string;
  /**
   * False where two first writes of one key may both succeed because the endpoint does not honour conditions.
   * Such a first write is certain only when `find` still shows it `createSettleMs` later. Both are known once a `put`
   * has returned.
   */
  readonly createIsAtomic: boolean;
  readonly createSettleMs: number;

  /** The object at exactly this key, or undefined. Asked by listing, so a missing key is not an error. */
  find(key: string, signal: AbortSignal): Promise<StoredObject | undefined>;

  /** The bytes of an object that `find` returned; at most `bytesMax`, else a permanent Failure. */
  get(key: string, bytesMax: number, signal: AbortSignal): Promise<{ object: StoredObject; bytes: Buffer }>;

  /**
   * The receipt of an object that `find` returned, when it holds exactly the bytes of `source`; undefined when it
   * does not, or when that cannot be told. Reads the source only when size and kind of ETag leave it open.
   */
  verify(object: StoredObject, source: ByteSource, signal: AbortSignal): Promise<Receipt | undefined>;

  /** Throws Conflict when `condition` does not hold. */
  put(request: PutRequest, signal: AbortSignal): Promise<Receipt>;

  /** How larger objects are sent so that a death costs no more than a part; undefined: `put` is for all sizes. */
  readonly parts: PartStore | undefined;

  close(): Promise<void>;
}

export interface PutRequest {
  readonly key: string;
  readonly source: ByteSource;
  readonly contentType: string;
  /** ASCII only: session, origin, writer, revision. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly condition: PutCondition;
  /** Called with the bytes sent so far, for progress. */
  readonly onProgress?: (sentBytes: number) => void;
}
