import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Clock } from '../ports/clock.ts';

const firstMs = 100;
const everyMsMax = 2000;
const processesMax = 1000;

/**
 * The largest resident memory of any one process of a tree. The kernel keeps each process's own maximum (VmHWM of
 * proc(5)), so asking now and then misses only what a process grew by in its last moments: two seconds at most. Exact
 * would be wait4(2)'s ru_maxrss, which Node does not hand out.
 */
export class PeakMemory {
  readonly #pid: number;
  readonly #clock: Clock;
  bytesMax: number | undefined;

  constructor(pid: number, clock: Clock) {
    this.#pid = pid;
    this.#clock = clock;
    // At once, while a process that does next to nothing is still there.
    try {
      this.#see(readFileSync(`/proc/${pid}/status`, 'latin1'));
    } catch {
      // reason: as below
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    for (let waitMs = firstMs; !signal.aborted; waitMs = Math.min(waitMs * 2, everyMsMax)) {
      await this.#look();
      await this.#clock.sleep(waitMs, signal);
    }
  }

  async #look(): Promise<void> {
    const pids = [String(this.#pid)];
    for (let at = 0; at < pids.length && at < processesMax; at++) {
      const pid = pids[at] ?? '';
      this.#see(await text(`/proc/${pid}/status`));
      pids.push(...(await text(`/proc/${pid}/task/${pid}/children`)).split(' ').filter(Boolean));
    }
  }

  #see(status: string): void {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    if (kilobytes !== undefined) this.bytesMax = Math.max(this.bytesMax ?? 0, Number(kilobytes) * 1024);
  }
}

async function text(path: string): Promise<string> {
  try {
    return await readFile(path, 'latin1');
  } catch {
    return ''; // reason: gone meanwhile, or no /proc
  }
}
