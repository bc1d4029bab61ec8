import { CompleteMultipartUploadCommand } from '@aws-sdk/client-s3';
import { combinePieces } from '../domain/crc32-combine.ts';
import { Conflict, Failure, UploadGone } from '../domain/failure.ts';
import type { PutCondition, Receipt } from '../ports/object-store.ts';
import type { PartUpload, SentPart } from '../ports/part-store.ts';
import { etagOfParts } from './object-digest.ts';
import { assertHolds } from './s3-condition.ts';
import { isMissing, isPreconditionFailed, readError } from './s3-error.ts';
import { type BucketClient, describeAttempt, findObject, unquote } from './s3-find.ts';
import { conditionParams } from './s3-params.ts';
import { compare, type Evidence, type Expected } from './s3-verdict.ts';
import { mismatch } from './s3-writer.ts';

export interface Completion {
  readonly at: BucketClient;
  readonly upload: PartUpload;
  readonly parts: readonly SentPart[];
  readonly condition: PutCondition;
  /** Whether the server keeps conditions on this request; else a look before it has to do. */
  readonly isAws: boolean;
  /** Whether the server knows the upload, where its answer did not say. */
  readonly isKnown: () => Promise<boolean>;
  readonly deadline: () => AbortSignal;
  /** Nobody knows whether this request will still be carried out. */
  readonly onUnsettled: () => void;
}

/** The parts are not what was recorded of them: completing will never succeed, and they are sent anew. */
const uselessParts = ['InvalidPart', 'InvalidPartOrder', 'EntityTooSmall', 'BadDigest'];

/**
 * Shows the object, once. Whatever the answer was, or if there was none: when the object is there, whole, it was done.
 * Throws Conflict, UploadGone, Failure, or what the SDK threw.
 */
export async function completeUpload(completion: Completion, signal: AbortSignal): Promise<Receipt> {
  const { at, upload, condition, isAws, isKnown, deadline } = completion;
  const parts = completion.parts.toSorted((a, b) => a.number - b.number);
  const expected = expectedOf(parts);
  const receiptOf = (etag: string): Receipt => ({
    etag,
    sizeBytes: expected.sizeBytes,
    crc32: expected.crc32,
    partSizeBytes: upload.layout.firstBytes,
  });
  const limited = isAws ? signal : AbortSignal.any([signal, deadline()]);
  if (!isAws) {
    const found = await findObject(at, upload.key, limited);
    // Said before, by us or by an earlier life.
    if (found !== undefined && compare(expected, found.evidence) === 'same')
      return receiptOf(found.object.etag);
    assertHolds(upload.key, condition, found);
  }
  try {
    const answered = await send({ ...completion, parts }, expected, limited);
    return receiptOf(await confirm(at, upload.key, expected, answered, signal));
  } catch (error) {
    if (isDecided(error)) throw error;
    if (signal.aborted) {
      completion.onUnsettled();
      throw error;
    }
    const found = await findObject(at, upload.key, signal);
    if (found !== undefined && compare(expected, found.evidence) === 'same')
      return receiptOf(found.object.etag);
    const explained = explain(error, upload.key, condition);
    // Ceph 16 answers 500 for ever when there is no such upload.
    if (explained === error && !isAws && !(await isKnown())) throw new UploadGone(upload.key);
    if (explained === error) completion.onUnsettled();
    throw explained;
  }
}

async function send({ at, upload, parts, condition }: Completion, expected: Expected, signal: AbortSignal) {
  const isKept = upload.checksum === 'crc32';
  const answer = await at.client.send(
    new CompleteMultipartUploadCommand({
      Bucket: at.bucket,
      Key: upload.key,
      UploadId: upload.uploadId,
      MultipartUpload: {
        Parts: parts.map(({ number, etag, crc32 }) => ({
          PartNumber: number,
          ETag: etag,
          ...(isKept ? { ChecksumCRC32: crc32 } : {}),
        })),
      },
      ...(isKept
        ? { ChecksumCRC32: expected.crc32, ChecksumType: 'FULL_OBJECT', MpuObjectSize: expected.sizeBytes }
        : {}),
      ...conditionParams(condition),
    }),
    { abortSignal: signal },
  );
  const isWhole = isKept && !answer.ChecksumCRC32?.includes('-');
  return {
    etag: unquote(answer.ETag),
    crc32: isWhole ? answer.ChecksumCRC32 : undefined,
    encryption: answer.ServerSideEncryption,
  };
}

/** The object's ETag. Ceph answers `ETag: ""` here; HEAD has it. */
async function confirm(
  at: BucketClient,
  key: string,
  expected: Expected,
  answered: Evidence,
  signal: AbortSignal,
): Promise<string> {
  if (answered.etag !== '' && compare(expected, answered) === 'same') return answered.etag;
  const found = await findObject(at, key, signal);
  if (found !== undefined && compare(expected, found.evidence) !== 'different') return found.object.etag;
  throw mismatch(describeAttempt('verifying', key, at.bucket), expected, found?.evidence ?? answered);
}

function isDecided(error: unknown): boolean {
  return error instanceof Conflict || error instanceof Failure;
}

function explain(error: unknown, key: string, condition: PutCondition): unknown {
  const { codes } = readError(error);
  if (codes.includes('NoSuchUpload') || codes.some((code) => uselessParts.includes(code)))
    return new UploadGone(key);
  if (isPreconditionFailed(error)) return new Conflict(key, 'what is there is not what was expected');
  if ('etag' in condition && isMissing(error)) return new Conflict(key, 'the object to replace is gone');
  return error;
}

function expectedOf(parts: readonly SentPart[]): Expected {
  const areMd5 = parts.every(({ etag }) => /^[0-9a-f]{32}$/.test(etag));
  return {
    sizeBytes: parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    crc32: combinePieces(parts),
    etag: areMd5 ? etagOfParts(parts.map(({ etag }) => Buffer.from(etag, 'hex'))) : undefined,
  };
}
