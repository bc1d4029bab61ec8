import type { Clock } from '../ports/clock.ts';

/** A file that is on its way right now, for those who watch. */
export interface ActiveTransfer {
  readonly session: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly startedMs: number;
  readonly sentBytes: number;
  /** Of the file, to be sent or to be compared with what is in the bucket; again counts again. */
  readonly readBytes: number;
  /** Over the last seconds; undefined until enough moved to tell. */
  readonly bytesPerSecond: number | undefined;
}

/** What a person sees as the present rate: long enough not to flicker. */
const windowMs = 10_000;
const sampleEveryMs = 500;
const spanMinMs = 1000;

/** One transfer, by whoever makes it. What an earlier one left in the bucket does not count as its own rate. */
export class MovingTransfer implements ActiveTransfer {
  readonly session: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly startedMs: number;
  readBytes = 0;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #samples: { readonly atMs: number; readonly bytes: number }[] = [];
  #sentBytes = 0;

  constructor(
    what: { readonly session: string; readonly path: string; readonly sizeBytes: number },
    clock: Pick<Clock, 'monotonicMs'>,
  ) {
    this.session = what.session;
    this.path = what.path;
    this.sizeBytes = what.sizeBytes;
    this.startedMs = clock.monotonicMs();
    this.#clock = clock;
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  moved(sentBytes: number): void {
    const atMs = this.#clock.monotonicMs();
    // Begun anew: what was counted is no measure of what comes.
    if (sentBytes < this.#sentBytes) this.#samples = [];
    this.#sentBytes = sentBytes;
    const last = this.#samples.at(-1);
    if (last && atMs - last.atMs < sampleEveryMs) return;
    this.#samples.push({ atMs, bytes: sentBytes });
    const isOld = ([, second]: readonly { atMs: number }[]) => second && second.atMs < atMs - windowMs;
    while (isOld(this.#samples)) this.#samples.shift();
  }

  get bytesPerSecond(): number | undefined {
    const [first] = this.#samples;
    const spanMs = first ? this.#clock.monotonicMs() - first.atMs : 0;
    return first && spanMs >= spanMinMs ? ((this.#sentBytes - first.bytes) * 1000) / spanMs : undefined;
  }
}
