import { AbortMultipartUploadCommand, UploadPartCopyCommand } from '@aws-sdk/client-s3';
import { Conflict, Failure, PartsRefused, UploadGone } from '../domain/failure.ts';
import type { PartLayout, PartRange } from '../domain/part-layout.ts';
import type { Clock } from '../ports/clock.ts';
import type { ByteSource, PutCondition, StoredObject } from '../ports/object-store.ts';
import type {
  BeginRequest,
  BegunUpload,
  Completed,
  PartStore,
  PartUpload,
  SentPart,
  UploadToComplete,
} from '../ports/part-store.ts';
import type { BufferPool } from './buffer-pool.ts';
import { beginUpload } from './s3-begin.ts';
import { type Body, openBody } from './s3-body.ts';
import type { S3Destination } from './s3-client.ts';
import { completeUpload } from './s3-complete.ts';
import { assertCondition } from './s3-condition.ts';
import { isMissing, isPreconditionFailed, readError } from './s3-error.ts';
import { toFailure } from './s3-failure.ts';
import { type BucketClient, describeAttempt, notS3, unquote } from './s3-find.ts';
import type { LayoutChoice } from './s3-layout.ts';
import { sumHeaders } from './s3-params.ts';
import type { EndpointProbe } from './s3-probe.ts';
import type { S3Sender } from './s3-sender.ts';
import { isUploadKnown } from './s3-upload-known.ts';
import { isMd5 } from './s3-verdict.ts';
import { mismatch } from './s3-writer.ts';
import { watchErrors } from './source-errors.ts';
import type { SumThread } from './sum-thread.ts';

export interface S3PartsOptions {
  readonly at: BucketClient;
  readonly destination: S3Destination;
  readonly sender: S3Sender;
  readonly pool: BufferPool;
  readonly sumThread: SumThread;
  readonly probe: EndpointProbe;
  readonly layout: LayoutChoice;
  readonly clock: Clock;
  readonly isAws: boolean;
  readonly deadline: (sizeBytes: number) => AbortSignal;
  /** An upload may still be completed by a request that was given up, on a server that keeps no conditions then. */
  readonly onUnsettled: () => void;
}

/** In place, because a part that arrives costs less than an attempt of the whole file. */
const repeatsMax = 2;
const repeatPauseMs = 250;
/** Codes with which a server says that it does not copy, or not for us. */
const noCopy = ['AccessDenied', 'NotImplemented', 'MethodNotAllowed', 'InvalidRequest', 'InvalidArgument'];
const noCopyStatus = [403, 405, 501];

/** Objects in parts, under the least policy: no part is ever listed. */
export class S3Parts implements PartStore {
  readonly #options: S3PartsOptions;

  constructor(options: S3PartsOptions) {
    this.#options = options;
  }

  get layout(): PartLayout {
    return this.#options.layout.current;
  }

  begin(request: BeginRequest, signal: AbortSignal): Promise<BegunUpload> {
    return this.#doing('writing', request.key, signal, async () => {
      const { at, destination, probe, clock } = this.#options;
      const { layout } = this;
      const { checksum } = await probe.facts(signal);
      const token = `${drawn(clock)}${drawn(clock)}`;
      const begun = await beginUpload({ at, destination, checksum, layout, token }, request, signal);
      return { ...begun, layout, token };
    });
  }

  async send(
    upload: PartUpload,
    part: PartRange,
    source: ByteSource,
    signal: AbortSignal,
    onProgress?: (sentBytes: number) => void,
  ): Promise<SentPart> {
    const { source: watched, threw } = watchErrors(source);
    const { sender } = this.#options;
    const send = async () => {
      const wanted = await sender.wantedSums(upload.checksum === 'md5');
      const body = await openBody({ ...part, source: watched }, this.#options, wanted, signal);
      try {
        return await this.#repeat(signal, threw, () =>
          this.#sendBody(upload, part, body, signal, onProgress),
        );
      } finally {
        body.release();
      }
    };
    return await this.#doing('writing', upload.key, signal, send, threw);
  }

  copy(
    upload: PartUpload,
    part: PartRange,
    from: StoredObject,
    crc32: string,
    signal: AbortSignal,
  ): Promise<SentPart | undefined> {
    const { at, isAws } = this.#options;
    const { number, position, sizeBytes } = part;
    return this.#doing('copying to', upload.key, signal, async () => {
      const command = new UploadPartCopyCommand({
        Bucket: at.bucket,
        Key: upload.key,
        UploadId: upload.uploadId,
        PartNumber: number,
        CopySource: `${at.bucket}/${from.key.split('/').map(encodeURIComponent).join('/')}`,
        CopySourceRange: `bytes=${position}-${position + sizeBytes - 1}`,
        CopySourceIfMatch: from.etag,
      });
      try {
        const { CopyPartResult: copied } = await at.client.send(command, { abortSignal: signal });
        const etag = unquote(copied?.ETag);
        // Other bytes than the caller knows: sending them is always right, and counts instead.
        const isOther = copied?.ChecksumCRC32 !== undefined && copied.ChecksumCRC32 !== crc32;
        // Ceph 16 ignores the condition: while the object is the same afterwards, its bytes were the right ones.
        if (!isAws) await assertCondition(at, from.key, { etag: from.etag }, signal);
        return etag === '' || isOther ? undefined : { number, sizeBytes, etag, crc32 };
      } catch (error) {
        if (signal.aborted || error instanceof Conflict) throw error;
        if (isPreconditionFailed(error) || isMissing(error))
          throw new Conflict(from.key, 'the object to copy from was replaced');
        const { codes, status = 0 } = readError(error);
        if (noCopyStatus.includes(status) || codes.some((code) => noCopy.includes(code))) return undefined;
        throw error;
      }
    });
  }

  complete(
    upload: UploadToComplete,
    parts: readonly SentPart[],
    condition: PutCondition,
    signal: AbortSignal,
  ): Promise<Completed> {
    const { at, isAws, onUnsettled } = this.#options;
    const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
    const deadline = () => this.#options.deadline(sizeBytes);
    const isKnown = () => isUploadKnown(this.#options.sender, upload, signal);
    const completion = { at, upload, parts, condition, isAws, isKnown, deadline, onUnsettled };
    return this.#doing('completing', upload.key, signal, async () => {
      try {
        return await completeUpload(completion, signal);
      } catch (error) {
        if (error instanceof PartsRefused) this.#options.layout.refused();
        throw error;
      }
    });
  }

  abort({ key, uploadId }: Pick<PartUpload, 'key' | 'uploadId'>, signal: AbortSignal): Promise<boolean> {
    const { client, bucket } = this.#options.at;
    return this.#doing('aborting', key, signal, async () => {
      try {
        const command = new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId });
        await client.send(command, { abortSignal: signal });
        return true;
      } catch (error) {
        const { codes } = readError(error);
        if (codes.includes('NoSuchUpload')) return true;
        if (codes.includes('AccessDenied')) return false;
        throw error;
      }
    });
  }

  async #sendBody(
    upload: PartUpload,
    { number }: PartRange,
    body: Body,
    signal: AbortSignal,
    onProgress: ((sentBytes: number) => void) | undefined,
  ): Promise<SentPart> {
    const { sender, at, destination } = this.#options;
    const { key, uploadId, checksum } = upload;
    const { sizeBytes, sums } = body;
    const query = { partNumber: String(number), uploadId };
    const headers = sumHeaders(sums, checksum);
    const answer = await sender.put({ key, query, headers, body, repeatable: true }, signal, onProgress);
    const doing = describeAttempt(`verifying part ${number} of`, key, at.bucket);
    const found = {
      etag: unquote(answer['etag']),
      crc32: checksum === 'crc32' ? answer['x-amz-checksum-crc32'] : undefined,
      encryption: answer['x-amz-server-side-encryption'] ?? destination.encryption,
    };
    if (found.etag === '') throw notS3(`${doing}: the answer has no ETag`);
    const etag = sums.md5?.toString('hex');
    const isOther =
      found.crc32 === undefined
        ? etag !== undefined && isMd5(found) && found.etag !== etag
        : found.crc32 !== sums.crc32;
    if (isOther) throw mismatch(doing, { sizeBytes, crc32: sums.crc32, etag }, found);
    return { number, sizeBytes, etag: found.etag, crc32: sums.crc32 };
  }

  /** A failure that is of this request alone may pass by trying again; all others are the caller's. */
  async #repeat<T>(
    signal: AbortSignal,
    threw: (error: unknown) => boolean,
    work: () => Promise<T>,
  ): Promise<T> {
    const { clock } = this.#options;
    for (let repeats = 0; ; repeats++) {
      try {
        return await work();
      } catch (error) {
        if (repeats >= repeatsMax || signal.aborted || threw(error)) throw error;
        const { kind, throttled, retryAfterMs, code } = toFailure(error, 'sending a part', signal);
        const isOurs = kind === 'transient' && !throttled && retryAfterMs === undefined;
        if (!isOurs || code === 'NoSuchUpload') throw error;
        await clock.sleep(clock.random() * repeatPauseMs * 2 ** repeats, signal);
      }
    }
  }

  async #doing<T>(
    verb: string,
    key: string,
    signal: AbortSignal,
    work: () => Promise<T>,
    threw: (error: unknown) => boolean = () => false,
  ): Promise<T> {
    const doing = describeAttempt(verb, key, this.#options.at.bucket);
    try {
      if (signal.aborted)
        throw new Failure({ kind: 'cancelled', code: 'AbortError', attempted: `${doing}: cancelled` });
      return await work();
    } catch (error) {
      if (error instanceof Conflict || error instanceof UploadGone || threw(error)) throw error;
      if (!signal.aborted && readError(error).codes.includes('NoSuchUpload')) throw new UploadGone(key);
      throw toFailure(error, doing, signal);
    }
  }
}

/** 48 bits, as hex. */
function drawn(clock: Pick<Clock, 'random'>): string {
  const bits = Math.floor(clock.random() * 2 ** 48);
  return bits.toString(16).padStart(12, '0');
}
