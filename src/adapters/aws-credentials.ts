import { Failure } from '../domain/failure.ts';
import type { Clock } from '../ports/clock.ts';
import type { CredentialsState } from '../ports/status.ts';
import {
  type AwsIdentity,
  type CredentialSource,
  firstOf,
  type ResolvedCredentials,
} from './aws-credential-chain.ts';
import { changeMark } from './aws-credentials-files.ts';
import type { SigningClock } from './signing-clock.ts';

/** What requests are signed with, always the newest that is known. */
export interface AwsCredentials {
  /** For the next request. Throws a blocked Failure that names the source and what to do. */
  current(): Promise<AwsIdentity>;
  /** The server does not take requests that were signed with this access key. */
  refused(accessKeyId: string): void;
  describe(): CredentialsState;
}

export interface AwsCredentialsOptions {
  /** In order; the first that is set up is the one, and is never silently exchanged for another that works. */
  readonly sources: readonly CredentialSource[];
  readonly clock: Clock;
  /** Times of expiry are those of the server's clock. */
  readonly signingClock: SigningClock;
  readonly onChanged: (change: { source: string; expiresAt: string | undefined }) => void;
  /** A renewal failed while the old credentials still live. */
  readonly onProblem: (problem: { source: string; cause: string; remedy: string }) => void;
}

/** Looking at files is cheap, not free. */
const lookEveryMs = 2_000;
/** Renewed in the background from here on, waited for in the last minute. */
const renewAheadMs = 5 * 60_000;
const lastMinuteMs = 60_000;
/** How soon a source is asked again that failed, or that gave again what had been refused. */
const askAgainMs = 30_000;
/** A source that does not answer, such as a process that waits for input. */
const resolveTimeoutMs = 20_000;

export function createAwsCredentials(options: AwsCredentialsOptions): AwsCredentials {
  return new RotatingCredentials(options);
}

interface Held extends ResolvedCredentials {
  readonly mark: string;
  readonly askedMs: number;
}

/**
 * Credentials are looked up when there are none, shortly before they expire, when a file that they may come from
 * changed, and when the server refused them: once, and then at a capped pace while the source gives the same again.
 * Requests under way keep what they were signed with. While a renewal fails, the old ones serve as long as they live.
 */
class RotatingCredentials implements AwsCredentials {
  readonly #options: AwsCredentialsOptions;
  readonly #files: readonly string[];
  #held: Held | undefined;
  #pending: Promise<Held> | undefined;
  #isRefused = false;
  /** Of the credentials that were refused last. */
  #refusedMark: string | undefined;
  /** A file changed since they were read. */
  #isOutdated = false;
  #isLooking = false;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #failedMs = Number.NEGATIVE_INFINITY;
  #problem: Failure | undefined;

  constructor(options: AwsCredentialsOptions) {
    this.#options = options;
    this.#files = [...new Set(options.sources.flatMap(({ files }) => files))];
  }

  async current(): Promise<AwsIdentity> {
    const held = this.#held;
    if (held === undefined) return (await this.#renew()).identity;
    const leftMs = this.#leftMs(held);
    if (this.#isRefused || leftMs <= 0) return (await this.#renew()).identity;
    const look = this.#lookAtFiles(held);
    // Known to be refused: nothing is lost by waiting for better ones.
    if (this.#refusedMark === markOf(held)) await look;
    if (this.#isOutdated) return (await this.#renewOrKeep(held)).identity;
    if (leftMs > renewAheadMs || !this.#mayAsk(held)) return held.identity;
    if (leftMs <= lastMinuteMs) return (await this.#renewOrKeep(held)).identity;
    void this.#renew().catch(() => undefined); // reason: told where it failed; these still live
    return held.identity;
  }

  refused(accessKeyId: string): void {
    const held = this.#held;
    // Requests that were signed before the last renewal may still be answered.
    if (held?.identity.accessKeyId === accessKeyId && this.#mayAskRefused(held)) this.#isRefused = true;
  }

  describe(): CredentialsState {
    const problem = this.#problem && `${this.#problem.message}: ${this.#problem.remedy}`;
    const expiresAt = this.#held?.identity.expiration?.toISOString();
    return {
      source: this.#held?.source ?? 'none yet',
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(problem === undefined ? {} : { problem }),
    };
  }

  #leftMs({ identity }: Held): number {
    if (identity.expiration === undefined) return Number.POSITIVE_INFINITY;
    return identity.expiration.getTime() - this.#options.signingClock.signingDate().getTime();
  }

  #mayAsk(held: Held): boolean {
    return this.#nowMs() - Math.max(held.askedMs, this.#failedMs) >= askAgainMs;
  }

  /** At once for credentials that were never refused; those that came again after a refusal wait. */
  #mayAskRefused(held: Held): boolean {
    return this.#refusedMark !== markOf(held) || this.#nowMs() - held.askedMs >= askAgainMs;
  }

  /**
   * Who has credentials does not wait for it: a home directory may lie on a file system that hangs. What it finds is for
   * the next request.
   */
  async #lookAtFiles(held: Held): Promise<void> {
    if (this.#isLooking || this.#files.length === 0 || this.#nowMs() - this.#lookedMs < lookEveryMs) return;
    this.#isLooking = true;
    const mark = await changeMark(this.#files);
    this.#isLooking = false;
    this.#lookedMs = this.#nowMs();
    if (this.#held === held && mark !== held.mark) this.#isOutdated = true;
  }

  async #renewOrKeep(held: Held): Promise<Held> {
    try {
      return await this.#renew();
    } catch (error) {
      // Whatever was written into the file: the old ones serve until it changes again, or until they end.
      if (!(error instanceof Failure) || this.#leftMs(held) <= 0) throw error;
      return held;
    }
  }

  /** One renewal at a time, for all who wait. */
  #renew(): Promise<Held> {
    this.#pending ??= this.#resolve().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #resolve(): Promise<Held> {
    const before = this.#held;
    let mark = before?.mark ?? '';
    const look = async () => {
      // Looked at first: what changes while it is read is seen as a change afterwards.
      mark = await changeMark(this.#files);
      this.#isOutdated = false;
      return await firstOf(this.#options.sources);
    };
    try {
      const held = { ...(await this.#withinTime(look())), mark, askedMs: this.#nowMs() };
      if (this.#isRefused && before) this.#refusedMark = markOf(before);
      this.#isRefused = false;
      this.#problem = undefined;
      this.#held = held;
      if (before && markOf(before) !== markOf(held)) this.#tellChange(held);
      return held;
    } catch (error) {
      this.#failedMs = this.#nowMs();
      if (!(error instanceof Failure)) throw error;
      if (before) this.#held = { ...before, mark };
      const isNews = this.#problem?.message !== error.message;
      this.#problem = error;
      if (before && isNews && !this.#isRefused && this.#leftMs(before) > 0) this.#tellProblem(before, error);
      throw error;
    }
  }

  async #withinTime(work: Promise<ResolvedCredentials>): Promise<ResolvedCredentials> {
    const over = new AbortController();
    const late = this.#options.clock.sleep(resolveTimeoutMs, over.signal).then(() => undefined);
    try {
      const first = await Promise.race([work, late]);
      if (first !== undefined) return first;
    } finally {
      over.abort();
    }
    throw new Failure({
      kind: 'blocked',
      code: 'CredentialsTimeout',
      attempted: `getting credentials: no answer in ${resolveTimeoutMs / 1000} s`,
      remedy: 'check the process or service that gives them: it does not answer',
    });
  }

  #tellChange(held: Held): void {
    const expiresAt = held.identity.expiration?.toISOString();
    this.#options.onChanged({ source: held.source, expiresAt });
  }

  #tellProblem({ source }: Held, { message: cause, remedy = '' }: Failure): void {
    this.#options.onProblem({ source, cause, remedy });
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }
}

/** Never leaves this file: tells one set of credentials from another. */
function markOf({ identity }: Held): string {
  return JSON.stringify([identity.accessKeyId, identity.secretAccessKey, identity.sessionToken]);
}
