import { Conflict, Failure } from '../domain/failure.ts';
import type { PutRequest, Receipt } from '../ports/object-store.ts';
import type { BufferPool } from './buffer-pool.ts';
import { type Body, openBody } from './s3-body.ts';
import type { S3Destination } from './s3-client.ts';
import { assertCondition, isHonoured } from './s3-condition.ts';
import { isMissing, isPreconditionFailed } from './s3-error.ts';
import type { EndpointFacts } from './s3-facts.ts';
import { toFailure } from './s3-failure.ts';
import { type BucketClient, describeAttempt, findObject, unquote } from './s3-find.ts';
import { conditionHeaders, objectHeaders, sumHeaders } from './s3-params.ts';
import type { EndpointProbe } from './s3-probe.ts';
import type { S3Sender } from './s3-sender.ts';
import { compare, type Evidence, type Expected } from './s3-verdict.ts';
import { watchErrors } from './source-errors.ts';
import type { SumThread } from './sum-thread.ts';

export interface S3WriterOptions {
  readonly at: BucketClient;
  readonly destination: S3Destination;
  readonly sender: S3Sender;
  readonly pool: BufferPool;
  readonly sumThread: SumThread;
  readonly probe: EndpointProbe;
  /** AWS means what it says of a condition; others are looked at once more. */
  readonly isAws: boolean;
  /** Signals how long a write may take whose condition only a look before it keeps. */
  readonly deadline: (sizeBytes: number) => AbortSignal;
}

/**
 * Writes of whole objects that keep their condition, on servers that honour conditions and on those that do not.
 *
 * Measured on Ceph 16: If-None-Match is honoured on PutObject to a bucket without versions, and silently ignored on
 * one with versions; If-Match holds for an ETag without quotes only, and on a bucket with versions fails even when it
 * is right. So where the probe found that a condition is not honoured, what is there is looked at right before the
 * write; of two such first writes the later wins, which the caller finds out by looking again after `createSettleMs`.
 */
export class S3Writer {
  readonly #options: S3WriterOptions;

  constructor(options: S3WriterOptions) {
    this.#options = options;
  }

  async put(request: PutRequest, signal: AbortSignal): Promise<Receipt> {
    const { source, key } = request;
    const { sender, probe, at } = this.#options;
    const { source: watched, threw } = watchErrors(source);
    try {
      const facts = await probe.facts(signal);
      const wanted = await sender.wantedSums(facts.checksum === 'md5');
      const range = {
        source: watched,
        position: 0,
        sizeBytes: source.sizeBytes,
        beforeEnd: () => watched.assertUnchanged(),
      };
      const body = await openBody(range, this.#options, wanted, signal);
      try {
        await watched.assertUnchanged();
        return await this.#send(request, body, facts, signal);
      } finally {
        body.release();
      }
    } catch (error) {
      if (error instanceof Conflict || threw(error)) throw error;
      throw toFailure(error, describeAttempt('writing', key, at.bucket), signal);
    }
  }

  async #send(request: PutRequest, body: Body, facts: EndpointFacts, signal: AbortSignal): Promise<Receipt> {
    const { key, condition } = request;
    const honoured = isHonoured(condition, facts);
    try {
      return await this.#write(request, body, facts, honoured, signal);
    } catch (error) {
      if ('etag' in condition && isMissing(error)) throw new Conflict(key, 'the object to replace is gone');
      if (!honoured || !isPreconditionFailed(error)) throw error;
      if ('absent' in condition) throw new Conflict(key, 'another object is there');
      if (this.#options.isAws) throw new Conflict(key, 'the object to replace was replaced');
      await assertCondition(this.#options.at, key, condition, signal);
      this.#options.probe.distrustReplacing();
      return await this.#write(request, body, facts, false, signal);
    }
  }

  async #write(
    request: PutRequest,
    body: Body,
    facts: EndpointFacts,
    honoured: boolean,
    signal: AbortSignal,
  ): Promise<Receipt> {
    const { at, destination, sender, deadline } = this.#options;
    const { key, condition, onProgress } = request;
    const limited = honoured ? signal : AbortSignal.any([signal, deadline(body.sizeBytes)]);
    if (!honoured) await assertCondition(at, key, condition, limited);
    const headers = {
      ...objectHeaders(destination, request),
      ...sumHeaders(body.sums, facts.checksum),
      ...(honoured ? conditionHeaders(condition) : {}),
    };
    // Where nothing keeps a second copy out, a request whose answer was lost is not sent again.
    const answer = await sender.put({ key, headers, body, repeatable: honoured }, limited, onProgress);
    const { crc32, md5 } = body.sums;
    const expected = { sizeBytes: body.sizeBytes, crc32, etag: md5?.toString('hex') };
    const evidence = {
      etag: unquote(answer['etag']),
      crc32: facts.checksum === 'crc32' ? answer['x-amz-checksum-crc32'] : undefined,
      encryption: answer['x-amz-server-side-encryption'] ?? destination.encryption,
    };
    const etag = await this.#confirm(key, expected, evidence, signal);
    return { etag, sizeBytes: body.sizeBytes, crc32 };
  }

  /** The object's ETag once the server holds what was read; asks with HEAD where the answer to the write left it open. */
  async #confirm(key: string, expected: Expected, answered: Evidence, signal: AbortSignal): Promise<string> {
    const { at } = this.#options;
    const first = answered.etag === '' ? 'unknown' : compare(expected, answered);
    if (first === 'same') return answered.etag;
    const found = first === 'different' ? undefined : await findObject(at, key, signal);
    const evidence = found?.evidence ?? answered;
    // Without anything to compare but the size, the server's own check of the checksum that was sent has to do.
    if (found !== undefined && compare(expected, evidence) !== 'different') return found.object.etag;
    throw mismatch(describeAttempt('verifying', key, at.bucket), expected, evidence);
  }
}

export function mismatch(doing: string, expected: Expected, found: Evidence): Failure {
  return new Failure({
    kind: 'transient',
    code: 'IntegrityMismatch',
    attempted:
      `${doing}: read ${expected.sizeBytes} bytes with CRC-32 ${expected.crc32}` +
      (expected.etag === undefined ? '' : ` and ETag "${expected.etag}"`) +
      `, found ${found.sizeBytes ?? expected.sizeBytes} bytes with ETag "${found.etag}"` +
      (found.crc32 === undefined ? '' : ` and CRC-32 ${found.crc32}`),
  });
}
