import { type JournalTrouble, journalTrouble, StateError } from '../adapters/journal-trouble.ts';
import { systemClock } from '../adapters/system-time.ts';
import type { Agent } from '../compose.ts';
import { realFolder } from '../compose-parts.ts';
import type { LoadedConfig } from '../config/load.ts';
import { printDuration } from '../config/units.ts';
import type { Events } from '../ports/events.ts';
import { EventCounter } from '../services/event-counter.ts';
import { type Edge, exitCode } from './edge.ts';
import { Life } from './life.ts';
import { createLogLines } from './log-lines.ts';
import { oneLine } from './one-line.ts';
import { changedKeys, reload } from './reload.ts';
import type { ShipOptions } from './ship-options.ts';
import { StateWait } from './state-wait.ts';
import { unsentInJournal } from './status-without-agent.ts';
import { type Supervision, superviseBy } from './supervision.ts';
import { unsentLines } from './unsent.ts';

export interface LivesOptions {
  readonly edge: Edge;
  readonly ship: ShipOptions;
  /** Reads flags, files and variables anew. Throws ConfigError. */
  readonly load: () => LoadedConfig;
}

/**
 * The agents of one process, one after the other.
 *
 *   a life ends by          then
 *   being done, a signal    the process ends, naming what is left
 *   a new configuration     the next life begins with it (SIGHUP); one that is not usable changes nothing
 *   trouble with its disk   once the state directory can be written to again, the next life begins
 *   a damaged journal       it is set aside, and the next life begins a new one
 *   anything else           the process ends: a mistake of this program
 *
 * What counts is on disk at each of these ends, so that a life may end anywhere.
 */
export class Lives {
  readonly #options: LivesOptions;
  readonly #deadlineMs: number | undefined;
  readonly #wait: StateWait;
  readonly #counter = new EventCounter(systemClock);
  #supervision: Supervision | undefined;
  #loaded: LoadedConfig;
  #events: Events & { close(): void };
  /** Read at SIGHUP: the next life's. */
  #next: LoadedConfig | undefined;
  #life: Life | undefined;
  #signals = 0;
  /** The first one. */
  #signal: string | undefined;
  #sawWork = false;
  #code: number | undefined;

  constructor(options: LivesOptions) {
    const { ship } = options;
    this.#options = options;
    this.#deadlineMs = ship.timeoutMs === undefined ? undefined : systemClock.monotonicMs() + ship.timeoutMs;
    this.#wait = new StateWait({
      pid: options.edge.pid,
      deadlineMs: this.#deadlineMs,
      counts: this.#counter.counts,
      stays: ship.stays ?? false,
    });
    this.#loaded = options.load();
    this.#events = this.#logLines();
    if (ship.stays)
      this.#supervision = superviseBy(options.edge, {
        clock: systemClock,
        counts: this.#counter.counts,
        events: () => this.#events,
        agent: () => this.#life?.agent,
      });
  }

  /** The exit code. Throws StateError when not even the first life can begin. */
  async run(): Promise<number> {
    const { edge } = this.#options;
    const stopListening = [
      edge.onEndSignal((signal) => this.#onEndSignal(signal)),
      edge.onReload(() => this.#onReload()),
    ];
    try {
      return await this.#live();
    } finally {
      for (const stop of stopListening) stop();
      await this.#supervision?.end();
      this.#events.close();
    }
  }

  async #live(): Promise<number> {
    let damage: JournalTrouble | undefined;
    for (let isFirst = true; ; isFirst = false) {
      const trouble = await this.#oneLife(damage, isFirst);
      if (this.#code !== undefined && !trouble) return this.#code;
      damage = trouble?.kind === 'damaged' ? trouble : undefined;
      if (trouble && !(await this.#isOver(trouble))) return this.#giveUp(trouble);
      this.#takeNext();
    }
  }

  /** What kept the life from going on; undefined when it ended in order. */
  async #oneLife(damage: JournalTrouble | undefined, isFirst: boolean): Promise<JournalTrouble | undefined> {
    const { edge, ship } = this.#options;
    const [loaded, events, deadlineMs] = [this.#loaded, this.#events, this.#deadlineMs];
    const { counts } = this.#counter;
    try {
      const onEnd = (agent: Agent) => this.#onEnd(agent);
      this.#life = new Life({ edge, loaded, events, counts, ship, onEnd, deadlineMs }, damage);
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      const { directory } = loaded.config.state;
      if (isFirst && !this.#supervision?.outwaits(error.trouble, directory)) throw error;
      return error.trouble;
    }
    const { agent, startedMs } = this.#life;
    agent.tracker.hasSeenWork = this.#sawWork;
    const living = this.#life.live();
    this.#supervision?.began();
    if (this.#signal !== undefined) this.#life.drain(loaded.config.drain.timeoutMs, this.#signal);
    const end = await living;
    this.#sawWork ||= agent.tracker.hasSeenWork;
    this.#life = undefined;
    this.#wait.lived(systemClock.monotonicMs() - startedMs);
    if (end.why === 'failed') throw end.error;
    return end.why === 'trouble' ? end.trouble : undefined;
  }

  /** Only the last life says what is left. */
  #onEnd(agent: Agent): void {
    if (this.#next && this.#signals === 0) return;
    const { edge, ship } = this.#options;
    if (ship.isFollowed && this.#signals === 0) {
      this.#code = exitCode.ok;
      return;
    }
    ship.progress?.end();
    ship.onEnd?.(agent);
    const { skipped } = agent.tracker;
    if (skipped > 0) {
      const olderThan = printDuration(this.#loaded.config.watch.ignoreOlderThanMs);
      this.#events.emit('session.skipped', { count: skipped, olderThan });
    }
    const left = unsentLines(agent, ship.ignoresOpen ?? false);
    const { blocked } = agent.status();
    this.#code = this.#say(left, blocked && { ...blocked, what: agent.destination });
    if (edge.stderrIsTerminal) ship.progress?.end();
  }

  /** Every file that did not get there, by name; 75 when there is one. */
  #say(
    left: readonly string[],
    why: { what: string; code: string; cause: string; remedy: string } | undefined,
  ): number {
    const { edge } = this.#options;
    const code = left.length === 0 ? exitCode.ok : exitCode.unsent;
    for (const line of left) edge.stderr(`unsent: ${oneLine(line)}\n`);
    if (why && left.length > 0)
      edge.stderr(`why: ${why.what} is not usable, ${why.code}: ${oneLine(why.cause)}: ${why.remedy}\n`);
    this.#events.emit('daemon.stopped', { unsent: left.length, exitCode: code });
    return code;
  }

  /** True once the next life may begin; false when there is no time left for one. */
  #isOver(trouble: JournalTrouble): Promise<boolean> {
    if (this.#signals > 0) return Promise.resolve(false);
    return this.#wait.until(trouble, this.#loaded.config, this.#events);
  }

  #giveUp(trouble: JournalTrouble): number {
    const { ship } = this.#options;
    const { state, watch } = this.#loaded.config;
    ship.progress?.end();
    const folder = realFolder(watch.directory);
    const left = [
      ...unsentInJournal(state.directory, folder),
      `${folder}: what is not in the bucket yet goes on at the next start`,
    ];
    return this.#say(left, { ...trouble, what: `the state directory ${JSON.stringify(state.directory)}` });
  }

  #onEndSignal(signal: string): void {
    this.#signals += 1;
    const { ship } = this.#options;
    const { timeoutMs } = this.#loaded.config.drain;
    this.#signal ??= signal;
    if (this.#signals === 1) {
      this.#events.emit('daemon.draining', { timeoutMs, signal });
      ship.progress?.ending(timeoutMs);
      this.#supervision?.stopping(timeoutMs);
      this.#life?.drain(timeoutMs, signal);
      this.#wait.end();
    } else {
      this.#events.emit('daemon.forced', { signal });
      this.#life?.stop();
    }
  }

  #onReload(): void {
    if (this.#signals > 0) return;
    const before = this.#next ?? this.#loaded;
    const directories = [before, this.#loaded].map(({ config }) => config.state.directory);
    this.#supervision?.reloading();
    const { journal } = this.#life?.agent ?? {};
    const found = reload(this.#options.load, { directories, journal });
    if ('problems' in found) {
      this.#supervision?.began();
      this.#events.emit('config.rejected', found);
      return;
    }
    const { loaded } = found;
    const changed = changedKeys(before, loaded);
    this.#events.emit('config.reloaded', { changed });
    // A key pair that was exchanged where it was is found without us; one in another place is not.
    const isSamePlace = before.credentialsAt === loaded.credentialsAt;
    if (changed.length === 0 && isSamePlace && !isBlocked(this.#life)) {
      this.#supervision?.began();
      return;
    }
    this.#next = loaded;
    this.#life?.stop();
    this.#wait.cut();
  }

  #takeNext(): void {
    if (!this.#next) return;
    this.#loaded = this.#next;
    this.#next = undefined;
    this.#events.close();
    this.#events = this.#logLines();
  }

  #logLines(): Events & { close(): void } {
    const lines = createLogLines(this.#options.edge, this.#loaded, this.#options.ship.progress);
    for (const problem of this.#loaded.warnings) lines.emit('config.warning', { problem });
    return this.#counter.counted(lines);
  }
}

/** A blocked destination is tried at once by a new life, with credentials that may be there by now. */
function isBlocked(life: Life | undefined): boolean {
  try {
    return life?.agent.status().blocked !== undefined;
  } catch (error) {
    if (journalTrouble(error)) return true; // reason: the life is about to end by it anyway
    throw error;
  }
}
