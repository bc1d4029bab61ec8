import {
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListPartsCommand,
} from '@aws-sdk/client-s3';
import type { TestBucket } from './s3-bucket.ts';

/** An upload in parts that was neither completed nor aborted. */
export interface UnfinishedUpload {
  readonly key: string;
  readonly uploadId: string;
}

/** As the owner sees them, who may list what the uploader may not. */
export async function unfinishedUploads({ owner, bucket }: TestBucket): Promise<UnfinishedUpload[]> {
  const found: UnfinishedUpload[] = [];
  let next: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {};
  while (next !== undefined) {
    const page: ListMultipartUploadsCommandOutput = await owner.send(
      new ListMultipartUploadsCommand({ Bucket: bucket, ...next }),
    );
    for (const { Key = '', UploadId = '' } of page.Uploads ?? [])
      found.push({ key: Key, uploadId: UploadId });
    const after = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    next = page.IsTruncated ? after : undefined;
  }
  return found;
}

export async function countParts(
  { owner, bucket }: TestBucket,
  { key, uploadId }: UnfinishedUpload,
): Promise<number> {
  const page = await owner.send(new ListPartsCommand({ Bucket: bucket, Key: key, UploadId: uploadId }));
  return page.Parts?.length ?? 0;
}

/** For runs that put more into the server than it should keep. Unfinished uploads go with the bucket. */
export async function removeBucket({ owner, bucket, versions }: TestBucket): Promise<void> {
  const objects = (await versions()).map(({ key, versionId }) => ({ Key: key, VersionId: versionId }));
  for (let at = 0; at < objects.length; at += 500) {
    const Delete = { Objects: objects.slice(at, at + 500), Quiet: true };
    await owner.send(new DeleteObjectsCommand({ Bucket: bucket, Delete }));
  }
  await owner.send(new DeleteBucketCommand({ Bucket: bucket }));
}
