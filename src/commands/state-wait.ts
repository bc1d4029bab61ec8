import type { JournalTrouble } from '../adapters/journal-trouble.ts';
import { probeStateDirectory } from '../adapters/state-probe.ts';
import { StatusSocket } from '../adapters/status-socket.ts';
import { systemClock } from '../adapters/system-time.ts';
import type { Config } from '../config/schema.ts';
import type { Events } from '../ports/events.ts';
import { readStatusIfPossible } from './status-without-agent.ts';

const delayMinMs = 1000;
const delayMaxMs = 60_000;
/** A life that was this long is no sign of the trouble before it. */
const goodLifeMs = 60_000;

/** Between two lives: waits until the state directory can be written to, asking it at a capped pace. */
export class StateWait {
  readonly #pid: number;
  readonly #deadlineMs: number | undefined;
  #troubles = 0;
  #isEnded = false;
  #sleep = new AbortController();

  constructor(pid: number, deadlineMs: number | undefined) {
    this.#pid = pid;
    this.#deadlineMs = deadlineMs;
  }

  /** The life that ended was so long. */
  lived(ms: number): void {
    if (ms >= goodLifeMs) this.#troubles = 0;
  }

  /** No next life is wanted. */
  end(): void {
    this.#isEnded = true;
    this.#sleep.abort();
  }

  /** Something is different: no more waiting. */
  cut(): void {
    this.#sleep.abort();
  }

  /** True when the next life may begin, false when there is no time for one. */
  async until(trouble: JournalTrouble, config: Config, events: Events): Promise<boolean> {
    // Damage is over when the file is set aside; only where it comes again and again is there reason to be slow.
    if (trouble.kind === 'damaged' && this.#troubles === 0) {
      this.#troubles += 1;
      return true;
    }
    const socket = await this.#answerStatus(trouble, config);
    try {
      return await this.#probe(trouble, config.state.directory, events);
    } finally {
      await socket?.stop();
    }
  }

  async #probe(trouble: JournalTrouble, state: string, events: Events): Promise<boolean> {
    const sinceMs = systemClock.monotonicMs();
    let { code } = trouble;
    while (!this.#isEnded) {
      const probeInMs = Math.min(delayMinMs * 2 ** this.#troubles, delayMaxMs);
      this.#troubles += 1;
      events.emit('journal.trouble', {
        state,
        code,
        cause: trouble.cause,
        remedy: trouble.remedy,
        probeInMs,
      });
      const leftMs = this.#leftMs();
      this.#sleep = new AbortController();
      await systemClock.sleep(Math.min(probeInMs, leftMs), this.#sleep.signal);
      if (this.#isEnded || leftMs <= probeInMs) return false;
      if (this.#sleep.signal.aborted) return true;
      const found = probeStateDirectory(state);
      if (found === undefined) {
        events.emit('journal.usable', { state, forMs: systemClock.monotonicMs() - sinceMs });
        return true;
      }
      code = found;
    }
    return false;
  }

  #leftMs(): number {
    return this.#deadlineMs === undefined
      ? Number.POSITIVE_INFINITY
      : this.#deadlineMs - systemClock.monotonicMs();
  }

  /** Where the journal can at least be read, `status` gets an answer; elsewhere the log has the reason. */
  async #answerStatus(
    { code, cause, remedy }: JournalTrouble,
    config: Config,
  ): Promise<StatusSocket | undefined> {
    const sinceMs = systemClock.monotonicMs();
    const found = await readStatusIfPossible(config);
    if (!found) return undefined;
    const socket = new StatusSocket({
      stateDirectory: config.state.directory,
      answering: {
        status: () => ({
          ...found,
          running: true,
          pid: this.#pid,
          trouble: { code, cause, remedy, sinceMs: systemClock.monotonicMs() - sinceMs },
        }),
      },
      onProblem: () => undefined,
    });
    void socket.run();
    return socket;
  }
}
