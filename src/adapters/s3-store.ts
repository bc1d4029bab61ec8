import { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { Failure } from '../domain/failure.ts';
import type { ByteSource, ObjectStore, PutRequest, Receipt, StoredObject } from '../ports/object-store.ts';
import type { PartStore } from '../ports/part-store.ts';
import { digestSource } from './object-digest.ts';
import { createS3Client, isAws, type S3Destination } from './s3-client.ts';
import { isMissingOrHidden } from './s3-error.ts';
import { toFailure } from './s3-failure.ts';
import { type BucketClient, describeAttempt, findObject, unquote } from './s3-find.ts';
import { compare, partSizeOf } from './s3-verdict.ts';
import { S3Writer } from './s3-writer.ts';
import { watchErrors } from './source-errors.ts';

export interface S3StoreOptions {
  readonly destination: S3Destination;
  /** At least 5 MiB, the least that S3 takes. Bodies up to this size go in one request. */
  readonly partSizeBytes: number;
  readonly partConcurrency: number;
  /** How long a connection may be silent, and how long a first write may take where it is not atomic. */
  readonly requestTimeoutMs?: number;
}

const defaultRequestTimeoutMs = 60_000;
/** How much later than its own deadline a server may still carry out a request that it had received. */
const settleMarginMs = 2_000;
/** A first write that must be won is small, and is given so long where it is not atomic. */
const createTimeoutMs = 10_000;
const partSizeBytesMin = 5 * 1024 * 1024;

export function createS3Store(options: S3StoreOptions): ObjectStore {
  if (options.partSizeBytes < partSizeBytesMin) {
    throw new Error(
      `opening S3: partSizeBytes is ${options.partSizeBytes}, S3 takes no less than ${partSizeBytesMin}`,
    );
  }
  return new S3Store(options);
}

/**
 * A bucket, under the least policy: PutObject and GetObject on the prefix, ListBucket with it. Nothing else is ever
 * asked for, and a HEAD only for what a list returned, because a missing key answers 403 there.
 */
class S3Store implements ObjectStore {
  readonly name: string;
  readonly createIsAtomic: boolean;
  readonly createSettleMs: number;
  readonly parts: PartStore | undefined;
  readonly #at: BucketClient;
  readonly #writer: S3Writer;

  constructor({ destination, partSizeBytes, partConcurrency, requestTimeoutMs }: S3StoreOptions) {
    const timeoutMs = requestTimeoutMs ?? defaultRequestTimeoutMs;
    const deadlineMs = Math.min(timeoutMs, createTimeoutMs);
    this.name = `s3://${destination.bucket}`;
    this.createIsAtomic = isAws(destination.endpoint);
    this.createSettleMs = this.createIsAtomic ? 0 : deadlineMs + settleMarginMs;
    this.#at = { client: createS3Client(destination, timeoutMs), bucket: destination.bucket };
    this.#writer = new S3Writer({
      at: this.#at,
      destination,
      partSizeBytes,
      partConcurrency,
      honoursConditions: this.createIsAtomic,
      createTimeoutMs: deadlineMs,
      requestTimeoutMs: timeoutMs,
    });
  }

  async find(key: string, signal: AbortSignal): Promise<StoredObject | undefined> {
    return (await findObject(this.#at, key, signal))?.object;
  }

  async get(
    key: string,
    bytesMax: number,
    signal: AbortSignal,
  ): Promise<{ object: StoredObject; bytes: Buffer }> {
    const { client, bucket } = this.#at;
    const doing = describeAttempt('reading', key, bucket);
    try {
      const command = new GetObjectCommand({ Bucket: bucket, Key: key });
      const answer = await client.send(command, { abortSignal: signal });
      const bytes = await readBody(answer.Body, bytesMax, doing);
      const object = {
        key,
        sizeBytes: bytes.length,
        etag: unquote(answer.ETag),
        metadata: answer.Metadata ?? {},
      };
      return { object, bytes };
    } catch (error) {
      // The policy answers 403 for a key that is gone; listing tells that from a policy that denies reading.
      if (isMissingOrHidden(error) && !signal.aborted && (await this.find(key, signal)) === undefined) {
        throw new Failure({
          kind: 'transient',
          code: 'NoSuchKey',
          attempted: `${doing}: it is no longer there`,
        });
      }
      throw toFailure(error, doing, signal);
    }
  }

  async verify(object: StoredObject, source: ByteSource, signal: AbortSignal): Promise<Receipt | undefined> {
    const { sizeBytes } = source;
    const { key, etag } = object;
    if (object.sizeBytes !== sizeBytes) return undefined;
    const partSizeBytes = etag.includes('-') ? partSizeOf(object.metadata) : undefined;
    const digests = await this.#digest(key, source, partSizeBytes, signal);
    const expected = { ...digests, sizeBytes };
    // Another ETag proves nothing: it need not be an MD5. HEAD knows whether it is, and may have a checksum.
    if (digests.etag !== etag) {
      const found = await findObject(this.#at, key, signal);
      if (found?.object.etag !== etag || compare(expected, found.evidence) !== 'same') return undefined;
    }
    return {
      etag,
      sizeBytes,
      crc32: digests.crc32,
      ...(partSizeBytes === undefined ? {} : { partSizeBytes }),
    };
  }

  async #digest(key: string, source: ByteSource, partSizeBytes: number | undefined, signal: AbortSignal) {
    const watched = watchErrors(source);
    try {
      const digests = await digestSource(watched.source, signal, partSizeBytes);
      await watched.source.assertUnchanged();
      return digests;
    } catch (error) {
      if (watched.threw(error)) throw error;
      throw toFailure(error, describeAttempt('verifying', key, this.#at.bucket), signal);
    }
  }

  put(request: PutRequest, signal: AbortSignal): Promise<Receipt> {
    return this.#writer.put(request, signal);
  }

  async close(): Promise<void> {
    this.#at.client.destroy();
  }
}

async function readBody(body: unknown, bytesMax: number, doing: string): Promise<Buffer> {
  if (!(body instanceof Readable)) throw new Error('the answer has no body');
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    if (!Buffer.isBuffer(chunk)) throw new Error('the body is text, not bytes');
    sizeBytes += chunk.length;
    // Leaving the loop ends the connection too.
    if (sizeBytes > bytesMax) throw tooLarge(bytesMax, doing);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(bytesMax: number, doing: string): Failure {
  return new Failure({
    kind: 'permanent',
    code: 'ObjectTooLarge',
    attempted: `${doing}: it is larger than the ${bytesMax} bytes that are read at most`,
    remedy: 'look what wrote it: nothing that we write there is so large',
  });
}
