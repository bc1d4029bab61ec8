import type { S3Client } from '@aws-sdk/client-s3';
import { probeKey } from '../domain/object-key.ts';
import type { PartLayout } from '../domain/part-layout.ts';
import type { ByteSource, ObjectStore, PutRequest, Receipt, StoredObject } from '../ports/object-store.ts';
import type { PartStore } from '../ports/part-store.ts';
import { type Bandwidth, unlimited } from './bandwidth.ts';
import { BufferPool } from './buffer-pool.ts';
import { digestSource } from './object-digest.ts';
import { digestPacked, isPacked } from './packed-stream.ts';
import type { S3Access } from './s3-access.ts';
import { createS3Client, isAws, type S3Destination } from './s3-client.ts';
import { assertCondition } from './s3-condition.ts';
import { toFailure } from './s3-failure.ts';
import { type BucketClient, describeAttempt, findObject } from './s3-find.ts';
import { getObject } from './s3-get.ts';
import { EndpointLayout } from './s3-layout.ts';
import { putInParts } from './s3-multipart.ts';
import { PackedWriter } from './s3-packed.ts';
import { S3Parts } from './s3-parts.ts';
import { EndpointProbe } from './s3-probe.ts';
import { S3Sender } from './s3-sender.ts';
import { compare, layoutOf } from './s3-verdict.ts';
import { S3Writer } from './s3-writer.ts';
import { watchErrors } from './source-errors.ts';
import { SumThread } from './sum-thread.ts';
import { systemClock } from './system-time.ts';

export interface S3StoreOptions {
  readonly destination: S3Destination;
  /** At least 5 MiB, the least that S3 takes. Bodies up to this size go in one request. */
  readonly partSizeBytes: number;
  readonly partConcurrency: number;
  /** The largest object there will be: only where parts must be alike does that decide on their size. */
  readonly objectBytesMax?: number | undefined;
  /** Of all bodies on their way. */
  readonly memoryBytesMax?: number | undefined;
  readonly bandwidth?: Bandwidth | undefined;
  readonly checksums?: 'auto' | 'crc32' | 'md5' | undefined;
  /** Where the server is asked what it honours, and what keeps its answers from one life to the next. */
  readonly probeKey?: string | undefined;
  readonly recall?: ((name: string) => string | undefined) | undefined;
  readonly remember?: ((name: string, value: string) => void) | undefined;
  /** What requests are signed with; without it, the destination's key pair or the SDK's own chain, and the host's time. */
  readonly access?: S3Access | undefined;
  /** The caller tries again what fails, with pauses of its own. */
  readonly isRetried?: boolean | undefined;
  /** How long a connection may be silent, and how long a first write may take where it is not atomic. */
  readonly requestTimeoutMs?: number | undefined;
}

const defaultRequestTimeoutMs = 60_000;
/** How much later than its own deadline a server may still carry out a request that it had received. */
const settleMarginMs = 2_000;
/** A first write that must be won is small, and is given so long where it is not atomic. */
const createTimeoutMs = 10_000;
/** Two sessions can only contest a key with their first logs, and those are small. */
const contestedBytesMax = 256 * 1024;
const defaultMemoryBytesMax = 48 * 1024 * 1024;

export function createS3Store(options: S3StoreOptions): ObjectStore {
  return new S3Store(options);
}

/**
 * A bucket, under the least policy: PutObject and GetObject on the prefix, ListBucket with it. Nothing else is asked
 * for but an abort, which may be denied; and a HEAD only for what a list returned, because a missing key answers 403.
 */
class S3Store implements ObjectStore {
  readonly name: string;
  readonly parts: PartStore;
  readonly #at: BucketClient;
  readonly #clients = new Set<S3Client>();
  readonly #sender: S3Sender;
  readonly #pool: BufferPool;
  readonly #sumThread = new SumThread();
  readonly #probe: EndpointProbe;
  readonly #writer: S3Writer;
  readonly #openPackedWriter: () => PackedWriter;
  #packedWriter: PackedWriter | undefined;
  readonly #partConcurrency: number;
  readonly #settleMs: number;
  /** Monotonic; until then a request that completes an upload, and was given up, may be carried out over newer bytes. */
  #unsettledUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: S3StoreOptions) {
    const { destination, access, bandwidth = unlimited, memoryBytesMax = defaultMemoryBytesMax } = options;
    const idleTimeoutMs = options.requestTimeoutMs ?? defaultRequestTimeoutMs;
    const deadlineMs = Math.min(idleTimeoutMs, createTimeoutMs);
    const aws = isAws(destination.endpoint);
    const recall = options.recall ?? (() => undefined);
    const remember = options.remember ?? (() => {});
    const { partSizeBytes, objectBytesMax } = options;
    const layout = new EndpointLayout({
      destination,
      partSizeBytes,
      objectBytesMax,
      isAws: aws,
      recall,
      remember,
    });
    this.name = `s3://${destination.bucket}`;
    this.#settleMs = deadlineMs + settleMarginMs;
    this.#partConcurrency = options.partConcurrency;
    this.#at = {
      client: createS3Client(destination, idleTimeoutMs, access, options.isRetried),
      bucket: destination.bucket,
    };
    this.#clients.add(this.#at.client);
    this.#sender = new S3Sender({ at: this.#at, access, bandwidth, idleTimeoutMs });
    this.#probe = new EndpointProbe({
      at: this.#at,
      sender: this.#sender,
      destination,
      isAws: aws,
      checksums: options.checksums ?? 'auto',
      key: options.probeKey ?? probeKey('training-logs/'),
      recall,
      remember,
    });
    this.#pool = new BufferPool({ bytesMax: memoryBytesMax, clock: systemClock });
    const shared = {
      at: this.#at,
      sumThread: this.#sumThread,
      destination,
      sender: this.#sender,
      pool: this.#pool,
      probe: this.#probe,
      isAws: aws,
      deadline: (sizeBytes: number) =>
        AbortSignal.timeout(sizeBytes <= contestedBytesMax ? deadlineMs : idleTimeoutMs),
    };
    this.#writer = new S3Writer(shared);
    this.#openPackedWriter = () => {
      // One part that fails would cost all that was packed so far: these are tried again by the SDK.
      const client = options.isRetried ? createS3Client(destination, idleTimeoutMs, access) : this.#at.client;
      this.#clients.add(client);
      return new PackedWriter({ ...shared, at: { ...this.#at, client }, bandwidth });
    };
    const onUnsettled = () => {
      if (!aws) this.#unsettledUntilMs = systemClock.monotonicMs() + this.#settleMs;
    };
    this.parts = new S3Parts({ ...shared, layout, clock: systemClock, onUnsettled });
  }

  get createIsAtomic(): boolean {
    const { createsOnce, replacesExactly } = this.#probe.known ?? {};
    return createsOnce === true && replacesExactly === true && !this.#isUnsettled();
  }

  #isUnsettled(): boolean {
    return systemClock.monotonicMs() < this.#unsettledUntilMs;
  }

  get createSettleMs(): number {
    return this.createIsAtomic ? 0 : this.#settleMs;
  }

  async find(key: string, signal: AbortSignal): Promise<StoredObject | undefined> {
    return (await findObject(this.#at, key, signal))?.object;
  }

  get(key: string, bytesMax: number, signal: AbortSignal): Promise<{ object: StoredObject; bytes: Buffer }> {
    return getObject(this.#at, key, bytesMax, signal);
  }

  async verify(object: StoredObject, source: ByteSource, signal: AbortSignal): Promise<Receipt | undefined> {
    const { key, etag, sizeBytes } = object;
    if (!isPacked(source) && source.sizeBytes !== sizeBytes) return undefined;
    const layout = etag.includes('-') ? layoutOf(object.metadata, this.parts.layout) : undefined;
    const digests = await this.#digest(key, source, layout, signal);
    const expected = { sizeBytes, ...digests };
    if (expected.sizeBytes !== sizeBytes) return undefined;
    // Another ETag proves nothing: it need not be an MD5. HEAD knows whether it is, and may have a checksum.
    if (digests.etag !== etag) {
      const found = await findObject(this.#at, key, signal);
      if (found?.object.etag !== etag || compare(expected, found.evidence) !== 'same') return undefined;
    }
    const partSize = layout === undefined ? {} : { partSizeBytes: layout.firstBytes };
    return { etag, sizeBytes, crc32: digests.crc32, ...partSize };
  }

  async #digest(key: string, source: ByteSource, layout: PartLayout | undefined, signal: AbortSignal) {
    const watched = watchErrors(source);
    try {
      const digests = await (isPacked(watched.source)
        ? digestPacked(watched.source, signal, layout)
        : digestSource(watched.source, signal, layout));
      await watched.source.assertUnchanged();
      return digests;
    } catch (error) {
      if (watched.threw(error)) throw error;
      throw toFailure(error, describeAttempt('verifying', key, this.#at.bucket), signal);
    }
  }

  async put(request: PutRequest, signal: AbortSignal): Promise<Receipt> {
    const { source, key, condition } = request;
    if (isPacked(source)) {
      this.#packedWriter ??= this.#openPackedWriter();
      return await this.#packedWriter.put({ ...request, source }, signal);
    }
    if (source.sizeBytes <= this.parts.layout.firstBytes) return await this.#writer.put(request, signal);
    // A conflict is cheaper to find before the parts than after them.
    await assertCondition(this.#at, key, condition, signal);
    return await putInParts(this.parts, this.#partConcurrency, request, signal);
  }

  async close(): Promise<void> {
    this.#sender.close();
    this.#pool.close();
    await this.#sumThread.close();
    for (const client of this.#clients) client.destroy();
  }
}
