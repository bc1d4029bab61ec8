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

/** How a wait at the gate ended. `probe`: the destination is still blocked, and this one is to try it. */
type Passage = 'open' | 'probe' | 'aborted';

/**
 * Stands before the destination. Open, everyone passes. Once a request found the destination blocked, all wait, and at
 * a capped pace the one who has waited longest goes ahead to try; its success opens the gate for the rest, and who fails
 * queues up behind them. Waiting spends nobody's attempts.
 */
export class DestinationGate {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #limits: RetryLimits;
  readonly #waiting = new Set<(isTurn: boolean) => void>();
  #blocked: { failure: Failure; sinceMs: number; probeAtMs: number; attempts: number } | undefined;
  #probing = false;
  /** How often the gate opened again: whoever was to try before has nothing to try any more. */
  #opened = 0;
  /** Monotonic; the start of the last piece of work that wrote something. */
  #writtenMs = Number.NEGATIVE_INFINITY;
  /** Monotonic; when a subject was last denied. */
  readonly #deniedMs = new Map<number, number>();
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
   * aborted first; every other failure is thrown. So is a denial, since it may be `subject` alone that is denied: who
   * is denied steps aside and lets another try. A destination that served others since denies the subject: permanent.
   */
  async through<T>(signal: AbortSignal, subject: number, work: () => Promise<T>): Promise<T | undefined> {
    for (;;) {
      const passage = await this.#pass(signal);
      if (passage === 'aborted') return undefined;
      const opened = this.#opened;
      const isProbe = () => passage === 'probe' && opened === this.#opened;
      const before = { ...this.served, startedMs: this.#clock.monotonicMs() };
      try {
        const result = await work();
        this.#settle(before, isProbe());
        return result;
      } catch (error) {
        if (!(error instanceof Failure) || error.kind !== 'blocked') {
          if (isProbe()) this.#handOn();
          throw error;
        }
        const deniedAtMs = this.#deniedMs.get(subject) ?? Number.POSITIVE_INFINITY;
        if (isDenial(error) && this.#writtenMs > deniedAtMs) {
          if (isProbe()) this.#handOn();
          throw asPermanent(error);
        }
        this.#close(error, isProbe());
        if (isDenial(error)) {
          this.#remember(subject);
          throw error;
        }
      }
    }
  }

  #remember(subject: number): void {
    if (this.#deniedMs.size >= deniedMax) this.#deniedMs.clear();
    this.#deniedMs.set(subject, this.#clock.monotonicMs());
  }

  /** Milliseconds until somebody may try again. */
  get waitMs(): number {
    return this.#blocked ? Math.max(0, this.#blocked.probeAtMs - this.#clock.monotonicMs()) : 0;
  }

  async #pass(signal: AbortSignal): Promise<Passage> {
    while (this.#blocked && !signal.aborted) {
      const opened = this.#opened;
      if (this.#probing && !(await this.#turn(signal))) continue;
      if (opened !== this.#opened) continue;
      // The pause is served by the one who will try.
      this.#probing = true;
      await this.#clock.sleep(this.#blocked.probeAtMs - this.#clock.monotonicMs(), signal);
      if (opened !== this.#opened) continue;
      if (!signal.aborted) return 'probe';
      this.#handOn();
    }
    return signal.aborted ? 'aborted' : 'open';
  }

  /** True when it is this one's turn to try; false when the gate opened or `signal` aborted. */
  #turn(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const wake = (isTurn: boolean) => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', leave);
        resolve(isTurn);
      };
      const leave = () => wake(false);
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.add(wake);
    });
  }

  /** Work may end without a request, and a reader proves nothing to whom writing was denied. */
  #settle(before: Served & { startedMs: number }, isProbe: boolean): void {
    const hasWritten = this.served.writes > before.writes;
    if (hasWritten) this.#writtenMs = Math.max(this.#writtenMs, before.startedMs);
    const hasRead = this.served.reads > before.reads && !(this.#blocked && isDenial(this.#blocked.failure));
    if (hasWritten || hasRead) this.#open();
    else if (isProbe) this.#handOn();
  }

  #open(): void {
    this.#probing = false;
    this.#opened += 1;
    if (this.#blocked) {
      const blockedForMs = this.#clock.monotonicMs() - this.#blocked.sinceMs;
      this.#blocked = undefined;
      this.#events.emit('destination.open', { destination: this.#name, blockedForMs });
    }
    for (const wake of [...this.#waiting]) wake(false);
  }

  /** What was under way when the gate closed may fail as well; only the one who was sent to try counts as a try. */
  #close(failure: Failure, isProbe: boolean): void {
    if (this.#blocked && !isProbe) return;
    const nowMs = this.#clock.monotonicMs();
    const attempts = (this.#blocked?.attempts ?? 0) + 1;
    const delayMs = retryDelayMs(attempts, this.#limits, this.#clock.random(), failure.retryAfterMs);
    const isNews = this.#blocked?.failure.code !== failure.code;
    this.#blocked = {
      failure,
      sinceMs: this.#blocked?.sinceMs ?? nowMs,
      probeAtMs: nowMs + delayMs,
      attempts,
    };
    if (isProbe) this.#handOn();
    if (isNews || attempts % 10 === 0) this.#tell(failure, delayMs);
  }

  /** A try decided nothing: the next in line is the one to try, and nobody comes in between. */
  #handOn(): void {
    const [next] = this.#waiting;
    this.#probing = next !== undefined;
    next?.(true);
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

const deniedMax = 10_000;

/** A right that is missing: of all that is ours, or of one key. */
function isDenial({ code }: Failure): boolean {
  return code === 'AccessDenied' || code === 'EACCES' || code === 'EPERM';
}

function asPermanent(failure: Failure): Failure {
  const { code, message: attempted, remedy = '' } = failure;
  return new Failure({ kind: 'permanent', code, attempted, remedy, cause: failure });
}
