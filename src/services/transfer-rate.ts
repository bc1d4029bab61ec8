import type { Clock } from '../ports/clock.ts';

/** Older than this counts half, again and again: the rate of a link changes. */
const halfLifeMs = 60_000;
/** Less says more of the destination's answer time than of its rate. */
const measuredMinBytes = 1024 * 1024;

/** Bytes per second of all transfers together, over the time in which there were any. */
export class TransferRate {
  readonly #clock: Clock;
  #active = 0;
  #lookedAtMs = 0;
  #busyMs = 0;
  #bytes = 0;
  /** Of all requests that succeeded. */
  sentBytes = 0;

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  /** Undefined until enough was sent to tell. */
  get bytesPerSecond(): number | undefined {
    this.#look();
    return this.#busyMs > 0 && this.#bytes >= measuredMinBytes
      ? (this.#bytes * 1000) / this.#busyMs
      : undefined;
  }

  /** Counts `bytes` once `request` succeeded. */
  async measure<T>(bytes: number, request: () => Promise<T>): Promise<T> {
    this.#look();
    this.#active += 1;
    try {
      const answer = await request();
      this.#bytes += bytes;
      this.sentBytes += bytes;
      return answer;
    } finally {
      this.#look();
      this.#active -= 1;
    }
  }

  #look(): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#active > 0) this.#busyMs += nowMs - this.#lookedAtMs;
    this.#lookedAtMs = nowMs;
    if (this.#busyMs <= halfLifeMs) return;
    this.#busyMs /= 2;
    this.#bytes /= 2;
  }
}
