import { Readable } from 'node:stream';
import { CompleteMultipartUploadCommand, type S3Client } from '@aws-sdk/client-s3';
import { type Options, Upload } from '@aws-sdk/lib-storage';
import type { ByteSource } from '../ports/object-store.ts';
import { type Digests, ObjectDigest, readChunks } from './object-digest.ts';

export interface PartsRequest {
  readonly client: S3Client;
  readonly source: ByteSource;
  readonly partSizeBytes: number;
  readonly partConcurrency: number;
  /** Bucket, key, headers; the condition too, which lib-storage passes on to the request that completes. */
  readonly params: Omit<Options['params'], 'Body'>;
  /**
   * Called when every part is there, right before the request that shows the object; what throws leaves nothing
   * visible. Returns the signal for that request.
   */
  readonly beforeComplete: () => Promise<AbortSignal>;
  readonly onProgress: (sentBytes: number) => void;
}

/**
 * Sends a large object in parts. A failed upload leaves its parts to the bucket's lifecycle: the policy need not
 * allow to abort. Returns or throws only when no request and no read is under way any more, so that the caller may
 * close the file; this is why lib-storage's own abort(), which does not wait, is not used.
 */
export async function uploadParts(request: PartsRequest, signal: AbortSignal): Promise<Digests> {
  const { source, partSizeBytes, partConcurrency, params } = request;
  const digest = new ObjectDigest(partSizeBytes);
  // The first failure ends the other parts too; nobody needs them any more.
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  let cause: { readonly error: unknown } | undefined;
  const fail = (error: unknown) => {
    cause ??= { error };
    failed.abort();
    return error;
  };

  async function* body(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of readChunks(source)) {
        either.throwIfAborted();
        digest.update(chunk);
        yield chunk;
      }
    } catch (error) {
      throw fail(error);
    }
  }

  const upload = new Upload({
    client: withSignals(request, either, fail),
    // One chunk ahead: the default would hold sixteen.
    params: { ...params, Body: Readable.from(body(), { highWaterMark: 1 }), ContentLength: source.sizeBytes },
    partSize: partSizeBytes,
    queueSize: partConcurrency,
    leavePartsOnError: true,
  });
  upload.on('httpUploadProgress', ({ loaded }) => request.onProgress(loaded ?? 0));
  try {
    await upload.done();
  } catch (error) {
    throw cause === undefined ? error : cause.error;
  }
  return digest.finish();
}

/** The client as lib-storage sees it, which passes no signal to what it sends. */
function withSignals(
  { client, beforeComplete }: PartsRequest,
  signal: AbortSignal,
  fail: (error: unknown) => unknown,
): S3Client {
  const send = async (command: Parameters<S3Client['send']>[0]) => {
    try {
      const completes = command instanceof CompleteMultipartUploadCommand;
      const abortSignal = completes ? AbortSignal.any([signal, await beforeComplete()]) : signal;
      return await client.send(command, { abortSignal });
    } catch (error) {
      throw fail(error);
    }
  };
  return Object.create(client, { send: { value: send } });
}
