import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Clock } from '../ports/clock.ts';
import { errnoOf } from './errno.ts';

export interface CaptureLogOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Told once: what was written before is there, what comes later may not be. */
  readonly onProblem: (code: string) => void;
}

/** What waits for a disk that cannot take it now; more than this is left out, and the log says how much. */
const waitingBytesMax = 4 * 1024 * 1024;
const writeBytesMax = 1024 * 1024;
const retryMs = 1000;
const closeTimeoutMs = 5000;

/**
 * Appends an output to a file, behind the back of whoever produces it: `push` never waits and never fails. What the
 * disk refuses is tried again; where bytes had to be left out, a line in the log says so.
 */
export class CaptureLog {
  readonly #options: CaptureLogOptions;
  readonly #file: FileHandle;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #gapBytes = 0;
  #wake: (() => void) | undefined;
  #isClosing = false;
  #isTold = false;
  readonly #writing: Promise<void>;
  lostBytes = 0;

  private constructor(file: FileHandle, options: CaptureLogOptions) {
    this.#file = file;
    this.#options = options;
    this.#writing = this.#write();
  }

  /** At the end of what is there already. Never through a link. Throws the system's error. */
  static async open(options: CaptureLogOptions): Promise<CaptureLog> {
    const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
    // O_NONBLOCK: nobody may read the FIFO that lies there under the name.
    const file = await open(options.path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o644);
    if ((await file.stat()).isFile()) return new CaptureLog(file, options);
    await file.close();
    throw Object.assign(new Error(`${JSON.stringify(options.path)} is no regular file`), { code: 'EINVAL' });
  }

  push(chunk: Buffer): void {
    if (this.#gapBytes > 0 || this.#waitingBytes + chunk.length > waitingBytesMax) {
      this.#gapBytes += chunk.length;
      this.lostBytes += chunk.length;
      return;
    }
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    this.#wake?.();
  }

  async #write(): Promise<void> {
    for (;;) {
      const next = this.#take();
      if (next) {
        if (!(await this.#append(next))) return;
      } else if (this.#isClosing) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }

  /** Once all that waited is written there is room again, and the gap is named. */
  #take(): Buffer | undefined {
    if (this.#waiting.length === 0 && this.#gapBytes > 0) {
      const line = `\n[trainlogd: ${this.#gapBytes} bytes of output are missing here, the disk could not take them]\n`;
      this.#gapBytes = 0;
      return Buffer.from(line);
    }
    const taken: Buffer[] = [];
    for (let bytes = 0; bytes < writeBytesMax; ) {
      const chunk = this.#waiting.shift();
      if (!chunk) break;
      taken.push(chunk);
      bytes += chunk.length;
    }
    return taken.length > 0 ? Buffer.concat(taken) : undefined;
  }

  /** False when there is no more time for it. */
  async #append(bytes: Buffer): Promise<boolean> {
    for (let done = 0; done < bytes.length; ) {
      try {
        const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, null);
        done += bytesWritten;
        this.#waitingBytes = Math.max(0, this.#waitingBytes - bytesWritten);
      } catch (error) {
        this.#tell(errnoOf(error));
        if (this.#isClosing) {
          this.lostBytes += bytes.length - done + this.#waiting.reduce((sum, { length }) => sum + length, 0);
          return false;
        }
        await this.#pause();
      }
    }
    return true;
  }

  async #pause(): Promise<void> {
    const closing = new AbortController();
    this.#wake = () => {
      if (this.#isClosing) closing.abort();
    };
    await this.#options.clock.sleep(retryMs, closing.signal);
    this.#wake = undefined;
  }

  #tell(code: string): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#options.onProblem(code);
  }

  /** Once all is on disk, as far as that is possible in a few seconds. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#wake?.();
    const timer = new AbortController();
    const timeUp = this.#options.clock.sleep(closeTimeoutMs, timer.signal);
    await Promise.race([this.#finish(), timeUp]);
    timer.abort();
  }

  async #finish(): Promise<void> {
    await this.#writing;
    try {
      await this.#file.datasync();
      await this.#file.close();
    } catch (error) {
      this.#tell(errnoOf(error));
    }
  }
}
