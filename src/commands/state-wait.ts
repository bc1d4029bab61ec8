import { hostname } from 'node:os';
import type { JournalTrouble } from '../adapters/journal-trouble.ts';
import { probeStateDirectory } from '../adapters/state-probe.ts';
import { StatusSocket } from '../adapters/status-socket.ts';
import { systemClock } from '../adapters/system-time.ts';
import { composeTroubledHttp } from '../compose-http.ts';
import { realFolder } from '../compose-parts.ts';
import type { Config } from '../config/schema.ts';
import type { EventCounts } from '../ports/event-counts.ts';
import type { Events } from '../ports/events.ts';
import type { Service } from '../ports/service.ts';
import type { Status } from '../ports/status.ts';
import { readStatusIfPossible } from './status-without-agent.ts';
import { programVersion } from './version.ts';

export interface StateWaitOptions {
  readonly pid: number;
  /** Monotonic; undefined without a limit. */
  readonly deadlineMs: number | undefined;
  readonly counts: EventCounts;
  /** `run`: who asks over HTTP gets an answer meanwhile. */
  readonly stays: boolean;
}

const delayMinMs = 1000;
const delayMaxMs = 60_000;
/** A life that was this long is no sign of the trouble before it. */
const goodLifeMs = 60_000;

/** Between two lives: waits until the state directory can be written to, asking it at a capped pace. */
export class StateWait {
  readonly #options: StateWaitOptions;
  #troubles = 0;
  #isEnded = false;
  #sleep = new AbortController();

  constructor(options: StateWaitOptions) {
    this.#options = options;
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
    const answering = await this.#answer(trouble, config, events);
    const running = answering.map((service) => service.run());
    try {
      return await this.#probe(trouble, config.state.directory, events);
    } finally {
      for (const service of answering) await service.stop();
      await Promise.all(running);
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
    const { deadlineMs } = this.#options;
    return deadlineMs === undefined ? Number.POSITIVE_INFINITY : deadlineMs - systemClock.monotonicMs();
  }

  /** Over HTTP in any case; where the journal can at least be read, `status` gets an answer, too. */
  async #answer(trouble: JournalTrouble, config: Config, events: Events): Promise<readonly Service[]> {
    const { pid, counts, stays } = this.#options;
    const sinceMs = systemClock.monotonicMs();
    const { code, cause, remedy } = trouble;
    const told = () => ({ code, cause, remedy, sinceMs: systemClock.monotonicMs() - sinceMs });
    const found = await readStatusIfPossible(config);
    const status = (): Status | undefined => found && { ...found, running: true, pid, trouble: told() };
    const place = { host: hostname(), folder: realFolder(config.watch.directory), version: programVersion() };
    const http = stays
      ? composeTroubledHttp(config, events, { ...place, pid, counts, trouble: told, status })
      : undefined;
    return [...statusSocket(config, status), ...(http ? [http] : [])];
  }
}

function statusSocket(config: Config, status: () => Status | undefined): readonly Service[] {
  const known = status();
  if (!known) return []; // the log has the reason
  return [
    new StatusSocket({
      stateDirectory: config.state.directory,
      answering: { status: () => status() ?? known },
      onProblem: () => undefined,
    }),
  ];
}
