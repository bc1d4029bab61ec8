import { type SeededRandom, seededRandom } from '../support/seeded-random.ts';
import type { Fault } from './fault.ts';
import type { S3Operation, S3Request } from './operation.ts';

/** Which requests a rule means; what is not given does not matter. */
export interface Match {
  readonly operation?: S3Operation | readonly S3Operation[];
  readonly key?: RegExp;
  /** What no field says: asked last. */
  readonly is?: (request: S3Request) => boolean;
  /** Only the nth of them, from 1. */
  readonly nth?: number;
  /** At most so many of them. */
  readonly times?: number;
  /** So many of 1, drawn by the seed. */
  readonly probability?: number;
}

export interface Rule {
  readonly name: string;
  readonly on: Match;
  readonly fault: Fault;
}

/** A rule that is in force until it is lifted. */
export interface LiveRule {
  readonly rule: Rule;
  /** How often it acted. */
  readonly hits: number;
  readonly lifted: Promise<void>;
  lift(): void;
}

/** The rules in force, in the order in which they were added: the first one that means a request acts on it. */
export class RuleBook {
  readonly #seed: number;
  readonly #live = new Set<Draft>();
  #added = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  add(rule: Rule): LiveRule {
    // Chance of its own for each rule: what other rules draw does not change what this one does.
    const draft = new Draft(rule, seededRandom(this.#seed + this.#added), (gone) => this.#live.delete(gone));
    this.#added += 1;
    this.#live.add(draft);
    return draft;
  }

  choose(request: S3Request): LiveRule | undefined {
    return [...this.#live].find((draft) => draft.takes(request));
  }

  liftAll(): void {
    for (const draft of [...this.#live]) draft.lift();
  }
}

class Draft implements LiveRule {
  readonly rule: Rule;
  readonly lifted: Promise<void>;
  readonly #random: SeededRandom;
  readonly #onLifted: (draft: Draft) => void;
  #resolve: () => void = () => {};
  #matches = 0;
  #hits = 0;

  constructor(rule: Rule, random: SeededRandom, onLifted: (draft: Draft) => void) {
    this.rule = rule;
    this.#random = random;
    this.#onLifted = onLifted;
    this.lifted = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get hits(): number {
    return this.#hits;
  }

  takes(request: S3Request): boolean {
    const { nth, times = Number.POSITIVE_INFINITY, probability = 1 } = this.rule.on;
    if (!means(this.rule.on, request)) return false;
    this.#matches += 1;
    if (nth !== undefined && this.#matches !== nth) return false;
    if (this.#hits >= times || this.#random.next() >= probability) return false;
    this.#hits += 1;
    return true;
  }

  lift(): void {
    this.#onLifted(this);
    this.#resolve();
  }
}

function means({ operation, key, is }: Match, request: S3Request): boolean {
  const operations = operation === undefined ? undefined : [operation].flat();
  if (operations && !operations.includes(request.operation)) return false;
  if (key && !key.test(request.key)) return false;
  return is?.(request) ?? true;
}
