import { partsMax } from '../domain/part-layout.ts';
import type { PartUpload } from '../ports/part-store.ts';
import { bodyOf } from './s3-body.ts';
import { readError } from './s3-error.ts';
import type { S3Sender } from './s3-sender.ts';

/** Of other bytes than those that are sent. */
const wrongMd5 = Buffer.alloc(16).toString('base64');

/**
 * Whether the server still knows an upload, asked without the right to list its parts: by a part that it must refuse,
 * since its Content-MD5 is wrong. Should it be taken all the same, it has the last of all numbers and no list names it.
 */
export async function isUploadKnown(
  sender: S3Sender,
  { key, uploadId }: Pick<PartUpload, 'key' | 'uploadId'>,
  signal: AbortSignal,
): Promise<boolean> {
  const body = bodyOf(Buffer.from('?'), await sender.wantedSums(false));
  const query = { partNumber: String(partsMax), uploadId };
  try {
    await sender.put({ key, query, headers: { 'content-md5': wrongMd5 }, body, repeatable: true }, signal);
    return true;
  } catch (error) {
    // Any other refusal tells nothing, and what led here is told instead.
    return !readError(error).codes.includes('NoSuchUpload');
  }
}
