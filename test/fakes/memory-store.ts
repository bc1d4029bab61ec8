import { Conflict, Failure } from '../../src/domain/failure.ts';
import type {
  ByteSource,
  ObjectStore,
  PutRequest,
  Receipt,
  StoredObject,
} from '../../src/ports/object-store.ts';
import type { BeginRequest, PartStore } from '../../src/ports/part-store.ts';
import { crc32Of, etagLike, md5Of } from './memory-digest.ts';
import { MemoryParts, type MemoryPartsOptions, type OpenUpload, type PartOperation } from './memory-parts.ts';
import { type FaultMoment, PlannedFaults } from './planned-faults.ts';

export type { FaultMoment } from './planned-faults.ts';

export type StoreOperation = 'find' | 'get' | 'verify' | 'put' | PartOperation;

export interface MemoryVersion {
  readonly object: StoredObject;
  readonly bytes: Buffer;
  readonly contentType: string;
}

export interface MemoryStoreOptions {
  /** False: of two first writes at the same time both succeed, and the later one stays. */
  readonly createIsAtomic?: boolean;
  readonly createSettleMs?: number;
  /** Absent: `put` is for all sizes. */
  readonly parts?: MemoryPartsOptions;
}

/** An object store that behaves as its contract says, keeps every version, and fails where a test wants it to. */
export class MemoryStore implements ObjectStore {
  readonly name = 's3://memory';
  parts: PartStore | undefined;
  createIsAtomic: boolean;
  createSettleMs: number;
  /** The destination's clock. */
  nowMs: () => number = () => 0;
  /** Every call in order, `put a/b`. */
  readonly calls: string[] = [];
  readonly #versions = new Map<string, MemoryVersion[]>();
  readonly #faults = new PlannedFaults<StoreOperation>();
  #pauses: Promise<void> = Promise.resolve();

  constructor({ createIsAtomic = true, createSettleMs = 0, parts }: MemoryStoreOptions = {}) {
    this.createIsAtomic = createIsAtomic;
    this.createSettleMs = createSettleMs;
    this.parts =
      parts &&
      new MemoryParts(parts, {
        call: (operation, key, signal, work) => this.#call(operation, key, signal, work),
        latest: (key) => this.versions(key).at(-1),
        store: (request, bytes, etag) => void this.#store(request, bytes, etag),
      });
  }

  /** Uploads in parts that were begun and neither completed nor aborted, oldest first. */
  openUploads(): OpenUpload[] {
    return this.parts instanceof MemoryParts ? this.parts.openUploads() : [];
  }

  /** As the bucket's lifecycle does. */
  forgetUpload(uploadId: string): void {
    if (this.parts instanceof MemoryParts) this.parts.forget(uploadId);
  }

  /** Makes the next call of `operation` fail; called n times, the next n. */
  failNext(operation: StoreOperation, error: Error, moment: FaultMoment = 'before'): void {
    this.#faults.failNext(operation, error, moment);
  }

  /** Makes call number `call` of `operation` fail, counted from 1. */
  failCall(operation: StoreOperation, call: number, error: Error, moment: FaultMoment = 'before'): void {
    this.#faults.failCall(operation, call, error, moment);
  }

  /** Holds every call back until the returned function is called. */
  pause(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#pauses = promise;
    return resolve;
  }

  /** The keys of what is visible, sorted. */
  keys(prefix = ''): string[] {
    return [...this.#versions.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  /** Every version of an object, oldest first. */
  versions(key: string): readonly MemoryVersion[] {
    return this.#versions.get(key) ?? [];
  }

  text(key: string): string {
    const version = this.versions(key).at(-1);
    if (version === undefined) throw new Error(`no object at ${JSON.stringify(key)}`);
    return version.bytes.toString();
  }

  /** Puts something there past all conditions, as another program would. */
  seed(key: string, bytes: Buffer | string, metadata: Readonly<Record<string, string>> = {}): StoredObject {
    const contentType = 'application/octet-stream';
    const body = Buffer.from(bytes);
    return this.#store({ key, contentType, metadata }, body, md5Of(body)).object;
  }

  async find(key: string, signal: AbortSignal): Promise<StoredObject | undefined> {
    return await this.#call('find', key, signal, async () => this.versions(key).at(-1)?.object);
  }

  async get(
    key: string,
    bytesMax: number,
    signal: AbortSignal,
  ): Promise<{ object: StoredObject; bytes: Buffer }> {
    return await this.#call('get', key, signal, async () => {
      const found = this.versions(key).at(-1);
      if (found === undefined)
        throw failure('transient', 'NoSuchKey', `reading ${JSON.stringify(key)}: it is gone`);
      if (found.bytes.length > bytesMax) {
        throw failure(
          'permanent',
          'ObjectTooLarge',
          `reading ${JSON.stringify(key)}: over ${bytesMax} bytes`,
        );
      }
      return { object: found.object, bytes: Buffer.from(found.bytes) };
    });
  }

  async verify(object: StoredObject, source: ByteSource, signal: AbortSignal): Promise<Receipt | undefined> {
    return await this.#call('verify', object.key, signal, async () => {
      if (object.sizeBytes !== source.sizeBytes) return undefined;
      const bytes = await readAll(source, signal);
      await source.assertUnchanged();
      if (etagLike(object, bytes) !== object.etag) return undefined;
      const receipt = { etag: object.etag, sizeBytes: bytes.length, crc32: crc32Of(bytes) };
      const partSize = object.metadata['part-size'];
      const inParts = object.etag.includes('-') && partSize !== undefined;
      return inParts ? { ...receipt, partSizeBytes: Number(partSize) } : receipt;
    });
  }

  async put(request: PutRequest, signal: AbortSignal): Promise<Receipt> {
    return await this.#call('put', request.key, signal, async () => {
      const { key, source } = request;
      // Where first writes are not atomic, what is there is looked at long before the write takes effect.
      if (!this.createIsAtomic) this.#assertCondition(request);
      const bytes = await readAll(source, signal);
      await source.assertUnchanged();
      if (signal.aborted) throw cancelled(key);
      if (this.createIsAtomic || 'etag' in request.condition) this.#assertCondition(request);
      const etag = md5Of(bytes);
      this.#store(request, bytes, etag);
      request.onProgress?.(bytes.length);
      return { etag, sizeBytes: bytes.length, crc32: crc32Of(bytes) };
    });
  }

  async close(): Promise<void> {}

  #assertCondition({ key, condition }: PutRequest): void {
    const found = this.versions(key).at(-1)?.object.etag;
    const expected = 'etag' in condition ? condition.etag : undefined;
    if (found !== expected)
      throw new Conflict(key, `expected ${expected ?? 'nothing'}, found ${found ?? 'nothing'}`);
  }

  #store({ key, contentType, metadata }: BeginRequest, bytes: Buffer, etag: string): MemoryVersion {
    const object = {
      key,
      sizeBytes: bytes.length,
      etag,
      metadata: { ...metadata },
      writtenAtMs: this.nowMs(),
    };
    const version = { object, bytes, contentType };
    this.#versions.set(key, [...this.versions(key), version]);
    return version;
  }

  async #call<T>(
    operation: StoreOperation,
    key: string,
    signal: AbortSignal,
    work: () => Promise<T>,
  ): Promise<T> {
    const fault = this.#faults.count(operation);
    this.calls.push(`${operation} ${key}`);
    await this.#pauses;
    if (signal.aborted) throw cancelled(key);
    fault.before();
    const result = await work();
    fault.after();
    return result;
  }
}

/** In pieces, so that a test can stop it in the middle. */
async function readAll(source: ByteSource, signal: AbortSignal): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const pieceBytes = 1024 * 1024;
  for (let position = 0; position < source.sizeBytes; position += pieceBytes) {
    if (signal.aborted) throw failure('cancelled', 'AbortError', 'reading a source: cancelled');
    pieces.push(await source.read(position, Math.min(pieceBytes, source.sizeBytes - position)));
  }
  return Buffer.concat(pieces);
}

function cancelled(key: string): Failure {
  return failure('cancelled', 'AbortError', `calling the store for ${JSON.stringify(key)}: cancelled`);
}

function failure(kind: 'transient' | 'permanent' | 'cancelled', code: string, attempted: string): Failure {
  return new Failure({ kind, code, attempted, ...(kind === 'permanent' ? { remedy: 'ask for less' } : {}) });
}
