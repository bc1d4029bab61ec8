import { type Departure, departed, lookAgainMs } from '../domain/departure.ts';
import { type EndObservations, endInSight, type Seal } from '../domain/end-rule.ts';

/** Why a session ends of which nothing says that it has ended: somebody ordered it, or its host is going. */
export class EarlyEnds {
  readonly #idleMs: number;
  #order: { readonly seal: Seal; readonly quietForMs: number } | undefined;
  #departure: Departure | undefined;

  constructor(idleMs: number) {
    this.#idleMs = idleMs;
  }

  /** Sessions that were quiet for so long are sealed from now on. */
  order(status: 'stalled' | 'interrupted', by: string, quietForMs: number): void {
    this.#order = { seal: { status, by, evidence: false, ordered: true }, quietForMs };
  }

  get isOrdered(): boolean {
    return this.#order !== undefined;
  }

  /** From now on sessions end with their host. */
  leave(departure: Departure): void {
    this.#departure = departure;
  }

  get departure(): Departure | undefined {
    return this.#departure;
  }

  /** Only then it matters who holds a file open. */
  mayEnd(quietForMs: number): boolean {
    return (
      this.#departure !== undefined ||
      quietForMs >= Math.min(this.#idleMs, this.#order?.quietForMs ?? this.#idleMs)
    );
  }

  /** `isHere`: whatever writes it is of this host. */
  sealOf(seen: EndObservations, nowMs: number, isHere: boolean): Seal | undefined {
    if (this.#departure && isHere) return departed(seen, this.#departure, nowMs);
    if (!this.#order || seen.quietForMs < this.#order.quietForMs) return undefined;
    const evident = endInSight(seen);
    return evident ? { ...evident, ordered: true } : this.#order.seal;
  }

  /** When one must be looked at again for this, should nothing happen. */
  lookAgainMs(seen: EndObservations, nowMs: number, isHere: boolean): number {
    return this.#departure && isHere ? lookAgainMs(seen, this.#departure, nowMs) : Number.POSITIVE_INFINITY;
  }
}
