import type { CreateMultipartUploadCommandInput } from '@aws-sdk/client-s3';
import type { PutCondition } from '../ports/object-store.ts';
import type { S3Destination } from './s3-client.ts';

export interface ObjectHead {
  readonly key: string;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a new object is given, for a request by the SDK. Nothing that the policy might deny unless it is configured. */
export function objectParams(
  { bucket, storageClass, encryption, kmsKeyId, tags }: S3Destination,
  { key, contentType, metadata }: ObjectHead,
): CreateMultipartUploadCommandInput {
  const tagging = new URLSearchParams(tags).toString();
  const params: CreateMultipartUploadCommandInput = {
    Bucket: bucket,
    Key: key,
    ContentType: contentType,
    Metadata: { ...metadata },
    ...(encryption === undefined ? {} : { ServerSideEncryption: encryption }),
    ...(kmsKeyId === undefined ? {} : { SSEKMSKeyId: kmsKeyId }),
    ...(tagging === '' ? {} : { Tagging: tagging }),
  };
  // The SDK's type knows AWS's classes only; other servers have their own.
  return Object.assign(params, storageClass === undefined ? {} : { StorageClass: storageClass });
}

/** The same, for a request of our own. */
export function objectHeaders(destination: S3Destination, head: ObjectHead): Record<string, string> {
  const params = objectParams(destination, head);
  const named = {
    'content-type': params.ContentType,
    'x-amz-storage-class': params.StorageClass,
    'x-amz-server-side-encryption': params.ServerSideEncryption,
    'x-amz-server-side-encryption-aws-kms-key-id': params.SSEKMSKeyId,
    'x-amz-tagging': params.Tagging,
  };
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(named)) if (value) headers[name] = value;
  for (const [name, value] of Object.entries(head.metadata)) headers[`x-amz-meta-${name}`] = value;
  return headers;
}

/** Without quotes: Ceph 16 compares them as part of the ETag, AWS takes both. */
export function conditionParams(condition: PutCondition): { IfNoneMatch: '*' } | { IfMatch: string } {
  return 'absent' in condition ? { IfNoneMatch: '*' } : { IfMatch: condition.etag };
}

export function conditionHeaders(condition: PutCondition): Record<string, string> {
  return 'absent' in condition ? { 'if-none-match': '*' } : { 'if-match': condition.etag };
}

/** What the server is to check the body by. */
export function sumHeaders(
  sums: { readonly crc32: string; readonly md5?: Buffer | undefined },
  by: 'crc32' | 'md5',
) {
  return by === 'md5' && sums.md5 !== undefined
    ? { 'content-md5': sums.md5.toString('base64') }
    : { 'x-amz-checksum-crc32': sums.crc32 };
}
