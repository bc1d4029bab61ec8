import type { Readable } from 'node:stream';
import type { Clock } from '../ports/clock.ts';
import { errnoOf } from './errno.ts';
import { writeAll } from './write-all.ts';

export interface PassThroughOptions {
  readonly source: Readable;
  /** Where it goes on to: a descriptor of ours. */
  readonly fd: number;
  readonly clock: Clock;
  /** Sees every byte, and must not wait. */
  readonly onChunk: (chunk: Buffer) => void;
  /** The descriptor takes no more; the source is read on. */
  readonly onProblem: (code: string) => void;
}

const quietMs = 1000;
const patienceMs = 10_000;

/**
 * Hands every byte of a source on as it comes. No more is read than the other side takes, so whoever writes feels a
 * slow terminal as it would without us.
 */
export class PassThrough {
  readonly #options: PassThroughOptions;
  #bytes = 0;
  #isWriting = false;
  #isOver = false;
  readonly ended: Promise<void>;

  constructor(options: PassThroughOptions) {
    this.#options = options;
    this.ended = this.#run().finally(() => {
      this.#isOver = true;
    });
  }

  async #run(): Promise<void> {
    const { source, onChunk, onProblem } = this.#options;
    let isTaken = true;
    try {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        this.#bytes += chunk.length;
        onChunk(chunk);
        const problem = isTaken ? await this.#hand(chunk) : undefined;
        // Nobody reads on: as without us, whoever writes is told by SIGPIPE, since leaving the loop closes our end.
        if (problem === 'EPIPE') return;
        if (problem !== undefined) {
          isTaken = false;
          onProblem(problem);
        }
      }
    } catch (error) {
      // Ended by `endSoon`, or the other end is gone in a way that sockets know.
      if (!this.#isOver && errnoOf(error) !== 'ERR_STREAM_PREMATURE_CLOSE') onProblem(errnoOf(error));
    }
  }

  async #hand(chunk: Buffer): Promise<string | undefined> {
    this.#isWriting = true;
    try {
      await writeAll(this.#options.fd, chunk, this.#options.clock);
      return undefined;
    } catch (error) {
      return errnoOf(error);
    } finally {
      this.#isWriting = false;
    }
  }

  /**
   * The process is gone, and all that it wrote is on its way. What it started may hold the pipe for ever: that is
   * waited for no longer than it is quiet. False when the pipe was left open like that.
   */
  async endSoon(): Promise<boolean> {
    const { clock, source } = this.#options;
    const untilMs = clock.monotonicMs() + patienceMs;
    let isEnded = false;
    const ended = this.ended.then(() => {
      isEnded = true;
    });
    for (;;) {
      const before = this.#bytes;
      const timer = new AbortController();
      await Promise.race([ended, clock.sleep(quietMs, timer.signal)]);
      timer.abort();
      // What waits in the pipe is read before this comes back.
      await clock.sleep(0);
      if (isEnded) return true;
      if (this.#isWriting) continue;
      if (this.#bytes === before || clock.monotonicMs() >= untilMs) break;
    }
    this.#isOver = true;
    source.destroy();
    await ended;
    return false;
  }
}
