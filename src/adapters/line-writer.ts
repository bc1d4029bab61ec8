import type { Clock } from '../ports/clock.ts';
import { writeAll } from './write-all.ts';

/**
 * Lines to a descriptor, for a process that must outlive it: a terminal that is gone or a full disk behind it is no
 * error, and one that is halted blocks nobody.
 */
export class LineWriter {
  readonly #fd: number;
  readonly #clock: Clock;
  /** Resolves once all that was written is there, or cannot be. */
  said: Promise<void> = Promise.resolve();

  constructor(fd: number, clock: Clock) {
    this.#fd = fd;
    this.#clock = clock;
  }

  write(text: string): void {
    this.said = this.said.then(async () => {
      try {
        await writeAll(this.#fd, Buffer.from(text), this.#clock);
      } catch {
        // reason: there is nobody left to tell
      }
    });
  }
}
