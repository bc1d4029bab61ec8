import { Failure, UploadGone } from '../domain/failure.ts';
import { type PartRange, partsOf } from '../domain/part-layout.ts';
import type { PutRequest, Receipt } from '../ports/object-store.ts';
import type { PartStore, SentPart } from '../ports/part-store.ts';

/**
 * Sends an object in parts in one go, without anything that is remembered of it. A failed upload leaves its parts to
 * the bucket's lifecycle: the policy need not allow to abort. Throws only when nothing is under way any more, so that
 * the caller may close the file.
 */
export async function putInParts(
  parts: PartStore,
  partConcurrency: number,
  request: PutRequest,
  signal: AbortSignal,
): Promise<Receipt> {
  const { key, contentType, metadata, source, condition, onProgress } = request;
  const upload = { key, ...(await parts.begin({ key, contentType, metadata }, signal)) };
  // The first failure ends the other parts too; nobody needs them any more.
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const ranges = partsOf(upload.layout, source.sizeBytes);
  const sent: SentPart[] = [];
  let movedBytes = 0;
  const sendNext = async () => {
    for (const range of take(ranges)) {
      let partBytes = 0;
      const onPart = (sentBytes: number) => {
        // A part that is sent again starts over; what was told stays.
        movedBytes += Math.max(0, sentBytes - partBytes);
        partBytes = Math.max(partBytes, sentBytes);
        onProgress?.(movedBytes);
      };
      sent.push(await parts.send(upload, range, source, either, onPart));
    }
  };
  let cause: { readonly error: unknown } | undefined;
  const fail = (error: unknown) => {
    cause ??= { error };
    failed.abort();
  };
  await Promise.all(Array.from({ length: partConcurrency }, () => sendNext().catch(fail)));
  if (cause !== undefined) throw asFailure(cause.error);
  try {
    await source.assertUnchanged();
    return await parts.complete(upload, sent, condition, signal);
  } catch (error) {
    throw asFailure(error);
  }
}

/** One iterator for all: leaving the loop of one must not end it for the others. */
function* take(ranges: Generator<PartRange>): Generator<PartRange> {
  for (let next = ranges.next(); next.done !== true; next = ranges.next()) yield next.value;
}

/** Nothing was remembered, so an upload that is gone is a failure like another. */
function asFailure(error: unknown): unknown {
  if (!(error instanceof UploadGone)) return error;
  return new Failure({ kind: 'transient', code: 'NoSuchUpload', attempted: error.message, cause: error });
}
