import PQueue from 'p-queue';
import { Failure } from '../domain/failure.ts';
import type { Events } from '../ports/events.ts';

export interface LimitState {
  readonly requests: number;
  readonly of: number;
}

/**
 * How many requests a destination gets at once. One that asks for fewer gets half of what was in flight, at least one;
 * each full round of successes adds one again, up to the configured number.
 *
 *   invariant: one burst counts once: requests that began before the limit was lowered do not lower it again
 */
export class RequestLimit {
  readonly #name: string;
  readonly #events: Events;
  readonly #max: number;
  readonly #queue: PQueue;
  #successes = 0;
  /** How often the limit was lowered. */
  #lowered = 0;

  constructor(options: { name: string; events: Events; requestsMax: number }) {
    this.#name = options.name;
    this.#events = options.events;
    this.#max = options.requestsMax;
    this.#queue = new PQueue({ concurrency: options.requestsMax });
  }

  /** Undefined when nothing is held back. */
  state(): LimitState | undefined {
    const requests = this.#queue.concurrency;
    return requests < this.#max ? { requests, of: this.#max } : undefined;
  }

  run<T>(request: () => Promise<T>): Promise<T> {
    return this.#queue.add(async () => {
      const lowered = this.#lowered;
      try {
        const answer = await request();
        this.#raise();
        return answer;
      } catch (error) {
        if (error instanceof Failure && error.throttled && lowered === this.#lowered) this.#lower(error);
        throw error;
      }
    });
  }

  #lower({ code }: Failure): void {
    const wasFull = this.state() === undefined;
    this.#lowered += 1;
    this.#successes = 0;
    this.#queue.concurrency = Math.max(1, Math.floor(this.#queue.pending / 2));
    const requests = this.#queue.concurrency;
    if (wasFull)
      this.#events.emit('destination.throttled', {
        destination: this.#name,
        code,
        requests,
        of: this.#max,
      });
  }

  #raise(): void {
    if (this.state() === undefined) return;
    this.#successes += 1;
    if (this.#successes < this.#queue.concurrency) return;
    this.#successes = 0;
    this.#queue.concurrency += 1;
    if (this.state() === undefined)
      this.#events.emit('destination.unthrottled', { destination: this.#name, requests: this.#max });
  }
}
