import { Readable } from 'node:stream';
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
} from '@aws-sdk/client-s3';
import { Failure } from '../domain/failure.ts';
import type {
  ListedObject,
  ListManner,
  ObjectReader,
  OpenedObject,
  ReadFrom,
} from '../ports/object-reader.ts';
import type { S3Access } from './s3-access.ts';
import { createS3Client, type S3Destination } from './s3-client.ts';
import { isArchived, isMissing, isMissingOrHidden, isPreconditionFailed } from './s3-error.ts';
import { toFailure } from './s3-failure.ts';
import { type BucketClient, decodeKey, describeAttempt, notS3, unquote } from './s3-find.ts';
import { restoreCommand } from './s3-restore.ts';

const idleTimeoutMs = 60_000;
/** Classes whose objects answer a GET only once they were restored; of GLACIER_IR they answer at once. */
const archiveClasses: ReadonlySet<string> = new Set(['GLACIER', 'DEEP_ARCHIVE']);

export function createS3Reader(destination: S3Destination, access: S3Access | undefined): ObjectReader {
  return new S3Reader(destination, access);
}

/** A bucket under the least policy: ListObjectsV2 with a prefix, and GetObject of what a list returned. */
class S3Reader implements ObjectReader {
  readonly name: string;
  readonly #at: BucketClient;
  readonly #destination: S3Destination;

  constructor(destination: S3Destination, access: S3Access | undefined) {
    this.name = `s3://${destination.bucket}`;
    this.#destination = destination;
    this.#at = { client: createS3Client(destination, idleTimeoutMs, access), bucket: destination.bucket };
  }

  async *pages(
    prefix: string,
    how: ListManner,
    signal: AbortSignal,
  ): AsyncGenerator<readonly ListedObject[]> {
    const { limit } = how;
    let token: string | undefined;
    do {
      const page = await this.#page(prefix, how, token, signal);
      yield listedIn(page);
      token = limit === undefined ? nextOf(page, prefix, this.#at.bucket) : undefined;
    } while (token !== undefined);
  }

  async #page(
    prefix: string,
    { isFlat, limit }: ListManner,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<ListObjectsV2CommandOutput> {
    const { client, bucket } = this.#at;
    const doing = describeAttempt('listing', prefix, bucket);
    try {
      // Encoded, because XML cannot hold every character of a key.
      const command = new ListObjectsV2Command({
        ...{ Bucket: bucket, Prefix: prefix, EncodingType: 'url' },
        ...(isFlat && { Delimiter: '/' }),
        ...(limit !== undefined && { MaxKeys: limit }),
        ...(token !== undefined && { ContinuationToken: token }),
      });
      const page = await client.send(command, { abortSignal: signal });
      if (page.Name === undefined) throw notS3(`${doing}: the answer is no list of a bucket`);
      return page;
    } catch (error) {
      if (isMissing(error) && !signal.aborted) throw notS3(`${doing}: the list answered 404`);
      throw toFailure(error, doing, signal);
    }
  }

  async read(key: string, { position, etag }: ReadFrom, signal: AbortSignal): Promise<OpenedObject> {
    const { client, bucket } = this.#at;
    const doing = describeAttempt('reading', key, bucket);
    try {
      const command = new GetObjectCommand({
        ...{ Bucket: bucket, Key: key },
        ...(position > 0 && { Range: `bytes=${position}-` }),
        ...(etag !== undefined && { IfMatch: `"${etag}"` }),
      });
      const answer = await client.send(command, { abortSignal: signal });
      return openedOf(answer, { position, etag }, doing, signal);
    } catch (error) {
      if (isPreconditionFailed(error) && !signal.aborted) throw replaced(doing);
      if (isArchived(error)) throw toFailure(error, doing, signal);
      // The policy answers 403 for a key that is gone; listing tells that from a policy that denies reading.
      if (isMissingOrHidden(error) && !signal.aborted && !(await this.#isThere(key, signal)))
        throw gone(doing);
      throw toFailure(error, doing, signal);
    }
  }

  async #isThere(key: string, signal: AbortSignal): Promise<boolean> {
    const page = await this.#page(key, { limit: 1 }, undefined, signal);
    return listedIn(page).some((object) => object.key === key);
  }

  restoreCommand(key: string): string {
    return restoreCommand(this.#destination, key);
  }

  async close(): Promise<void> {
    this.#at.client.destroy();
  }
}

function listedIn({ Contents: contents = [] }: ListObjectsV2CommandOutput): ListedObject[] {
  return contents.flatMap((entry) => {
    const key = decodeKey(entry.Key ?? '');
    if (key === undefined) return [];
    const written = entry.LastModified && { writtenAtMs: entry.LastModified.getTime() };
    const isArchived = archiveClasses.has(entry.StorageClass ?? '');
    return [{ key, sizeBytes: entry.Size ?? 0, etag: unquote(entry.ETag), ...written, isArchived }];
  });
}

function nextOf(page: ListObjectsV2CommandOutput, prefix: string, bucket: string): string | undefined {
  if (page.IsTruncated !== true) return undefined;
  // Half a list taken for the whole would call objects missing that are there.
  if (page.NextContinuationToken === undefined)
    throw notS3(`${describeAttempt('listing', prefix, bucket)}: the list ends without saying how it goes on`);
  return page.NextContinuationToken;
}

function openedOf(
  answer: GetObjectCommandOutput,
  { position, etag }: { readonly position: number; readonly etag: string | undefined },
  doing: string,
  signal: AbortSignal,
): OpenedObject {
  const { Body: body, ContentRange: range, ContentLength: length = 0 } = answer;
  if (!(body instanceof Readable)) throw new Error('the answer has no body');
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(range ?? '') ?? [];
  // A proxy that knows no ranges sends all, which taken for the rest would be garbage: what is wanted lies behind it.
  const isWhole = range === undefined && etag !== undefined && unquote(answer.ETag) === etag;
  if (position > 0 && Number(first) !== position && !isWhole) {
    body.destroy();
    throw notS3(`${doing}: asked for the bytes from ${position} on, it sent ${range ?? 'all of them'}`);
  }
  return {
    etag: unquote(answer.ETag),
    sizeBytes: total === undefined ? length : Number(total),
    encryption: answer.ServerSideEncryption ?? '',
    body: isWhole ? behind(position, chunksOf(body, doing, signal)) : chunksOf(body, doing, signal),
  };
}

async function* behind(position: number, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let at = 0;
  for await (const chunk of chunks) {
    const skipped = Math.min(chunk.length, Math.max(0, position - at));
    at += chunk.length;
    if (skipped < chunk.length) yield chunk.subarray(skipped);
  }
}

async function* chunksOf(body: Readable, doing: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const stop = () => void body.destroy(new Error('cancelled'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of body) {
      if (!Buffer.isBuffer(chunk)) throw new Error('the body is text, not bytes');
      yield chunk;
    }
  } catch (error) {
    throw toFailure(error, doing, signal);
  } finally {
    signal.removeEventListener('abort', stop);
    body.destroy();
  }
}

function gone(doing: string): Failure {
  return new Failure({ kind: 'transient', code: 'NoSuchKey', attempted: `${doing}: it is not there` });
}

function replaced(doing: string): Failure {
  const attempted = `${doing}: another object is there than the one that was asked for`;
  return new Failure({ kind: 'transient', code: 'PreconditionFailed', attempted });
}
