import type { Clock } from '../ports/clock.ts';

const foundForMs = 60 * 60_000;
const nothingForMs = 10 * 60_000;
const answersMax = 64;

interface Remembered {
  readonly answer: Promise<unknown>;
  /** Monotonic; set once the answer is there. */
  untilMs: number;
}

/** Questions about the machine are asked once for all sessions: an answer holds for an hour, none for ten minutes. */
export class RememberedAnswers {
  readonly #clock: Clock;
  readonly #known = new Map<string, Remembered>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get<T>(question: string, ask: () => Promise<T | undefined>): Promise<T | undefined> {
    const known = this.#known.get(question);
    // One question has one kind of answer.
    if (known && this.#clock.monotonicMs() < known.untilMs) return known.answer as Promise<T | undefined>;
    const answer = ask();
    const remembered: Remembered = { answer, untilMs: Number.POSITIVE_INFINITY };
    this.#known.delete(question);
    this.#known.set(question, remembered);
    const [oldest] = this.#known.keys();
    if (this.#known.size > answersMax && oldest !== undefined) this.#known.delete(oldest);
    const until = (forMs: number) => {
      remembered.untilMs = this.#clock.monotonicMs() + forMs;
    };
    answer.then(
      (found) => until(found === undefined ? nothingForMs : foundForMs),
      () => until(0),
    );
    return answer;
  }
}
