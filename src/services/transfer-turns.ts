interface Turn {
  readonly sid: number;
  readonly sizeBytes: number;
  /** Resolves when it is over, however it ended. */
  readonly begin: () => Promise<void>;
}

/** Transfers that wait, in the order in which they were queued; also the sessions that they are of, with their bytes. */
export class TransferTurns {
  readonly #turns = new Set<Turn>();
  readonly #sessions = new Map<number, { bytes: number; readonly turns: Set<Turn> }>();

  add(turn: Turn): void {
    this.#turns.add(turn);
    const session = this.#sessions.get(turn.sid) ?? { bytes: 0, turns: new Set() };
    session.bytes += turn.sizeBytes;
    session.turns.add(turn);
    this.#sessions.set(turn.sid, session);
  }

  /** Takes the one that has waited longest; `leastFirst`: of the session that has the least to send. */
  take(leastFirst: boolean): Turn | undefined {
    const turn = (leastFirst ? this.#least() : this.#turns).values().next().value;
    if (!turn) return undefined;
    this.#turns.delete(turn);
    const session = this.#sessions.get(turn.sid);
    if (!session) return turn;
    session.bytes -= turn.sizeBytes;
    session.turns.delete(turn);
    if (session.turns.size === 0) this.#sessions.delete(turn.sid);
    return turn;
  }

  #least(): ReadonlySet<Turn> {
    let least: { readonly bytes: number; readonly turns: ReadonlySet<Turn> } | undefined;
    for (const session of this.#sessions.values()) {
      if (!least || session.bytes < least.bytes) least = session;
    }
    return least?.turns ?? this.#turns;
  }
}
