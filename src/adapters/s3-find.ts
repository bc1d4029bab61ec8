import { HeadObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { Failure } from '../domain/failure.ts';
import type { StoredObject } from '../ports/object-store.ts';
import { isMissing } from './s3-error.ts';
import { toFailure } from './s3-failure.ts';
import type { Evidence } from './s3-verdict.ts';

/** The bucket, and how to name a key of it in messages. */
export interface BucketClient {
  readonly client: S3Client;
  readonly bucket: string;
}

export interface FoundObject {
  readonly object: StoredObject;
  readonly evidence: Evidence;
}

export function describeAttempt(verb: string, key: string, bucket: string): string {
  return `${verb} ${JSON.stringify(key)} in s3://${bucket}`;
}

/**
 * The object at exactly this key. Asked by listing, because under the least policy HEAD answers 403 for a missing
 * key; HEAD, which alone has the metadata, follows only for what the list returned.
 */
export async function findObject(
  { client, bucket }: BucketClient,
  key: string,
  signal: AbortSignal,
): Promise<FoundObject | undefined> {
  const doing = describeAttempt('looking for', key, bucket);
  try {
    if (!(await isListed({ client, bucket }, key, signal))) return undefined;
  } catch (error) {
    // A list that is not found is no answer of a bucket: a gateway, a proxy or a wrong path.
    if (isMissing(error) && !signal.aborted) throw notS3(`${doing}: the list answered 404`);
    throw toFailure(error, doing, signal);
  }
  try {
    const command = new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' });
    const head = await client.send(command, { abortSignal: signal });
    const sizeBytes = head.ContentLength ?? 0;
    const etag = unquote(head.ETag);
    // A checksum of checksums, `…-N`, says nothing of the whole.
    const crc32 = head.ChecksumCRC32?.includes('-') ? undefined : head.ChecksumCRC32;
    const written = head.LastModified && { writtenAtMs: head.LastModified.getTime() };
    return {
      object: { key, sizeBytes, etag, metadata: head.Metadata ?? {}, ...written },
      evidence: { sizeBytes, etag, crc32, encryption: head.ServerSideEncryption },
    };
  } catch (error) {
    if (isMissing(error) && !signal.aborted) return undefined;
    throw toFailure(error, doing, signal);
  }
}

export function unquote(etag: string | undefined): string {
  return (etag ?? '').replaceAll('"', '');
}

async function isListed(
  { client, bucket }: BucketClient,
  key: string,
  signal: AbortSignal,
): Promise<boolean> {
  // A key is the first of all that begin with it. Encoded, because XML cannot hold every character of a key.
  const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: key, MaxKeys: 1, EncodingType: 'url' });
  const list = await client.send(command, { abortSignal: signal });
  if (list.Name === undefined) {
    // A captive portal or a wrong endpoint answers 200 too, and "nothing there" would be believed.
    throw notS3(`${describeAttempt('looking for', key, bucket)}: the answer is no list of a bucket`);
  }
  return (list.Contents ?? []).some((entry) => decodeKey(entry.Key ?? '') === key);
}

/** What answers is something else: a captive portal, a proxy, another server. */
export function notS3(attempted: string): Failure {
  const remedy = 'check the endpoint: what answers there is no S3 server';
  return new Failure({ kind: 'blocked', code: 'UnreadableAnswer', attempted, remedy });
}

/** Undefined for a key that is not UTF-8, which is none of ours. */
export function decodeKey(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
