import { write } from 'node:fs';
import { promisify } from 'node:util';
import type { Clock } from '../ports/clock.ts';
import { errnoOf } from './errno.ts';

const writeFd = promisify(write);
const againMs = 5;

/**
 * All of these bytes, to a descriptor that we share with others. On the thread pool: a terminal that is halted (Ctrl-S)
 * blocks a write for as long as it likes. Throws the system's error.
 */
export async function writeAll(fd: number, bytes: Buffer, clock: Clock): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += (await writeFd(fd, bytes, done, bytes.length - done, null)).bytesWritten;
    } catch (error) {
      // Somebody made it non-blocking.
      if (errnoOf(error) !== 'EAGAIN') throw error;
      await clock.sleep(againMs);
    }
  }
}
