import type { Failure } from '../domain/failure.ts';
import { type RetryLimits, retryDelayMs } from '../domain/retry-policy.ts';
import type { Clock } from '../ports/clock.ts';
import type { Events } from '../ports/events.ts';

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
  /** Monotonic; the last time that the destination did what it was asked. */
  lastSuccessMs = Number.NEGATIVE_INFINITY;

  constructor(options: { name: string; clock: Clock; events: Events; limits: RetryLimits }) {
    this.#name = options.name;
    this.#clock = options.clock;
    this.#events = options.events;
    this.#limits = options.limits;
  }

  /** Resolves when the caller may send a request, or when `signal` aborts. */
  async pass(signal: AbortSignal): Promise<void> {
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

  succeeded(): void {
    this.lastSuccessMs = this.#clock.monotonicMs();
    this.#probing = false;
    if (this.#blocked) {
      const blockedForMs = this.#clock.monotonicMs() - this.#blocked.sinceMs;
      this.#blocked = undefined;
      this.#events.emit('destination.open', { destination: this.#name, blockedForMs });
    }
    for (const wake of this.#waiting.splice(0)) wake();
  }

  blocked(failure: Failure): void {
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
  undecided(): void {
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
