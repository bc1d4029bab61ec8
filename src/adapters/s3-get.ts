import { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { Failure } from '../domain/failure.ts';
import type { StoredObject } from '../ports/object-store.ts';
import { isMissingOrHidden } from './s3-error.ts';
import { toFailure } from './s3-failure.ts';
import { type BucketClient, describeAttempt, findObject, unquote } from './s3-find.ts';

/** A small object, whole. */
export async function getObject(
  at: BucketClient,
  key: string,
  bytesMax: number,
  signal: AbortSignal,
): Promise<{ object: StoredObject; bytes: Buffer }> {
  const doing = describeAttempt('reading', key, at.bucket);
  try {
    const command = new GetObjectCommand({ Bucket: at.bucket, Key: key });
    const answer = await at.client.send(command, { abortSignal: signal });
    const bytes = await readBody(answer.Body, bytesMax, doing);
    const etag = unquote(answer.ETag);
    return { object: { key, sizeBytes: bytes.length, etag, metadata: answer.Metadata ?? {} }, bytes };
  } catch (error) {
    // The policy answers 403 for a key that is gone; listing tells that from a policy that denies reading.
    if (isMissingOrHidden(error) && !signal.aborted && (await findObject(at, key, signal)) === undefined) {
      const attempted = `${doing}: it is no longer there`;
      throw new Failure({ kind: 'transient', code: 'NoSuchKey', attempted });
    }
    throw toFailure(error, doing, signal);
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
