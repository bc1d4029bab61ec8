import { Agent, request as httpRequest } from 'node:http';
import { request as httpsRequest, Agent as SecureAgent } from 'node:https';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Bandwidth } from './bandwidth.ts';
import type { WantedSums } from './body-sums.ts';
import { learnFromAnswer, type S3Access } from './s3-access.ts';
import { refusedTime } from './s3-access-rows.ts';
import { S3AnswerError } from './s3-answer-error.ts';
import type { Body, Write } from './s3-body.ts';
import { type Answer, exchange, StaleConnection } from './s3-exchange.ts';
import type { BucketClient } from './s3-find.ts';
import { type BucketLocation, locateBucket } from './s3-location.ts';
import { systemClock } from './system-time.ts';

export interface S3SenderOptions {
  readonly at: BucketClient;
  /** What the client of `at` signs with; without it the host's own time is signed. */
  readonly access?: S3Access | undefined;
  readonly bandwidth: Bandwidth;
  readonly idleTimeoutMs: number;
}

export interface SentRequest {
  readonly key: string;
  /** Values as they are, not encoded. */
  readonly query?: Readonly<Record<string, string>>;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body;
  /** True when the same bytes may arrive twice: it is then sent again when a connection that was kept is found broken. */
  readonly repeatable: boolean;
}

type Headers = Answer['headers'];

const connectTimeoutMs = 10_000;
/** A server that refuses a large body shall do so before it is sent: its answer is lost when it closes instead. */
const askFromBytes = 1024 * 1024;
const continueTimeoutMs = 1_000;
const unsignedPayload = 'UNSIGNED-PAYLOAD';
const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/**
 * The requests that carry bodies, PutObject and UploadPart, without the SDK: signed and sent, and nothing else. A small
 * one costs a third of the CPU. Errors have the shape of the SDK's; nothing is tried again but what never reached the
 * server.
 */
export class S3Sender {
  readonly #options: S3SenderOptions;
  readonly #agents = { http: new Agent({ keepAlive: true }), https: new SecureAgent({ keepAlive: true }) };
  #located: Promise<BucketLocation> | undefined;
  #asks = true;

  constructor(options: S3SenderOptions) {
    this.#options = options;
  }

  /** Which sums the signature needs: over http the body is signed. */
  async wantedSums(md5: boolean): Promise<WantedSums> {
    const location = await this.#locate();
    return { md5, sha256: !location.secure };
  }

  /** The headers of the answer. Throws what `toFailure` reads, or what the body threw. */
  async put(
    request: SentRequest,
    signal: AbortSignal,
    onProgress?: (sentBytes: number) => void,
  ): Promise<Headers> {
    const offsetMs = this.#options.access?.clock.offsetMs();
    try {
      return await this.#attempt(request, signal, onProgress);
    } catch (error) {
      const isCorrected = isSkew(error) && this.#options.access?.clock.offsetMs() !== offsetMs;
      const isUnheard = error instanceof StaleConnection && request.repeatable;
      if (signal.aborted || !(isCorrected || isUnheard)) throw error;
      return await this.#attempt(request, signal, onProgress);
    }
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  async #attempt(request: SentRequest, signal: AbortSignal, onProgress?: (sentBytes: number) => void) {
    const { idleTimeoutMs } = this.#options;
    const { location, accessKeyId, path, headers } = await this.#sign(request);
    const asks = this.#asks && request.body.sizeBytes >= askFromBytes;
    const outgoing = (location.secure ? httpsRequest : httpRequest)({
      method: 'PUT',
      agent: location.secure ? this.#agents.https : this.#agents.http,
      hostname: location.hostname,
      port: location.port,
      path,
      headers: asks ? { ...headers, expect: '100-continue' } : headers,
      timeout: idleTimeoutMs,
    });
    const answer = await exchange(
      outgoing,
      {
        sizeBytes: request.body.sizeBytes,
        send: (write) => request.body.send(this.#slowly(write, signal, onProgress)),
        connectTimeoutMs,
        idleTimeoutMs,
        ...(asks ? { continueTimeoutMs, onUnasked: () => this.#stopAsking() } : {}),
      },
      signal,
    );
    if (answer.status === 200) {
      this.#learn(answer, accessKeyId);
      return answer.headers;
    }
    const error = new S3AnswerError(answer);
    this.#learn(answer, accessKeyId, error);
    throw error;
  }

  #learn({ headers }: Answer, accessKeyId: string, error?: S3AnswerError): void {
    const { access } = this.#options;
    if (access === undefined) return;
    const { date, age } = headers;
    learnFromAnswer(access, { date, age, accessKeyId, code: error?.name, serverTime: error?.ServerTime });
  }

  /** A server that does not know `Expect` would make every large body wait. */
  #stopAsking(): void {
    this.#asks = false;
  }

  async #sign({ key, query = {}, headers, body }: SentRequest) {
    const { access, at } = this.#options;
    const location = await this.#locate();
    const { hostname, port, secure } = location;
    const path = location.path + key.split('/').map(percentEncode).join('/');
    const sha256 = body.sizeBytes === 0 ? emptySha256 : body.sums.sha256?.toString('hex');
    // Asked for each request, so that renewed ones are used at once.
    const identity = await at.client.config.credentials();
    const signed = await new SignatureV4({
      service: 's3',
      region: location.signingRegion,
      credentials: identity,
      sha256: at.client.config.sha256,
      uriEscapePath: false,
      applyChecksum: false,
    }).sign(
      {
        method: 'PUT',
        protocol: secure ? 'https:' : 'http:',
        hostname,
        path,
        query: { ...query },
        headers: {
          ...headers,
          host: port === undefined ? hostname : `${hostname}:${port}`,
          'content-length': String(body.sizeBytes),
          'x-amz-content-sha256': secure ? unsignedPayload : (sha256 ?? unsignedPayload),
        },
      },
      { signingDate: access?.clock.signingDate() ?? new Date(systemClock.nowMs()) },
    );
    const search = Object.entries(query).map(
      ([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`,
    );
    const suffix = search.length === 0 ? '' : `?${search.join('&')}`;
    return { location, accessKeyId: identity.accessKeyId, path: path + suffix, headers: signed.headers };
  }

  /** Kept once it is known; asked again after a failure, since credentials may have been missing. */
  #locate() {
    const { at } = this.#options;
    this.#located ??= locateBucket(at).catch((error: unknown) => {
      this.#located = undefined;
      throw error;
    });
    return this.#located;
  }

  /**
   * In slices as large as the bandwidth allows at once. A body has two pieces on their way: the slices of the second
   * follow those of the first, however long each waits.
   */
  #slowly(write: Write, signal: AbortSignal, onProgress: ((sentBytes: number) => void) | undefined): Write {
    const { bandwidth } = this.#options;
    let sentBytes = 0;
    // Slice by slice: with a low rate a piece takes hours, and whoever hears nothing of it takes it for dead.
    const moved = (bytes: number) => {
      sentBytes += bytes;
      onProgress?.(sentBytes);
    };
    let before: Promise<unknown> = Promise.resolve();
    return async (bytes) => {
      const writing: Promise<void>[] = [];
      const begin = async () => {
        for (let at = 0; at < bytes.length; at += bandwidth.sliceBytes) {
          const slice = bytes.subarray(at, at + bandwidth.sliceBytes);
          await bandwidth.take(slice.length, signal);
          writing.push(write(slice).then(() => moved(slice.length)));
          writing.at(-1)?.catch(() => {}); // reason: awaited once all of the piece is on its way
        }
      };
      const begun = before.then(begin);
      before = begun.catch(() => {}); // reason: whoever wrote that piece is told
      await begun;
      await Promise.all(writing);
    };
  }
}

function isSkew(error: unknown): boolean {
  return error instanceof S3AnswerError && refusedTime.has(error.name);
}

/** As signatures want it: all but unreserved characters. */
function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
