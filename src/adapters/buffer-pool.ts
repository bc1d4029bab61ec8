import type { Clock } from '../ports/clock.ts';

/**
 * All memory that bodies on their way may hold, in chunks of one size that are used again and again. Who waits is
 * served in the order of asking; a body takes all of its chunks at once, so that no two can wait for each other.
 */
export interface BufferPoolOptions {
  readonly bytesMax: number;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly chunkBytes?: number;
}

/** Chunks that belong to one body until `release`, which may be called again. */
export interface Lease {
  readonly chunks: readonly Buffer[];
  release(): void;
}

interface Waiter {
  readonly count: number;
  readonly grant: () => void;
}

/** Large enough that reading costs little per byte, small enough that 48 MiB serve many small files at once. */
const defaultChunkBytes = 512 * 1024;
/** Kept when nothing was on its way for a while; sooner, memory that is given back is only asked for again. */
const idleChunksMax = 8;
const idleMs = 10_000;

export class BufferPool {
  readonly chunkBytes: number;
  readonly #chunksMax: number;
  readonly #free: Buffer[] = [];
  readonly #waiters: Waiter[] = [];
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #closed = new AbortController();
  #used = 0;
  #leases = 0;
  #isResting = false;

  constructor({ bytesMax, clock, chunkBytes = defaultChunkBytes }: BufferPoolOptions) {
    this.#clock = clock;
    this.chunkBytes = chunkBytes;
    this.#chunksMax = Math.floor(bytesMax / chunkBytes);
    if (this.#chunksMax < 2) throw new Error(`making a buffer pool: ${bytesMax} bytes are no two chunks`);
  }

  /** Free and used ones. */
  get heldBytes(): number {
    return (this.#used + this.#free.length) * this.chunkBytes;
  }

  /** The largest body that is held in memory: four of them must fit, so that a wire is never idle for reading. */
  get bodyBytesMax(): number {
    return Math.floor(this.#chunksMax / 4) * this.chunkBytes;
  }

  /** Chunks for `sizeBytes`; rejects with the signal's reason when that aborts first. */
  async lease(sizeBytes: number, signal: AbortSignal): Promise<Lease> {
    const count = Math.ceil(sizeBytes / this.chunkBytes);
    if (count > this.#chunksMax) throw new RangeError(`leasing ${sizeBytes} bytes: the pool has fewer`);
    signal.throwIfAborted();
    const mustWait = this.#waiters.length > 0 || !this.#fits(count);
    const chunks = mustWait ? await this.#wait(count, signal) : this.#give(count);
    let isReleased = false;
    const release = () => {
      if (isReleased) return;
      isReleased = true;
      this.#takeBack(chunks);
    };
    return { chunks, release };
  }

  /** Gives back what is free. */
  close(): void {
    this.#closed.abort();
    this.#free.length = 0;
  }

  #fits(count: number): boolean {
    return this.#used + count <= this.#chunksMax;
  }

  #give(count: number): Buffer[] {
    this.#used += count;
    this.#leases += 1;
    return Array.from({ length: count }, () => this.#free.pop() ?? this.#make());
  }

  /** Shared: another thread sums what is in it. */
  #make(): Buffer {
    return Buffer.from(new SharedArrayBuffer(this.chunkBytes));
  }

  #wait(count: number, signal: AbortSignal): Promise<Buffer[]> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(signal.reason);
        this.#serve();
      };
      const waiter = {
        count,
        grant: () => {
          signal.removeEventListener('abort', leave);
          // Given now: whoever comes before the one who waited runs again must not see the room.
          resolve(this.#give(count));
        },
      };
      this.#waiters.push(waiter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  #takeBack(chunks: readonly Buffer[]): void {
    this.#used -= chunks.length;
    this.#free.push(...chunks);
    this.#serve();
    if (this.#used === 0 && !this.#isResting) void this.#rest();
  }

  async #rest(): Promise<void> {
    this.#isResting = true;
    let leases: number;
    do {
      leases = this.#leases;
      await this.#clock.sleep(idleMs, this.#closed.signal);
    } while (leases !== this.#leases && !this.#closed.signal.aborted);
    this.#isResting = false;
    if (this.#used === 0) this.#free.length = Math.min(this.#free.length, idleChunksMax);
  }

  #serve(): void {
    for (let [next] = this.#waiters; next && this.#fits(next.count); [next] = this.#waiters) {
      this.#waiters.shift();
      next.grant();
    }
  }
}
