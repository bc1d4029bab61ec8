import { askStatus } from '../adapters/ask-agent.ts';
import { StateError } from '../adapters/journal-trouble.ts';
import { systemClock } from '../adapters/system-time.ts';
import type { Status } from '../ports/status.ts';
import type { Seen } from './status-frame.ts';
import { type Located, readStatus } from './status-without-agent.ts';

/** Nothing writes to a journal that nobody holds, and whoever reads it keeps a daemon from starting meanwhile. */
const readAgainMs = 10_000;

/** Asks again and again: daemons stop and start, and their journal is held while they do. */
export class StatusLook {
  readonly #of: Located;
  #last: Status | undefined;
  #readMs = Number.NEGATIVE_INFINITY;

  constructor(of: Located) {
    this.#of = of;
  }

  async look(): Promise<Seen> {
    const asked = await askStatus(this.#of.config.state.directory);
    if (asked) {
      this.#readMs = Number.NEGATIVE_INFINITY;
      this.#last = asked;
      return { status: asked, problem: undefined };
    }
    return this.#read();
  }

  async #read(): Promise<Seen> {
    const nowMs = systemClock.monotonicMs();
    if (this.#last?.running === false && nowMs < this.#readMs + readAgainMs)
      return { status: this.#last, problem: undefined };
    try {
      this.#last = await readStatus(this.#of);
      this.#readMs = nowMs;
      return { status: this.#last, problem: undefined };
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      const problem =
        error.trouble.kind === 'held'
          ? 'trainlogd does not answer: it is about to start or to end'
          : error.message;
      return { status: this.#last, problem };
    }
  }
}
