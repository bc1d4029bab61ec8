/** Bytes that may be in memory at once, given out in the order in which they were asked for. */
export class ByteBudget {
  readonly #max: number;
  readonly #waiting: { readonly bytes: number; readonly go: () => void }[] = [];
  #used = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** What is larger than the whole has all of it for itself. */
  async within<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const share = Math.min(bytes, this.#max);
    if (this.#waiting.length > 0 || this.#used + share > this.#max)
      await new Promise<void>((go) => this.#waiting.push({ bytes: share, go }));
    else this.#used += share;
    try {
      return await work();
    } finally {
      this.#used -= share;
      this.#next();
    }
  }

  #next(): void {
    for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
      if (this.#used + first.bytes > this.#max) return;
      this.#used += first.bytes;
      this.#waiting.shift();
      first.go();
    }
  }
}
