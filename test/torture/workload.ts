import type { SeededRandom } from '../support/seeded-random.ts';
import { type SessionKind, sessionKinds, Training } from './training.ts';

/** Sessions that are written at the same time. */
const activeMin = 2;
const activeMax = 6;

/** All trainers of a run. */
export class Workload {
  readonly sessions: Training[] = [];
  readonly #random: SeededRandom;
  readonly #folder: string;

  constructor(random: SeededRandom, folder: string) {
    this.#random = random;
    this.#folder = folder;
  }

  begin(kind: SessionKind): Training {
    const training = new Training(this.#random, this.#folder, this.sessions.length, kind);
    this.sessions.push(training);
    return training;
  }

  /** Mostly small ones: bytes are not what is short. */
  beginAny(): Training {
    const kind = this.#random.below(8);
    return this.begin(kind < 3 ? 'small' : kind < 5 ? 'rewritten' : (sessionKinds[kind - 3] ?? 'small'));
  }

  /** Sees to it that a session of this kind is about to be written. */
  async prepare(kind: SessionKind): Promise<void> {
    const resting = this.sessions.find((session) => session.isResting && session.kind === kind);
    if (resting) return resting.step();
    if (!this.#active().some((session) => session.kind === kind)) this.begin(kind);
    while (this.#active().length < activeMin) this.beginAny();
  }

  /** One step of one session. False when there is nothing to write but what rests. */
  async step(): Promise<boolean> {
    const active = this.#active().slice(0, activeMax);
    const chosen = active[this.#random.below(active.length)];
    // What grows does so over several lives.
    const isSlow = chosen?.kind === 'growing' && this.#random.below(3) > 0;
    if (!isSlow) await chosen?.step();
    return chosen !== undefined;
  }

  async finish(): Promise<void> {
    while (await this.step());
    for (const session of this.sessions) while (!session.isOver) await session.step();
  }

  #active(): Training[] {
    return this.sessions.filter(({ isOver, isResting }) => !isOver && !isResting);
  }
}
