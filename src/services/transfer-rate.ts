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
  readonly #underWay = new Map<symbol, number>();
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

  /** With what requests that are under way have sent: of one that fails it is taken back. */
  get movedBytes(): number {
    return [...this.#underWay.values()].reduce((sum, bytes) => sum + bytes, this.sentBytes);
  }

  /** Counts `bytes` once `request` succeeded; it says how far it is. */
  async measure<T>(
    bytes: number,
    request: (onProgress: (sentBytes: number) => void) => Promise<T>,
  ): Promise<T> {
    this.#look();
    this.#active += 1;
    const mark = Symbol();
    try {
      const answer = await request((sentBytes) => this.#underWay.set(mark, Math.min(sentBytes, bytes)));
      this.#bytes += bytes;
      this.sentBytes += bytes;
      return answer;
    } finally {
      this.#underWay.delete(mark);
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
