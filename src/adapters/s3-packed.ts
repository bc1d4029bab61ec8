import { once } from 'node:events';
import { Readable } from 'node:stream';
import { AbortMultipartUploadCommand, type S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { Conflict } from '../domain/failure.ts';
import { constantLayout, type PartLayout, partBytesMin } from '../domain/part-layout.ts';
import type { PutRequest, Receipt } from '../ports/object-store.ts';
import type { Bandwidth } from './bandwidth.ts';
import type { BufferPool } from './buffer-pool.ts';
import { ObjectDigest } from './object-digest.ts';
import { type PackedSource, packedChunks } from './packed-stream.ts';
import type { S3Destination } from './s3-client.ts';
import { assertCondition, isHonoured } from './s3-condition.ts';
import { isMissing, isPreconditionFailed } from './s3-error.ts';
import type { EndpointFacts } from './s3-facts.ts';
import { toFailure } from './s3-failure.ts';
import { type BucketClient, describeAttempt, findObject } from './s3-find.ts';
import { conditionParams, objectParams } from './s3-params.ts';
import type { EndpointProbe } from './s3-probe.ts';
import { compare, type Expected, layoutMetadata } from './s3-verdict.ts';
import { mismatch } from './s3-writer.ts';
import { watchErrors } from './source-errors.ts';

export interface PackedWriterOptions {
  readonly at: BucketClient;
  readonly destination: S3Destination;
  readonly pool: BufferPool;
  readonly probe: EndpointProbe;
  readonly bandwidth: Bandwidth;
  readonly isAws: boolean;
}

export type PackedRequest = PutRequest & { readonly source: PackedSource };

/** Packing is slower than most links: more than this would only wait in memory. */
const partsAtOnce = 2;
/** Packing makes nothing larger than this share more than it was. */
const growthMax = 1.01;

/**
 * Objects whose size is known only when they have been packed, by lib-storage's Upload: in one request when they fit
 * into a part, else in parts. One that is broken off starts over. Before the last byte goes, the source is asked once
 * more whether it changed, and where the server keeps no conditions the key is looked at.
 */
export class PackedWriter {
  readonly #options: PackedWriterOptions;

  constructor(options: PackedWriterOptions) {
    this.#options = options;
  }

  async put(request: PackedRequest, signal: AbortSignal): Promise<Receipt> {
    const { at, pool, probe } = this.#options;
    const { source, key } = request;
    const { source: watched, threw } = watchErrors(source);
    try {
      const facts = await probe.facts(signal);
      // Upload has its own buffers: so many of ours stay unused meanwhile.
      const lease = await pool.lease(Math.min(pool.bodyBytesMax, 2 * source.sizeBytes), signal);
      try {
        return await this.#onCondition(
          { ...request, source: { ...watched, encoding: source.encoding } },
          facts,
          signal,
        );
      } finally {
        lease.release();
      }
    } catch (error) {
      if (error instanceof Conflict || threw(error)) throw error;
      throw toFailure(error, describeAttempt('writing', key, at.bucket), signal);
    }
  }

  async #onCondition(request: PackedRequest, facts: EndpointFacts, signal: AbortSignal): Promise<Receipt> {
    const { key, condition } = request;
    const honoured = isHonoured(condition, facts);
    // A conflict is cheaper to find before the bytes than after them.
    await assertCondition(this.#options.at, key, condition, signal);
    try {
      return await this.#upload(request, facts, honoured, signal);
    } catch (error) {
      if ('etag' in condition && isMissing(error)) throw new Conflict(key, 'the object to replace is gone');
      if (!honoured || !isPreconditionFailed(error)) throw error;
      if ('absent' in condition) throw new Conflict(key, 'another object is there');
      if (this.#options.isAws) throw new Conflict(key, 'the object to replace was replaced');
      this.#options.probe.distrustReplacing();
      return await this.#upload(request, facts, false, signal);
    }
  }

  async #upload(
    request: PackedRequest,
    facts: EndpointFacts,
    honoured: boolean,
    signal: AbortSignal,
  ): Promise<Receipt> {
    const { at, destination } = this.#options;
    const { key, condition, metadata } = request;
    const layout = constantLayout(partBytesMin, Math.ceil(request.source.sizeBytes * growthMax));
    const sums = new PackedSums(layout);
    const body = Readable.from(this.#body(request, sums, signal));
    // Upload throws what it reads; later nobody is left to tell.
    body.on('error', () => undefined);
    const upload = new Upload({
      client: withSignal(at.client, signal),
      params: {
        ...objectParams(destination, { ...request, metadata: { ...metadata, ...layoutMetadata(layout) } }),
        ...(honoured ? conditionParams(condition) : {}),
        ...(facts.checksum === 'crc32' ? { ChecksumType: 'FULL_OBJECT' as const } : {}),
        Body: body,
      },
      partSize: layout.firstBytes,
      queueSize: partsAtOnce,
      // Its own way of freeing them would hide the error where the policy denies that.
      leavePartsOnError: true,
    });
    try {
      await upload.done();
    } catch (error) {
      if (upload.uploadId !== undefined) await this.#free(key, upload.uploadId);
      throw error;
    } finally {
      await close(body);
    }
    return await this.#confirm(key, sums, layout, signal);
  }

  async *#body(request: PackedRequest, sums: PackedSums, signal: AbortSignal): AsyncGenerator<Buffer> {
    const { source, key, condition, onProgress } = request;
    const { at, bandwidth, isAws } = this.#options;
    for await (const chunk of packedChunks(source, signal, onProgress)) {
      await bandwidth.take(chunk.length, signal);
      sums.update(chunk);
      yield chunk;
    }
    await source.assertUnchanged();
    if (!isAws) await assertCondition(at, key, condition, signal);
  }

  async #confirm(key: string, sums: PackedSums, layout: PartLayout, signal: AbortSignal): Promise<Receipt> {
    const { at } = this.#options;
    const expected = sums.finish();
    const found = await findObject(at, key, signal);
    if (found === undefined || compare(expected, found.evidence) === 'different')
      throw mismatch(describeAttempt('verifying', key, at.bucket), expected, found?.evidence ?? { etag: '' });
    const { etag } = found.object;
    const { sizeBytes, crc32 } = expected;
    return { etag, sizeBytes, crc32, ...(etag.includes('-') ? { partSizeBytes: layout.firstBytes } : {}) };
  }

  async #free(key: string, uploadId: string): Promise<void> {
    const { client, bucket } = this.#options.at;
    try {
      await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId }));
    } catch {
      // reason: the policy need not allow it; the bucket's lifecycle removes the parts
    }
  }
}

/** The digests of an object that is one request when it fits into a part, else many. */
class PackedSums {
  readonly #whole = new ObjectDigest();
  readonly #inParts: ObjectDigest;
  readonly #partBytes: number;
  #sizeBytes = 0;

  constructor(layout: PartLayout) {
    this.#inParts = new ObjectDigest(layout);
    this.#partBytes = layout.firstBytes;
  }

  update(chunk: Buffer): void {
    // Past the first part it is known which one counts.
    if (this.#sizeBytes <= this.#partBytes) this.#whole.update(chunk);
    this.#inParts.update(chunk);
    this.#sizeBytes += chunk.length;
  }

  finish(): Expected {
    const { etag, crc32 } = this.#inParts.finish();
    const isWhole = this.#sizeBytes <= this.#partBytes;
    return { sizeBytes: this.#sizeBytes, crc32, etag: isWhole ? this.#whole.finish().etag : etag };
  }
}

/** The source may be closed once nobody reads it any more. */
async function close(body: Readable): Promise<void> {
  if (body.closed) return;
  const closed = once(body, 'close');
  body.destroy();
  await closed;
}

/** Upload gives no signal to its requests: abandoned ones would go on, their bytes with them. */
function withSignal(client: S3Client, abortSignal: AbortSignal): S3Client {
  const send = (command: Parameters<S3Client['send']>[0]) => client.send(command, { abortSignal });
  return Object.create(client, { send: { value: send } });
}
