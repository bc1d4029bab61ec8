import { combinePieces } from '../../src/domain/crc32-combine.ts';
import { Conflict, Failure, PartsRefused, UploadGone } from '../../src/domain/failure.ts';
import type { PartLayout, PartRange } from '../../src/domain/part-layout.ts';
import type { ByteSource, PutCondition, StoredObject } from '../../src/ports/object-store.ts';
import type {
  BeginRequest,
  BegunUpload,
  Completed,
  PartChecksum,
  PartStore,
  PartUpload,
  SentPart,
  UploadToComplete,
} from '../../src/ports/part-store.ts';
import { crc32Of, etagOfParts, layoutMetadata, md5Of } from './memory-digest.ts';

export type PartOperation = 'begin' | 'sendPart' | 'copyPart' | 'complete' | 'abort';

export interface MemoryPartsOptions {
  /** Of the first part; a few bytes will do. */
  readonly firstBytes: number;
  /** Parts of one size before the size doubles; 0, as without: never. */
  readonly doublesEvery?: number;
  readonly checksum?: PartChecksum;
  /** False: `copy` answers undefined. */
  readonly copies?: boolean;
  /** What is made no object of: parts of more than one size, until they are cut alike; or any. */
  readonly refuses?: 'unequal' | 'all';
  /** False: an abort is denied. */
  readonly aborts?: boolean;
}

export interface OpenUpload extends BeginRequest {
  readonly uploadId: string;
  /** By number. */
  readonly parts: ReadonlyMap<number, { readonly etag: string; readonly bytes: Buffer }>;
}

/** What the parts need of the store that they belong to. */
export interface MemoryBucket {
  call<T>(operation: PartOperation, key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  latest(key: string): { readonly object: StoredObject; readonly bytes: Buffer } | undefined;
  store(request: BeginRequest, bytes: Buffer, etag: string): void;
}

/** Uploads in parts as S3 does them: ETags of MD5s, parts that stay, an id that is forgotten once it was completed. */
export class MemoryParts implements PartStore {
  layout: PartLayout;
  readonly #options: MemoryPartsOptions;
  readonly #bucket: MemoryBucket;
  readonly #open = new Map<
    string,
    BeginRequest & { parts: Map<number, { readonly etag: string; readonly bytes: Buffer }> }
  >();
  #begun = 0;

  constructor(options: MemoryPartsOptions, bucket: MemoryBucket) {
    this.layout = { firstBytes: options.firstBytes, doublesEvery: options.doublesEvery ?? 0 };
    this.#options = options;
    this.#bucket = bucket;
  }

  /** What was begun and neither completed nor aborted, oldest first. */
  openUploads(): OpenUpload[] {
    return [...this.#open].map(([uploadId, upload]) => ({ uploadId, ...upload }));
  }

  /** As the bucket's lifecycle does. */
  forget(uploadId: string): void {
    this.#open.delete(uploadId);
  }

  begin(request: BeginRequest, signal: AbortSignal): Promise<BegunUpload> {
    return this.#bucket.call('begin', request.key, signal, async () => {
      this.#begun += 1;
      const uploadId = `upload-${this.#begun}`;
      const token = `token-${this.#begun}`;
      const metadata = { ...request.metadata, ...layoutMetadata(this.layout), upload: token };
      this.#open.set(uploadId, { ...request, metadata, parts: new Map() });
      return { uploadId, checksum: this.#options.checksum ?? 'crc32', layout: this.layout, token };
    });
  }

  send(
    upload: PartUpload,
    part: PartRange,
    source: ByteSource,
    signal: AbortSignal,
    onProgress?: (sentBytes: number) => void,
  ): Promise<SentPart> {
    return this.#bucket.call('sendPart', upload.key, signal, async () => {
      const bytes = Buffer.from(await source.read(part.position, part.sizeBytes));
      if (signal.aborted) throw cancelled(upload.key);
      const sent = this.#keep(upload, part.number, bytes);
      onProgress?.(bytes.length);
      return sent;
    });
  }

  copy(
    upload: PartUpload,
    part: PartRange,
    from: StoredObject,
    crc32: string,
    signal: AbortSignal,
  ): Promise<SentPart | undefined> {
    return this.#bucket.call('copyPart', upload.key, signal, async () => {
      if (this.#options.copies === false) return undefined;
      const found = this.#bucket.latest(from.key);
      if (found?.object.etag !== from.etag) throw new Conflict(from.key, 'the object to copy is not there');
      const bytes = found.bytes.subarray(part.position, part.position + part.sizeBytes);
      if (crc32Of(bytes) !== crc32) throw unlike(upload.key);
      return this.#keep(upload, part.number, bytes);
    });
  }

  complete(
    upload: UploadToComplete,
    parts: readonly SentPart[],
    condition: PutCondition,
    signal: AbortSignal,
  ): Promise<Completed> {
    const { key, uploadId, layout, token, origin } = upload;
    return this.#bucket.call('complete', key, signal, async () => {
      const etag = etagOfParts(parts.map((part) => part.etag));
      const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
      const receipt = { etag, sizeBytes, crc32: combinePieces(parts), partSizeBytes: layout.firstBytes };
      const open = this.#open.get(uploadId);
      const there = this.#bucket.latest(key)?.object;
      const isThere = there?.etag === etag && there.sizeBytes === sizeBytes;
      if (isThere && origin !== undefined && there.metadata['origin'] !== origin)
        throw new Conflict(key, "another session's object is there");
      if (isThere)
        return token === undefined || there.metadata['upload'] === token
          ? receipt
          : { ...receipt, byOther: true };
      if (open === undefined) throw new UploadGone(key);
      this.#assertTaken(upload, parts);
      const expected = 'etag' in condition ? condition.etag : undefined;
      if (there?.etag !== expected)
        throw new Conflict(key, `expected ${expected ?? 'nothing'}, found ${there?.etag ?? 'nothing'}`);
      const kept = parts.map((part) => {
        const found = open.parts.get(part.number);
        if (found?.etag !== part.etag) throw new PartsRefused(key, 'InvalidPart');
        return found.bytes;
      });
      this.#bucket.store(open, Buffer.concat(kept), etag);
      this.#open.delete(uploadId);
      return receipt;
    });
  }

  abort({ key, uploadId }: Pick<PartUpload, 'key' | 'uploadId'>, signal: AbortSignal): Promise<boolean> {
    return this.#bucket.call('abort', key, signal, async () => {
      if (this.#options.aborts === false) return false;
      this.#open.delete(uploadId);
      return true;
    });
  }

  #assertTaken({ key, layout }: PartUpload, parts: readonly SentPart[]): void {
    const sizes = new Set(parts.slice(0, -1).map(({ sizeBytes }) => sizeBytes));
    const { refuses } = this.#options;
    if (refuses === undefined || (refuses === 'unequal' && sizes.size <= 1)) return;
    this.layout = { ...layout, doublesEvery: 0 };
    throw new PartsRefused(key, 'InvalidPart');
  }

  #keep({ key, uploadId }: PartUpload, number: number, bytes: Buffer): SentPart {
    const open = this.#open.get(uploadId);
    if (open === undefined) throw new UploadGone(key);
    const etag = md5Of(bytes);
    open.parts.set(number, { etag, bytes: Buffer.from(bytes) });
    return { number, sizeBytes: bytes.length, etag, crc32: crc32Of(bytes) };
  }
}

function unlike(key: string): Failure {
  const attempted = `writing ${JSON.stringify(key)} in parts: a part is not what was named`;
  return new Failure({ kind: 'transient', code: 'InvalidPart', attempted });
}

function cancelled(key: string): Failure {
  const attempted = `sending a part of ${JSON.stringify(key)}: cancelled`;
  return new Failure({ kind: 'cancelled', code: 'AbortError', attempted });
}
