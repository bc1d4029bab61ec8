/** One at a time for each key, in the order of asking. */
export class Turns<Key> {
  readonly #last = new Map<Key, Promise<void>>();

  take<T>(key: Key, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const over: Promise<void> = turn.then(
      () => this.#end(key, over),
      () => this.#end(key, over), // reason: whoever awaits the turn itself is told
    );
    this.#last.set(key, over);
    return turn;
  }

  #end(key: Key, over: Promise<void>): void {
    if (this.#last.get(key) === over) this.#last.delete(key);
  }
}
