import { CompleteMultipartUploadCommand } from '@aws-sdk/client-s3';
import { combinePieces } from '../domain/crc32-combine.ts';
import { Conflict, Failure, PartsRefused, UploadGone } from '../domain/failure.ts';
import type { PutCondition } from '../ports/object-store.ts';
import type { Completed, PartUpload, SentPart, UploadToComplete } from '../ports/part-store.ts';
import { etagOfParts } from './object-digest.ts';
import { assertHolds } from './s3-condition.ts';
import { isMissing, isPreconditionFailed, readError } from './s3-error.ts';
import { type BucketClient, describeAttempt, type FoundObject, findObject, unquote } from './s3-find.ts';
import { conditionParams } from './s3-params.ts';
import { compare, type Evidence, type Expected, madeBy } from './s3-verdict.ts';
import { mismatch } from './s3-writer.ts';

export interface Completion {
  readonly at: BucketClient;
  readonly upload: UploadToComplete;
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
const uselessParts = ['InvalidPartOrder', 'BadDigest'];
/** The same, or the server takes no parts that are cut like these. */
const refusedParts = ['InvalidPart', 'EntityTooSmall'];

/**
 * Shows the object, once. Whatever the answer was, or if there was none: when the object is there, whole, it was done.
 * Throws Conflict, UploadGone, Failure, or what the SDK threw.
 */
export async function completeUpload(completion: Completion, signal: AbortSignal): Promise<Completed> {
  const { at, upload, condition, isAws, isKnown, deadline } = completion;
  const parts = completion.parts.toSorted((a, b) => a.number - b.number);
  const expected = expectedOf(parts);
  const receiptOf = (etag: string): Completed => ({
    etag,
    sizeBytes: expected.sizeBytes,
    crc32: expected.crc32,
    partSizeBytes: upload.layout.firstBytes,
  });
  /** The receipt when the object is there, whichever upload of ours showed it. Throws Conflict for another's. */
  const receiptFor = (found: FoundObject | undefined): Completed | undefined => {
    if (found === undefined) return undefined;
    const made = madeBy(upload.token, expected, found);
    if (made && upload.origin !== undefined && found.object.metadata['origin'] !== upload.origin)
      throw new Conflict(upload.key, 'the same bytes are there as an object of another session');
    const receipt = receiptOf(found.object.etag);
    return made === 'byOther' ? { ...receipt, byOther: true } : made && receipt;
  };
  const limited = isAws ? signal : AbortSignal.any([signal, deadline()]);
  if (!isAws) {
    const found = await findObject(at, upload.key, limited);
    // Said before, by us or by an earlier life.
    const receipt = receiptFor(found);
    if (receipt) return receipt;
    assertHolds(upload.key, condition, found);
  }
  try {
    const answered = await send({ ...completion, parts }, expected, limited);
    return receiptOf(await confirm(at, upload, expected, answered, signal));
  } catch (error) {
    if (isDecided(error)) throw error;
    if (signal.aborted) {
      completion.onUnsettled();
      throw error;
    }
    const found = await findObject(at, upload.key, signal);
    const receipt = receiptFor(found);
    if (receipt) return receipt;
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
  { key, token }: PartUpload,
  expected: Expected,
  answered: Evidence,
  signal: AbortSignal,
): Promise<string> {
  if (answered.etag !== '' && compare(expected, answered) === 'same') return answered.etag;
  const found = await findObject(at, key, signal);
  const isOurs = found !== undefined && madeBy(token, expected, found) !== undefined;
  // Without a token, and with nothing to compare but the size, the server's own check of each part has to do.
  const mayBe = token === undefined && found !== undefined && compare(expected, found.evidence) === 'unknown';
  if (isOurs || mayBe) return found.object.etag;
  throw mismatch(describeAttempt('verifying', key, at.bucket), expected, found?.evidence ?? answered);
}

function isDecided(error: unknown): boolean {
  return error instanceof Conflict || error instanceof Failure;
}

function explain(error: unknown, key: string, condition: PutCondition): unknown {
  const { codes } = readError(error);
  if (codes.includes('NoSuchUpload') || codes.some((code) => uselessParts.includes(code)))
    return new UploadGone(key);
  const refusal = codes.find((code) => refusedParts.includes(code));
  if (refusal !== undefined) return new PartsRefused(key, refusal);
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
