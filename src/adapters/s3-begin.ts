import { CreateMultipartUploadCommand } from '@aws-sdk/client-s3';
import type { PartLayout } from '../domain/part-layout.ts';
import type { BeginRequest, PartChecksum } from '../ports/part-store.ts';
import type { S3Destination } from './s3-client.ts';
import { type BucketClient, describeAttempt, notS3 } from './s3-find.ts';
import { objectParams } from './s3-params.ts';
import { layoutMetadata, tokenName } from './s3-verdict.ts';

export interface UploadHead {
  readonly at: BucketClient;
  readonly destination: S3Destination;
  /** What to ask for; what is agreed may be less. */
  readonly checksum: PartChecksum;
  readonly layout: PartLayout;
  readonly token: string;
}

/**
 * Begins an upload whose whole is protected by one CRC-32 that the server keeps. A server that agrees to less, such as
 * a checksum of checksums, which depends on the parts, is asked for none at all: it then has MD5s to compare.
 */
export async function beginUpload(
  head: UploadHead,
  request: BeginRequest,
  signal: AbortSignal,
): Promise<{ uploadId: string; checksum: PartChecksum }> {
  if (head.checksum === 'crc32') {
    const { uploadId, isWhole, isNone } = await create(head, request, true, signal);
    if (isWhole) return { uploadId, checksum: 'crc32' };
    if (isNone) return { uploadId, checksum: 'md5' };
  }
  const { uploadId } = await create(head, request, false, signal);
  return { uploadId, checksum: 'md5' };
}

async function create(
  { at, destination, layout, token }: UploadHead,
  { key, contentType, metadata }: BeginRequest,
  withChecksum: boolean,
  signal: AbortSignal,
) {
  const named = {
    key,
    contentType,
    metadata: { ...metadata, ...layoutMetadata(layout), [tokenName]: token },
  };
  const command = new CreateMultipartUploadCommand({
    ...objectParams(destination, named),
    ...(withChecksum ? { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' } : {}),
  });
  const answer = await at.client.send(command, { abortSignal: signal });
  if (answer.UploadId === undefined)
    throw notS3(`${describeAttempt('writing', key, at.bucket)}: the answer names no upload`);
  return {
    uploadId: answer.UploadId,
    isWhole: answer.ChecksumType === 'FULL_OBJECT',
    isNone: answer.ChecksumAlgorithm === undefined,
  };
}
