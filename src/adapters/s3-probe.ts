import { S3AnswerError } from './s3-answer-error.ts';
import { bodyOf } from './s3-body.ts';
import type { S3Destination } from './s3-client.ts';
import { awsFacts, type EndpointFacts, formatFacts, parseFacts } from './s3-facts.ts';
import { toFailure } from './s3-failure.ts';
import { type BucketClient, findObject } from './s3-find.ts';
import { objectHeaders } from './s3-params.ts';
import type { S3Sender } from './s3-sender.ts';

export interface EndpointProbeOptions {
  readonly at: BucketClient;
  readonly sender: S3Sender;
  readonly destination: S3Destination;
  readonly isAws: boolean;
  readonly checksums: 'auto' | 'crc32' | 'md5';
  readonly key: string;
  readonly recall: (name: string) => string | undefined;
  readonly remember: (name: string, value: string) => void;
}

const content = Buffer.from(
  'trainlogd wrote this object to learn which checksums and conditions are honoured here; it may be deleted.\n',
);
/** Of other bytes, and no ETag of anything. */
const wrongCrc32 = 'AAAAAA==';
const wrongEtag = '00000000000000000000000000000000';

/**
 * Finds out, once per endpoint and bucket, what the server does with checksums and conditions, by writing one small
 * object that is the same for everybody, and remembers it.
 *
 * A server that is found to create once is asked for that again in each life: one whose bucket has begun to keep
 * versions may ignore it from then on (Ceph 16), and nothing else would show that. What was found not to hold is
 * believed as it is: that is only slower.
 */
export class EndpointProbe {
  readonly #options: EndpointProbeOptions;
  #known: EndpointFacts | undefined;
  #asking: Promise<EndpointFacts> | undefined;

  constructor(options: EndpointProbeOptions) {
    this.#options = options;
    if (options.isAws) this.#known = this.#configured(awsFacts);
  }

  /** As far as it has been found out. */
  get known(): EndpointFacts | undefined {
    return this.#known;
  }

  /** Throws Failure, as the write would that needs to know. */
  async facts(signal: AbortSignal): Promise<EndpointFacts> {
    while (this.#known === undefined) {
      const isMine = this.#asking === undefined;
      this.#asking ??= this.#find(signal).finally(() => {
        this.#asking = undefined;
      });
      try {
        this.#known = await this.#asking;
      } catch (error) {
        // Somebody else's attempt was cancelled, or failed with their signal: that is not ours.
        if (isMine || signal.aborted) throw this.#failure(error, signal);
      }
    }
    return this.#known;
  }

  /** The server refused an If-Match that was right, as it does since its bucket keeps versions. */
  distrustReplacing(): void {
    if (this.#known === undefined) return;
    this.#known = { ...this.#known, replacesExactly: false };
    this.#remember(this.#known);
  }

  async #find(signal: AbortSignal): Promise<EndpointFacts> {
    const remembered = parseFacts(this.#options.recall(this.#name));
    if (remembered !== undefined && !remembered.createsOnce) return this.#configured(remembered);
    const first = await this.#put({ 'if-none-match': '*' }, signal);
    if (remembered !== undefined && first === 412) return this.#configured(remembered);
    const facts = await this.#learn(first, signal);
    this.#remember(facts);
    return this.#configured(facts);
  }

  async #learn(first: number, signal: AbortSignal): Promise<EndpointFacts> {
    // A server that does not know the condition refuses it: without one, then.
    if (first !== 200 && first !== 412) await this.#put({}, signal);
    const found = await findObject(this.#options.at, this.#options.key, signal);
    const keeps = found?.evidence.crc32 === this.#body().sums.crc32;
    // A checksum that is kept unchecked proves nothing.
    const checks = keeps && (await this.#put({ 'x-amz-checksum-crc32': wrongCrc32 }, signal)) === 400;
    const createsOnce = first === 412 || (await this.#put({ 'if-none-match': '*' }, signal)) === 412;
    return {
      checksum: checks ? 'crc32' : 'md5',
      createsOnce: createsOnce && (first === 412 || first === 200),
      replacesExactly: await this.#replacesExactly(signal),
    };
  }

  async #replacesExactly(signal: AbortSignal): Promise<boolean> {
    if ((await this.#put({ 'if-match': wrongEtag }, signal)) !== 412) return false;
    const found = await findObject(this.#options.at, this.#options.key, signal);
    return found !== undefined && (await this.#put({ 'if-match': found.object.etag }, signal)) === 200;
  }

  /** The status, where it says something about the request's headers. */
  async #put(more: Record<string, string>, signal: AbortSignal): Promise<number> {
    const { sender, destination, key } = this.#options;
    const wanted = await sender.wantedSums(false);
    const body = bodyOf(content, wanted);
    const head = { key, contentType: 'text/plain', metadata: {} };
    const sums = { 'x-amz-checksum-crc32': body.sums.crc32 };
    const headers = { ...objectHeaders(destination, head), ...sums, ...more };
    try {
      await sender.put({ key, headers, body, repeatable: true }, signal);
      return 200;
    } catch (error) {
      const status = error instanceof S3AnswerError ? error.$metadata.httpStatusCode : 0;
      if (Object.keys(more).length > 0 && [400, 412, 501].includes(status) && !isAccess(error)) return status;
      throw error;
    }
  }

  #body() {
    return bodyOf(content, { md5: false, sha256: false });
  }

  #configured(facts: EndpointFacts): EndpointFacts {
    const { checksums } = this.#options;
    return checksums === 'auto' ? facts : { ...facts, checksum: checksums };
  }

  get #name(): string {
    const { destination } = this.#options;
    return `endpoint ${destination.endpoint ?? ''} bucket ${destination.bucket}`;
  }

  #remember(facts: EndpointFacts): void {
    this.#options.remember(this.#name, formatFacts(facts));
  }

  #failure(error: unknown, signal: AbortSignal) {
    const { key, at } = this.#options;
    const doing = `learning what s3://${at.bucket} checks, by writing ${JSON.stringify(key)}`;
    return toFailure(error, doing, signal);
  }
}

/** Expired credentials are a 400, too. */
function isAccess(error: unknown): boolean {
  const code = error instanceof Error ? error.name : '';
  return /Token|AccessKey|Signature|Skewed|Expired|Throttl|SlowDown|RequestTimeout|IncompleteBody/.test(code);
}
