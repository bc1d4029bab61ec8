import { Failure } from '../domain/failure.ts';
import { type RetryLimits, retryDelayMs } from '../domain/retry-policy.ts';
import type { Clock } from '../ports/clock.ts';
import type { Events } from '../ports/events.ts';
import type { Served } from './counted-store.ts';

export interface BlockedState {
  readonly code: string;
  readonly cause: string;
  readonly remedy: string;
  readonly sinceMs: number;
  readonly probeInMs: number;
}

/**
 * Stands before the destination. Open, everyone passes. Once a request found the destination blocked, all wait, and at
 * a capped pace the one who has waited longest goes ahead to try; its success opens the gate for the rest.
 * Waiting spends nobody's attempts.
 */
export class DestinationGate {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #limits: RetryLimits;
  readonly #waiting: (() => void)[] = [];
  #blocked: { failure: Failure; sinceMs: number; probeAtMs: number; attempts: number } | undefined;
  #probing = false;
  /** Monotonic; the start of the last piece of work that wrote something. */
  #writtenMs = Number.NEGATIVE_INFINITY;
  /** Kept up to date by the store that the work uses. */
  readonly served: Served = { reads: 0, writes: 0 };

  constructor(options: { name: string; clock: Clock; events: Events; limits: RetryLimits }) {
    this.#name = options.name;
    this.#clock = options.clock;
    this.#events = options.events;
    this.#limits = options.limits;
  }

  /**
   * Does `work` when the destination is open, again and again while it is found blocked. Undefined when `signal`
   * aborted first; every other failure is thrown. A destination that serves others and still denies this one piece of
   * work denies the work: that is thrown as permanent.
   */
  async through<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
    let deniedAtMs = Number.POSITIVE_INFINITY;
    for (;;) {
      await this.#pass(signal);
      if (signal.aborted) return undefined;
      const before = { ...this.served, startedMs: this.#clock.monotonicMs() };
      try {
        const result = await work();
        this.#settle(before);
        return result;
      } catch (error) {
        if (!(error instanceof Failure) || error.kind !== 'blocked') {
          this.#undecided();
          throw error;
        }
        if (error.code === 'AccessDenied' && this.#writtenMs > deniedAtMs) {
          this.#undecided();
          throw asPermanent(error);
        }
        deniedAtMs = this.#clock.monotonicMs();
        this.#close(error);
      }
    }
  }

  async #pass(signal: AbortSignal): Promise<void> {
    while (this.#blocked && !signal.aborted) {
      if (!this.#probing) {
        // The pause is served by the one who will try; whoever comes later queues behind.
        this.#probing = true;
        await this.#clock.sleep(this.#blocked.probeAtMs - this.#clock.monotonicMs(), signal);
        if (!signal.aborted) return;
        this.#endProbe();
        return;
      }
      await this.#turn(signal);
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', wake);
        resolve();
      };
      signal.addEventListener('abort', wake, { once: true });
      this.#waiting.push(wake);
    });
  }

  /** Work may end without a request, and a reader proves nothing to whom writing was denied. */
  #settle(before: Served & { startedMs: number }): void {
    const hasWritten = this.served.writes > before.writes;
    if (hasWritten) this.#writtenMs = Math.max(this.#writtenMs, before.startedMs);
    const hasRead = this.served.reads > before.reads && this.#blocked?.failure.code !== 'AccessDenied';
    if (hasWritten || hasRead) this.#open();
    else this.#undecided();
  }

  #open(): void {
    this.#probing = false;
    if (this.#blocked) {
      const blockedForMs = this.#clock.monotonicMs() - this.#blocked.sinceMs;
      this.#blocked = undefined;
      this.#events.emit('destination.open', { destination: this.#name, blockedForMs });
    }
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #close(failure: Failure): void {
    const nowMs = this.#clock.monotonicMs();
    const attempts = this.#blocked ? this.#blocked.attempts + (this.#probing ? 1 : 0) : 1;
    const delayMs = retryDelayMs(attempts, this.#limits, this.#clock.random(), failure.retryAfterMs);
    const isNews = this.#blocked?.failure.code !== failure.code;
    this.#blocked = {
      failure,
      sinceMs: this.#blocked?.sinceMs ?? nowMs,
      probeAtMs: nowMs + delayMs,
      attempts,
    };
    this.#endProbe();
    if (isNews || attempts % 10 === 0) this.#tell(failure, delayMs);
  }

  /** The request ended in a way that says nothing of the destination: the next in line tries. */
  #undecided(): void {
    if (this.#probing) this.#endProbe();
  }

  #endProbe(): void {
    this.#probing = false;
    this.#waiting.shift()?.();
  }

  #tell(failure: Failure, delayMs: number): void {
    this.#events.emit('destination.blocked', {
      destination: this.#name,
      code: failure.code,
      cause: failure.message,
      remedy: failure.remedy ?? '',
      probeInMs: Math.round(delayMs),
    });
  }

  state(): BlockedState | undefined {
    if (!this.#blocked) return undefined;
    const { failure, sinceMs, probeAtMs } = this.#blocked;
    const nowMs = this.#clock.monotonicMs();
    return {
      code: failure.code,
      cause: failure.message,
      remedy: failure.remedy ?? '',
      sinceMs: nowMs - sinceMs,
      probeInMs: Math.max(0, probeAtMs - nowMs),
    };
  }
}

function asPermanent(failure: Failure): Failure {
  const { code, message: attempted, remedy = '' } = failure;
  return new Failure({ kind: 'permanent', code, attempted, remedy, cause: failure });
}
