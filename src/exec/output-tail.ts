/** The last bytes of an output, for the lines that say why it ended. */
export class OutputTail {
  readonly #bytesMax: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  push(chunk: Buffer): void {
    // Copied: a chunk that is let through must not keep the buffer alive that it was read into.
    const last = Buffer.from(chunk.subarray(-this.#bytesMax));
    this.#chunks.push(last);
    this.#bytes += last.length;
    // Joined once it is twice as long as needed, so that a byte is copied a constant number of times.
    if (this.#bytes > 2 * this.#bytesMax || this.#chunks.length > 1024) this.#shorten();
  }

  text(): string {
    this.#shorten();
    return (this.#chunks[0] ?? Buffer.alloc(0)).toString('utf8');
  }

  #shorten(): void {
    const whole = Buffer.concat(this.#chunks).subarray(-this.#bytesMax);
    this.#chunks = [whole];
    this.#bytes = whole.length;
  }
}
