import type { Clock } from '../../src/ports/clock.ts';

interface Sleeper {
  readonly wakeAtMs: number;
  readonly wake: () => void;
}

/** A clock that stands still until it is told to move. Randomness is a fixed, seeded sequence. */
export class FakeClock implements Clock {
  readonly #sleepers = new Set<Sleeper>();
  #wallMs: number;
  #monotonicMs = 0;
  #seed = 1;

  constructor(wallMs = Date.UTC(2026, 0, 2, 3, 4, 5)) {
    this.#wallMs = wallMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  random(): number {
    this.#seed = (this.#seed * 48_271) % 2_147_483_647;
    return this.#seed / 2_147_483_647;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    // As the real one: no time at all still lets others run, and needs nobody to move the clock.
    if (!(ms > 0)) return new Promise((resolve) => setImmediate(resolve));
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper = { wakeAtMs: this.#monotonicMs + ms, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** How many wait; a test can wait for the sleeper that it means to wake. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /**
   * Moves both clocks on, stopping at each sleeper's time, earliest first, and lets what it wakes run until it sleeps
   * again or waits for real input or output: a loop that sleeps again is woken again.
   */
  async advance(ms: number): Promise<void> {
    const endMs = this.#monotonicMs + ms;
    await settled();
    for (let next = this.#nextBefore(endMs); next !== undefined; next = this.#nextBefore(endMs)) {
      this.#moveTo(next.wakeAtMs);
      next.wake();
      await settled();
    }
    this.#moveTo(endMs);
    await settled();
  }

  /** The wall clock jumps; waits are not affected. */
  setWall(ms: number): void {
    this.#wallMs = ms;
  }

  #nextBefore(endMs: number): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (sleeper.wakeAtMs <= endMs && (first === undefined || sleeper.wakeAtMs < first.wakeAtMs))
        first = sleeper;
    }
    return first;
  }

  #moveTo(monotonicMs: number): void {
    this.#wallMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }
}

/** Promise callbacks and setImmediate chains, a few rounds of them. */
async function settled(): Promise<void> {
  for (let round = 0; round < 5; round++) await new Promise((resolve) => setImmediate(resolve));
}
