import { hasJournal } from '../adapters/journal-file.ts';
import { type JournalTrouble, journalTrouble } from '../adapters/journal-trouble.ts';
import { createSystemdNotify } from '../adapters/systemd-notify.ts';
import type { Agent } from '../compose.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventCounts } from '../ports/event-counts.ts';
import type { Events } from '../ports/events.ts';
import type { Status } from '../ports/status.ts';
import type { Supervisor } from '../ports/supervisor.ts';
import { QueuePulse } from '../services/queue-pulse.ts';
import type { Edge } from './edge.ts';
import { counted, humanBytes } from './human.ts';
import { oneLine } from './one-line.ts';

export interface SupervisionOptions {
  readonly supervisor: Supervisor;
  readonly clock: Clock;
  readonly counts: EventCounts;
  readonly events: () => Events;
  /** The life of now; undefined between two. */
  readonly agent: () => Agent | undefined;
}

const stuckAfterMs = 600_000;
const beatMsMax = 30_000;
/** What ending in order takes beyond the time that the configuration allows. */
const stopMarginMs = 15_000;
const statusMax = 200;

/**
 * What systemd is told, all process long: ready once the first life began, what is left to do, and that we live. The last
 * is said from the event loop, so a loop that hangs does not say it; nor is it said once the queue stands still.
 */
export class Supervision {
  readonly #options: SupervisionOptions;
  readonly #pulse: QueuePulse;
  readonly #over = new AbortController();
  #said = '';
  #isStuck = false;
  #isReady = false;
  #beating: Promise<void> | undefined;

  constructor(options: SupervisionOptions) {
    this.#options = options;
    this.#pulse = new QueuePulse(options.clock, stuckAfterMs);
  }

  /** A life began; also told after a configuration was read again and changed nothing. */
  began(): void {
    this.#pulse.forget();
    this.#isReady = true;
    this.#options.supervisor.tell({ ready: true });
    this.#beating ??= this.#beat();
  }

  /**
   * Whether the first life waits for its disk, as the later ones do: systemd does not start again what ends by 78, which a
   * disk that an error made read-only is no reason for. Where there never was a journal it is the configuration that is wrong.
   */
  outwaits({ kind }: JournalTrouble, stateDirectory: string): boolean {
    if (kind !== 'disk' || !hasJournal(stateDirectory)) return false;
    this.began();
    return true;
  }

  reloading(): void {
    if (this.#isReady) this.#options.supervisor.tell({ reloading: true });
  }

  /** The unit's own time-out may be shorter than what the configuration allows by now. */
  stopping(timeoutMs: number): void {
    this.#options.supervisor.tell({ stopping: true, extendTimeoutMs: timeoutMs + stopMarginMs });
  }

  async end(): Promise<void> {
    this.#over.abort();
    await this.#beating;
    await this.#options.supervisor.flushed();
  }

  async #beat(): Promise<void> {
    const { supervisor, clock } = this.#options;
    const everyMs = Math.min(beatMsMax, (supervisor.watchdogMs ?? beatMsMax) / 3);
    while (!this.#over.signal.aborted) {
      const text = this.#status();
      const isNews = text !== this.#said;
      this.#said = text;
      const isAlive = !this.#isStill() && supervisor.watchdogMs !== undefined;
      if (isNews || isAlive)
        supervisor.tell({ ...(isAlive && { alive: true }), ...(isNews && { status: text }) });
      await clock.sleep(everyMs, this.#over.signal);
    }
  }

  #isStill(): boolean {
    const { agent, counts, supervisor, events } = this.#options;
    const queue = agent()?.queue();
    if (!queue) return false;
    const forMs = this.#pulse.stuckForMs({ ...queue, mark: `${queue.mark} ${markOf(counts)}` });
    if (forMs !== undefined && !this.#isStuck && supervisor.watchdogMs !== undefined)
      events().emit('queue.stuck', { forMs, watchdogMs: supervisor.watchdogMs });
    this.#isStuck = forMs !== undefined;
    return this.#isStuck;
  }

  #status(): string {
    return oneLine(statusOf(this.#options.agent())).slice(0, statusMax);
  }
}

function statusOf(agent: Agent | undefined): string {
  const waiting = 'waiting for a directory: the log says why';
  try {
    return agent ? statusLine(agent.status()) : waiting;
  } catch (error) {
    if (journalTrouble(error)) return waiting; // reason: the life is about to end by it, and says so
    throw error;
  }
}

/** Steps that no request counts. */
function markOf({ retries, parked, blocks, vanishedFiles, uploadedFiles, finalLogs }: EventCounts): string {
  return [retries, parked, blocks, vanishedFiles, uploadedFiles, finalLogs].join();
}

/** Undefined where no systemd waits for us. */
export function superviseBy(
  { env, pid }: Pick<Edge, 'env' | 'pid'>,
  of: Omit<SupervisionOptions, 'supervisor'>,
): Supervision | undefined {
  const onProblem = (problem: string) => of.events().emit('config.warning', { problem });
  const supervisor = createSystemdNotify({ env, pid, onProblem });
  return supervisor && new Supervision({ ...of, supervisor });
}

/** What comes first is what a person would want to know first. */
export function statusLine({ backlog, blocked, trouble }: Status): string {
  const { open, shipping, pendingFiles, pendingBytes, parkedFiles } = backlog;
  const troubles = [
    ...(trouble ? [`state directory unusable, ${trouble.code}`] : []),
    ...(blocked ? [`destination blocked, ${blocked.code}`] : []),
    ...(parkedFiles > 0 ? [`${counted(parkedFiles, 'file')} parked, see trainlogd status`] : []),
  ];
  const waiting =
    pendingFiles === 0
      ? 'nothing to send'
      : `${counted(pendingFiles, 'file')}, ${humanBytes(pendingBytes)} to send`;
  return [...troubles, waiting, `${open} open, ${shipping} being shipped`].join('; ');
}
