import { hostname } from 'node:os';
import { errnoOf } from '../adapters/errno.ts';
import type { JournalTrouble } from '../adapters/journal-trouble.ts';
import { makeOwnDirectory } from '../adapters/make-directory.ts';
import { probeStateDirectory } from '../adapters/state-probe.ts';
import { StatusSocket } from '../adapters/status-socket.ts';
import { systemClock } from '../adapters/system-time.ts';
import { composeTroubledHttp } from '../compose-http.ts';
import type { EventCounts } from '../ports/event-counts.ts';
import type { Events } from '../ports/events.ts';
import type { Service } from '../ports/service.ts';
import type { Status } from '../ports/status.ts';
import { type Located, readStatusIfPossible } from './status-without-agent.ts';
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

/** What the next life cannot be without. */
export interface Awaited {
  /** With its path; absent: the state directory. */
  readonly of?: string;
  readonly trouble: JournalTrouble;
  /** What the journal says may be looked at. */
  readonly isReadable: boolean;
  /** Undefined once it can be used, else the system's code. */
  readonly probe: () => string | undefined | Promise<string | undefined>;
  readonly tell: (code: string, probeInMs: number) => void;
  readonly over: (forMs: number) => void;
}

/** The state directory, until it can be written to. */
export function stateWait(trouble: JournalTrouble, state: string, events: Events): Awaited {
  const { cause, remedy } = trouble;
  return {
    trouble,
    isReadable: true,
    probe: () => probeStateDirectory(state),
    tell: (code, probeInMs) => events.emit('journal.trouble', { state, code, cause, remedy, probeInMs }),
    over: (forMs) => events.emit('journal.usable', { state, forMs }),
  };
}

/** Between two lives: waits until what the next one needs can be used, asking for it at a capped pace. */
export class StateWait {
  readonly #options: StateWaitOptions;
  #troubles = 0;
  #isEnded = false;
  #isCut = false;
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
    this.#isCut = true;
    this.#sleep.abort();
  }

  /** True when the next life may begin, false when there is no time for one. */
  async until(awaited: Awaited, located: Located, events: Events): Promise<boolean> {
    const { trouble } = awaited;
    // Damage is over when the file is set aside; only where it comes again and again is there reason to be slow.
    if (trouble.kind === 'damaged' && this.#troubles === 0) {
      this.#troubles += 1;
      return true;
    }
    this.#isCut = false;
    const answering = await this.#answer(awaited, located, events);
    const running = answering.map((service) => service.run());
    try {
      return await this.#probe(awaited);
    } finally {
      for (const service of answering) await service.stop();
      await Promise.all(running);
    }
  }

  async #probe({ trouble, probe, tell, over }: Awaited): Promise<boolean> {
    const sinceMs = systemClock.monotonicMs();
    let { code } = trouble;
    while (!this.#isEnded) {
      if (this.#isCut) return true;
      const probeInMs = Math.min(delayMinMs * 2 ** this.#troubles, delayMaxMs);
      this.#troubles += 1;
      tell(code, probeInMs);
      const leftMs = this.#leftMs();
      this.#sleep = new AbortController();
      await systemClock.sleep(Math.min(probeInMs, leftMs), this.#sleep.signal);
      if (this.#isEnded || leftMs <= probeInMs) return false;
      if (this.#sleep.signal.aborted) return true;
      const found = await probe();
      if (found === undefined) {
        over(systemClock.monotonicMs() - sinceMs);
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
  async #answer(
    { of, trouble, isReadable }: Awaited,
    located: Located,
    events: Events,
  ): Promise<readonly Service[]> {
    const { config, folder } = located;
    const { pid, counts, stays } = this.#options;
    const sinceMs = systemClock.monotonicMs();
    const { code, cause, remedy } = trouble;
    const told = () => ({
      ...(of !== undefined && { of }),
      code,
      cause,
      remedy,
      sinceMs: systemClock.monotonicMs() - sinceMs,
    });
    const found = isReadable ? await readStatusIfPossible(located) : undefined;
    const status = (): Status | undefined => found && { ...found, running: true, pid, trouble: told() };
    const place = { host: hostname(), folder, version: programVersion() };
    const http = stays
      ? composeTroubledHttp(config, events, { ...place, pid, counts, trouble: told, status })
      : undefined;
    return [...statusSocket(config.state.directory, status), ...(http ? [http] : [])];
  }
}

function statusSocket(stateDirectory: string, status: () => Status | undefined): readonly Service[] {
  const known = status();
  // The log has the reason. Where another one holds the journal, the socket is that one's.
  if (!known) return [];
  try {
    makeOwnDirectory(stateDirectory);
  } catch (error) {
    if (errnoOf(error) === 'UNKNOWN') throw error;
    return []; // reason: the next life tells what is wrong with it
  }
  return [
    new StatusSocket({
      stateDirectory,
      answering: { status: () => status() ?? known },
      onProblem: () => undefined,
    }),
  ];
}
