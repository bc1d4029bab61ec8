import type { Clock } from '../ports/clock.ts';

/** What there is to be seen of the queue at one moment. */
export interface QueueLook {
  /** Sessions are under way, and nothing keeps them from going on. */
  readonly isBusy: boolean;
  /** How often the uploader looked for work; it does at least once a minute. */
  readonly turns: number;
  /** Differs as soon as anything was sent, answered, failed or given up. */
  readonly mark: string;
}

/**
 * Whether the queue goes on. Every request has a time-out of its own, and its failure is a step as good as its success:
 * a queue that is busy and makes no step at all for many times as long waits for something that will not come.
 */
export class QueuePulse {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #stuckAfterMs: number;
  #turns: { readonly value: number; readonly sinceMs: number } | undefined;
  #mark: { readonly value: string; readonly sinceMs: number } | undefined;

  constructor(clock: Pick<Clock, 'monotonicMs'>, stuckAfterMs: number) {
    this.#clock = clock;
    this.#stuckAfterMs = stuckAfterMs;
  }

  /** For how long it has stood still, once that is too long; undefined while all is well. */
  stuckForMs({ isBusy, turns, mark }: QueueLook): number | undefined {
    const nowMs = this.#clock.monotonicMs();
    if (this.#turns?.value !== turns) this.#turns = { value: turns, sinceMs: nowMs };
    if (!isBusy || this.#mark?.value !== mark) this.#mark = { value: mark, sinceMs: nowMs };
    const forMs = nowMs - Math.min(this.#turns.sinceMs, this.#mark?.sinceMs ?? nowMs);
    return forMs >= this.#stuckAfterMs ? forMs : undefined;
  }

  /** A new life begins with a new queue. */
  forget(): void {
    this.#turns = undefined;
    this.#mark = undefined;
  }
}
