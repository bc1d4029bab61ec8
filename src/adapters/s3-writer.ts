import { PutObjectCommand, type PutObjectCommandInput } from '@aws-sdk/client-s3';
import { Conflict, Failure } from '../domain/failure.ts';
import type { PutRequest, Receipt } from '../ports/object-store.ts';
import { type Digests, ObjectDigest } from './object-digest.ts';
import type { S3Destination } from './s3-client.ts';
import { isMissing, isPreconditionFailed } from './s3-error.ts';
import { toFailure } from './s3-failure.ts';
import { type BucketClient, describeAttempt, findObject, unquote } from './s3-find.ts';
import { uploadParts } from './s3-multipart.ts';
import { choosePartSize, compare, type Evidence, partSizeMetadata } from './s3-verdict.ts';
import { watchErrors } from './source-errors.ts';

export interface S3WriterOptions {
  readonly at: BucketClient;
  readonly destination: S3Destination;
  readonly partSizeBytes: number;
  readonly partConcurrency: number;
  /** Whether the server is known to honour If-None-Match and If-Match on every write. */
  readonly honoursConditions: boolean;
  /** From the look at what is there to the end of the write that relies on it, where conditions are not honoured. */
  readonly createTimeoutMs: number;
  /** The same for bodies that are too large to be a contested first log, on a slow link. */
  readonly requestTimeoutMs: number;
}

/** Two sessions can only contest a key with their first logs, and those are small. */
const contestedBytesMax = 256 * 1024;

/** One write under way: the bytes' digests, and what the server said of them. */
interface Sent extends Digests {
  readonly evidence: Evidence;
}

/**
 * Writes that keep their condition, on servers that honour conditions and on those that do not.
 *
 * Measured on Ceph 16: If-None-Match is honoured on PutObject to a bucket without versions, and silently ignored on
 * one with versions and on CompleteMultipartUpload; If-Match holds for an ETag without quotes only, and on a bucket
 * with versions fails even when it is right. So unless the server is known to be better, what is there is looked at
 * right before the write as well; of two such first writes the later wins, which the caller finds out by looking
 * again after `createSettleMs`.
 */
export class S3Writer {
  readonly #options: S3WriterOptions;
  /** False once a server refused an If-Match that was right. */
  #honoursIfMatch = true;

  constructor(options: S3WriterOptions) {
    this.#options = options;
  }

  async put(request: PutRequest, signal: AbortSignal): Promise<Receipt> {
    const { key, source } = request;
    const { at, partSizeBytes } = this.#options;
    const parts = choosePartSize(source.sizeBytes, partSizeBytes);
    const watched = watchErrors(source);
    try {
      const sent = await this.#sendOnCondition({ ...request, source: watched.source }, parts, signal);
      const etag = await this.#confirm(key, { ...sent, sizeBytes: source.sizeBytes }, sent.evidence, signal);
      const partSize = parts === undefined ? {} : { partSizeBytes: parts };
      return { etag, sizeBytes: source.sizeBytes, crc32: sent.crc32, ...partSize };
    } catch (error) {
      if (error instanceof Conflict || watched.threw(error)) throw error;
      throw toFailure(error, describeAttempt('writing', key, at.bucket), signal);
    }
  }

  async #sendOnCondition(request: PutRequest, parts: number | undefined, signal: AbortSignal): Promise<Sent> {
    const { key, condition } = request;
    const send = () =>
      parts === undefined ? this.#sendWhole(request, signal) : this.#sendParts(request, parts, signal);
    try {
      return await send();
    } catch (error) {
      if ('etag' in condition && isMissing(error)) throw new Conflict(key, 'the object to replace is gone');
      if (!isPreconditionFailed(error)) throw error;
      if ('absent' in condition) throw new Conflict(key, 'another object is there');
      if (this.#options.honoursConditions) throw new Conflict(key, 'the object to replace was replaced');
      await this.#assertCondition(request, signal);
      this.#honoursIfMatch = false;
      return await send();
    }
  }

  /** A Buffer in one request: the SDK cannot send a stream again, and some servers answer one with 411. */
  async #sendWhole(request: PutRequest, signal: AbortSignal): Promise<Sent> {
    const { source, onProgress } = request;
    const bytes = source.sizeBytes === 0 ? Buffer.alloc(0) : await source.read(0, source.sizeBytes);
    const digest = new ObjectDigest();
    digest.update(bytes);
    const digests = digest.finish();
    await source.assertUnchanged();
    const abortSignal = AbortSignal.any([signal, this.#createDeadline(source.sizeBytes)]);
    if (!this.#options.honoursConditions) await this.#assertCondition(request, abortSignal);
    const input = { ...this.#params(request), Body: bytes, ChecksumCRC32: digests.crc32 };
    const answer = await this.#options.at.client.send(new PutObjectCommand(input), { abortSignal });
    onProgress?.(bytes.length);
    const evidence = {
      etag: unquote(answer.ETag),
      crc32: answer.ChecksumCRC32,
      encryption: answer.ServerSideEncryption ?? this.#options.destination.encryption,
    };
    return { ...digests, evidence };
  }

  async #sendParts(request: PutRequest, partSizeBytes: number, signal: AbortSignal): Promise<Sent> {
    const { source, onProgress } = request;
    const { at, partConcurrency, honoursConditions } = this.#options;
    // A conflict is cheaper to find before the parts than after them.
    await this.#assertCondition(request, signal);
    const { Metadata, ...params } = this.#params(request);
    const beforeComplete = async () => {
      await source.assertUnchanged();
      // From here on only: how long the parts take depends on the link.
      const deadline = this.#createDeadline(source.sizeBytes);
      if (!honoursConditions) await this.#assertCondition(request, AbortSignal.any([signal, deadline]));
      return deadline;
    };
    const digests = await uploadParts(
      {
        client: at.client,
        source,
        partSizeBytes,
        partConcurrency,
        params: {
          ...params,
          Metadata: { ...Metadata, ...partSizeMetadata(partSizeBytes) },
          // Where checksums are kept, one of the whole object: HEAD can be compared with it, whatever the parts.
          ...(honoursConditions ? { ChecksumType: 'FULL_OBJECT' } : {}),
        },
        beforeComplete,
        onProgress: (sentBytes) => onProgress?.(sentBytes),
      },
      signal,
    );
    // Ceph answers `ETag: ""` here; HEAD has it.
    return { ...digests, evidence: { etag: '' } };
  }

  /** The object's ETag once the server holds what was read; asks with HEAD where the answer to the write left it open. */
  async #confirm(
    key: string,
    expected: Digests & { sizeBytes: number },
    answered: Evidence,
    signal: AbortSignal,
  ) {
    const first = answered.etag === '' ? 'unknown' : compare(expected, answered);
    if (first === 'same') return answered.etag;
    const found = first === 'different' ? undefined : await findObject(this.#options.at, key, signal);
    const evidence = found?.evidence ?? answered;
    // Without anything to compare but the size, the server's own check of the checksum that was sent has to do.
    if (found !== undefined && compare(expected, evidence) !== 'different') return found.object.etag;
    throw new Failure({
      kind: 'transient',
      code: 'IntegrityMismatch',
      attempted:
        `${describeAttempt('verifying', key, this.#options.at.bucket)}: ` +
        `read ${expected.sizeBytes} bytes with ETag "${expected.etag}" and CRC-32 ${expected.crc32}, ` +
        `found ${evidence.sizeBytes ?? expected.sizeBytes} bytes with ETag "${evidence.etag}"` +
        (evidence.crc32 === undefined ? '' : ` and CRC-32 ${evidence.crc32}`),
    });
  }

  async #assertCondition({ key, condition }: PutRequest, signal: AbortSignal): Promise<void> {
    const found = await findObject(this.#options.at, key, signal);
    if ('absent' in condition) {
      if (found !== undefined)
        throw new Conflict(key, `another object is there, ETag "${found.object.etag}"`);
    } else if (found?.object.etag !== condition.etag) {
      const there = found === undefined ? 'nothing' : `"${found.object.etag}"`;
      throw new Conflict(key, `expected ETag "${condition.etag}", found ${there}`);
    }
  }

  #params({ key, contentType, metadata, condition }: PutRequest): PutObjectCommandInput {
    const { bucket, storageClass, encryption, kmsKeyId, tags } = this.#options.destination;
    const tagging = new URLSearchParams(tags).toString();
    const params: PutObjectCommandInput = {
      Bucket: bucket,
      Key: key,
      ContentType: contentType,
      Metadata: { ...metadata },
      ...this.#conditionHeader(condition),
      ...(encryption === undefined ? {} : { ServerSideEncryption: encryption }),
      ...(kmsKeyId === undefined ? {} : { SSEKMSKeyId: kmsKeyId }),
      ...(tagging === '' ? {} : { Tagging: tagging }),
    };
    // The SDK's type knows AWS's classes only; other servers have their own.
    return Object.assign(params, storageClass === undefined ? {} : { StorageClass: storageClass });
  }

  #conditionHeader(condition: PutRequest['condition']): { IfNoneMatch?: string; IfMatch?: string } {
    if ('absent' in condition) return { IfNoneMatch: '*' };
    return this.#honoursIfMatch ? { IfMatch: condition.etag } : {};
  }

  /** Never, where conditions are honoured: there a late write fails. */
  #createDeadline(sizeBytes: number): AbortSignal {
    const { honoursConditions, createTimeoutMs, requestTimeoutMs } = this.#options;
    if (honoursConditions) return new AbortController().signal;
    return AbortSignal.timeout(sizeBytes <= contestedBytesMax ? createTimeoutMs : requestTimeoutMs);
  }
}
