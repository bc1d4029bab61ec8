import { hostname } from 'node:os';
import { errnoOf } from '../adapters/errno.ts';
import { hasJournalAside, setJournalAside } from '../adapters/journal-aside.ts';
import { type JournalTrouble, journalTrouble, StateError } from '../adapters/journal-trouble.ts';
import { openJournal } from '../adapters/open-journal.ts';
import { systemClock } from '../adapters/system-time.ts';
import { type Agent, compose } from '../compose.ts';
import { realFolder } from '../compose-parts.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { leaseLimits } from '../domain/lease.ts';
import type { EventCounts } from '../ports/event-counts.ts';
import type { Events } from '../ports/events.ts';
import type { Journal } from '../ports/journal.ts';
import type { Edge } from './edge.ts';
import { keepDestination } from './journal-destination.ts';
import type { ShipOptions } from './ship-options.ts';
import { programVersion } from './version.ts';

/** Why a life was over; `failed` is a mistake of this program. */
export type LifeEnd =
  | { readonly why: 'ended' }
  /** It cannot end: a call waits for a mount whose server is gone. */
  | { readonly why: 'hung' }
  | { readonly why: 'trouble'; readonly trouble: JournalTrouble }
  | { readonly why: 'failed'; readonly error: unknown };

export interface LifeOptions {
  readonly edge: Edge;
  readonly loaded: LoadedConfig;
  readonly events: Events;
  readonly counts: EventCounts;
  readonly ship: ShipOptions;
  /** Asked while the agent is there, once all it did is on disk. */
  readonly onEnd: (agent: Agent) => void;
  /** Monotonic; undefined without a limit. */
  readonly deadlineMs: number | undefined;
}

const askEveryMs = 100;
/** Beyond its deadline, what ends at all has ended. */
const hangMs = 10_000;
/** A share of a time-out is kept for naming in the bucket what did not get there. */
const lastWordsShare = 0.1;
const lastWordsMaxMs = 5000;

/**
 * One agent, from the opening of its journal to the closing. What it knew beyond the journal is gone with it, as after
 * a crash: the folder tells the next one. Throws StateError when it cannot begin.
 */
export class Life {
  readonly #options: LifeOptions;
  readonly agent: Agent;
  readonly startedMs = systemClock.monotonicMs();
  readonly #over = new AbortController();
  readonly #hung = Promise.withResolvers<LifeEnd>();

  /** `damage`: what the life before met in the journal, which is set aside then. */
  constructor(options: LifeOptions, damage: JournalTrouble | undefined) {
    const { edge, loaded, events, counts, ship } = options;
    const { config } = loaded;
    this.#options = options;
    const folder = realFolder(config.watch.directory);
    const journal = beginJournal(options, folder, damage);
    belongsHere(journal, config);
    // A journal that was begun anew cannot tell what was left alone on purpose from what was waiting.
    const takeAll = ship.takeAll || hasJournalAside(config.state.directory);
    this.agent = compose({
      config,
      events,
      counts,
      journal,
      folder,
      host: hostname(),
      env: edge.env,
      version: programVersion(),
      pid: edge.pid,
      ignoreOlderThanMs: takeAll ? Number.POSITIVE_INFINITY : config.watch.ignoreOlderThanMs,
      includeSkipped: ship.includeSkipped ?? false,
      stays: ship.stays ?? false,
      absenceMs: ship.givesUpAbsent ? 0 : config.watch.idleMs,
      leases: ship.leases ?? leaseLimits,
    });
  }

  async live(): Promise<LifeEnd> {
    const end = await Promise.race([attempt(() => this.#work()), this.#hung.promise]);
    this.#over.abort();
    if (end.why === 'hung') {
      this.#options.onEnd(this.agent);
      return end;
    }
    const closed = await attempt(() => this.agent.close());
    if (end.why === 'failed') return this.#explain(end);
    return end.why === 'ended' ? closed : end;
  }

  async #work(): Promise<void> {
    const { events, ship, loaded, onEnd } = this.#options;
    const { agent } = this;
    ship.prepare?.(agent, loaded);
    events.emit('journal.recovered', agent.journal.recover());
    events.emit('daemon.started', {
      folder: agent.folder,
      destination: agent.destination,
      state: loaded.config.state.directory,
      version: programVersion(),
      network: agent.watcher.folderState?.state === 'present' && agent.watcher.folderState.network,
    });
    await this.#runUntilDone();
    await agent.journal.synced();
    onEnd(agent);
  }

  async #runUntilDone(): Promise<void> {
    const over = new AbortController();
    const watching = attempt(() => this.#endWhenDone(over.signal));
    const ran = await attempt(() => this.agent.daemon.run());
    over.abort();
    for (const end of [ran, await watching]) {
      if (end.why === 'failed') throw end.error;
      if (end.why === 'trouble') throw new StateError(end.trouble);
    }
  }

  async #endWhenDone(over: AbortSignal): Promise<void> {
    const { ship, deadlineMs } = this.#options;
    const { isDone, progress } = ship;
    const { daemon } = this.agent;
    const lastWordsMs = Math.min((ship.timeoutMs ?? 0) * lastWordsShare, lastWordsMaxMs);
    try {
      while (!over.aborted && isDone) {
        progress?.show(this.agent);
        if (isDone(this.agent)) return await daemon.stop();
        if (deadlineMs !== undefined && systemClock.monotonicMs() >= deadlineMs - lastWordsMs) {
          this.#endWithin(lastWordsMs);
          return await daemon.drain(lastWordsMs);
        }
        await systemClock.sleep(askEveryMs, over);
      }
    } catch (error) {
      await daemon.stop();
      throw error;
    }
  }

  /** In order: sessions that go on get a log that says so, unless the host that asks us to end goes itself. */
  drain(timeoutMs: number, signal: string): void {
    // reason for the catch here and below: whoever awaits the run is told
    this.agent.daemon.drain(timeoutMs).catch(() => undefined);
    this.#endWithin(timeoutMs);
    // Other signals are a person's; and whoever came to ship once was told how sessions end.
    if (signal === 'SIGTERM' && this.#options.ship.stays) void this.agent.depart(timeoutMs);
  }

  /** A blocked destination is tried at once by a new life, with credentials that may be there by now. */
  isBlocked(): boolean {
    try {
      return this.agent.status().blocked !== undefined;
    } catch (error) {
      if (journalTrouble(error)) return true; // reason: the life is about to end by it anyway
      throw error;
    }
  }

  /** A second signal. */
  force(): void {
    this.stop();
    this.#endWithin(0);
  }

  #endWithin(ms: number): void {
    void systemClock.sleep(ms + hangMs, this.#over.signal).then(() => this.#hung.resolve({ why: 'hung' }));
  }

  stop(): void {
    this.agent.daemon.stop().catch(() => undefined);
  }

  /** What looks like a mistake of ours may come of a damaged row: then there is a way on. */
  #explain(end: LifeEnd): LifeEnd {
    try {
      openJournal(this.#options.loaded.config.state.directory).close();
      return end;
    } catch (error) {
      const trouble = journalTrouble(error);
      return trouble?.kind === 'damaged' ? { why: 'trouble', trouble } : end;
    }
  }
}

async function attempt(work: () => Promise<void>): Promise<LifeEnd> {
  try {
    await work();
    return { why: 'ended' };
  } catch (error) {
    const trouble = journalTrouble(error);
    return trouble ? { why: 'trouble', trouble } : { why: 'failed', error };
  }
}

function belongsHere(journal: Journal, config: Config): void {
  try {
    keepDestination(journal, config);
  } catch (error) {
    journal.close();
    throw error;
  }
}

function beginJournal(
  { edge, loaded, events }: LifeOptions,
  folder: string,
  damage: JournalTrouble | undefined,
): Journal {
  const { directory } = loaded.config.state;
  const startedAt = new Date(systemClock.nowMs()).toISOString();
  const holder = { pid: edge.pid, host: hostname(), folder, startedAt };
  if (damage) makeWay(directory, damage, events);
  else {
    try {
      return openJournal(directory, holder);
    } catch (error) {
      if (!(error instanceof StateError) || error.trouble.kind !== 'damaged') throw error;
      makeWay(directory, error.trouble, events);
    }
  }
  return openJournal(directory, holder);
}

function makeWay(state: string, { cause }: JournalTrouble, events: Events): void {
  try {
    const { file, kept } = setJournalAside(state, systemClock.nowMs());
    if (file !== undefined) events.emit('journal.damaged', { state, cause, file });
    const because = 'the journal that knew their names is damaged';
    if (kept) events.emit('claims.kept', { ...kept, sessions: [], because });
  } catch (error) {
    const code = errnoOf(error);
    throw new StateError({
      kind: 'disk',
      code,
      cause: `${cause}; setting it aside in ${JSON.stringify(state)} failed: ${code}`,
      remedy: 'let the user that trainlogd runs as rename files there',
    });
  }
}
