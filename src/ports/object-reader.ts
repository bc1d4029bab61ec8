/**
 * What is in the bucket, for those who read it back. Asks for no more than the least policy gives: lists with a prefix,
 * and GETs of keys that a list returned. Errors are `Failure`; an object that is gone is `NoSuchKey`, one that was
 * replaced since it was listed is `PreconditionFailed`, an archived one `InvalidObjectState`.
 */
export interface ObjectReader {
  /** For people: `s3://bucket` or `file:///path`. */
  readonly name: string;
  /** Every object whose key begins with `prefix`, page by page, keys in byte order. */
  pages(prefix: string, how: ListManner, signal: AbortSignal): AsyncIterable<readonly ListedObject[]>;
  /** The bytes from `position` on. `etag`: of no other object. Whoever leaves the body ends the request. */
  read(key: string, from: ReadFrom, signal: AbortSignal): Promise<OpenedObject>;
  /** What a person runs to have an archived object back for a while; undefined where nothing is ever archived. */
  restoreCommand(key: string): string | undefined;
  close(): Promise<void>;
}

export interface ListManner {
  /** Only keys without a further `/`. */
  readonly isFlat?: boolean;
  /** No more objects than this. */
  readonly limit?: number;
  /** ETags are wanted; where nobody else keeps them, they are computed from the bytes. */
  readonly etags?: boolean;
}

export interface ListedObject {
  readonly key: string;
  readonly sizeBytes: number;
  /** Without quotes; '' where it was not asked for and costs something. */
  readonly etag: string;
  readonly writtenAtMs?: number;
  /** In a class that has to be restored before it can be read. */
  readonly isArchived: boolean;
}

export interface ReadFrom {
  readonly position: number;
  readonly etag?: string;
}

export interface OpenedObject {
  readonly etag: string;
  /** Of the whole object. */
  readonly sizeBytes: number;
  /** As the server names it; '' where it does not. */
  readonly encryption: string;
  readonly body: AsyncIterable<Buffer>;
}
