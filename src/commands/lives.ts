import { type JournalTrouble, StateError } from '../adapters/journal-trouble.ts';
import { systemClock } from '../adapters/system-time.ts';
import type { Agent } from '../compose.ts';
import { printDuration } from '../config/units.ts';
import type { Events } from '../ports/events.ts';
import { EventCounter } from '../services/event-counter.ts';
import { type Answering, silentIn } from './answering.ts';
import { type Edge, exitCode } from './edge.ts';
import { sayNothingBegan, sayUnsent } from './last-words.ts';
import { Life } from './life.ts';
import { createLogLines } from './log-lines.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { placeWait } from './place-wait.ts';
import { changedKeys, reload } from './reload.ts';
import type { ShipOptions } from './ship-options.ts';
import { type Awaited, StateWait, stateWait } from './state-wait.ts';
import { type Supervision, superviseBy } from './supervision.ts';
import { unsentLines } from './unsent.ts';

export interface LivesOptions {
  readonly edge: Edge;
  readonly ship: ShipOptions;
  /** Reads flags, files and variables anew. Throws ConfigError and NoAnswer. */
  readonly load: () => Promise<Answering>;
  /** As it was read first. */
  readonly loaded: Answering;
}

/**
 * The agents of one process, one after the other.
 *
 *   a life ends by          then
 *   being done, a signal    the process ends, naming what is left
 *   a new configuration     the next life begins with it (SIGHUP); one that is not usable changes nothing
 *   silence of a place      before it begins, what it would look at is asked, and waited for
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
  #loaded: Answering;
  #events: Events & { close(): void };
  /** Read at SIGHUP: the next life's. */
  #next: Answering | undefined;
  #life: Life | undefined;
  #signals = 0;
  /** The first one. */
  #signal: string | undefined;
  #sawWork = false;
  #code: number | undefined;
  #isOver = false;

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
    this.#loaded = options.loaded;
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
      edge.onReload(oneAtATime(() => this.#reload())),
    ];
    try {
      return await this.#live();
    } finally {
      for (const stop of stopListening) stop();
      this.#isOver = true;
      await this.#supervision?.end();
      this.#events.close();
    }
  }

  async #live(): Promise<number> {
    let damage: JournalTrouble | undefined;
    for (let isFirst = true; ; isFirst = false) {
      const tooLate = await this.#awaitPlaces(isFirst);
      if (tooLate !== undefined) return tooLate;
      const trouble = await this.#oneLife(damage, isFirst);
      if (this.#code !== undefined && !trouble) return this.#code;
      damage = trouble?.kind === 'damaged' ? trouble : undefined;
      if (trouble) {
        const awaited = stateWait(trouble, this.#loaded.config.state.directory, this.#events);
        const code = await this.#waitFor(awaited);
        if (code !== undefined) return code;
      }
    }
  }

  /** Undefined once all places of the next life answer, which may be at once. */
  async #awaitPlaces(isFirst: boolean): Promise<number | undefined> {
    const { edge, load } = this.#options;
    for (let known = isFirst; ; known = true) {
      this.#takeNext();
      const { config, silent } = this.#loaded;
      const [first, ...others] = known ? silent : await silentIn(edge, config);
      if (!first) return undefined;
      const awaited = placeWait(edge, config, [first, ...others], this.#events);
      // A restart would not help: the service is up, and waits.
      this.#supervision?.began();
      const code = await this.#waitFor(awaited);
      if (code !== undefined) return code;
      // Of a place that did not answer, links were not followed.
      this.#next ??= await load();
    }
  }

  /** What kept the life from going on; undefined when it ended in order. */
  async #oneLife(damage: JournalTrouble | undefined, isFirst: boolean): Promise<JournalTrouble | undefined> {
    const { edge, ship } = this.#options;
    this.#takeNext();
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
    if (end.why === 'hung') edge.own?.leave(this.#code ?? exitCode.unsent);
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
    const left = unsentLines(agent, ship);
    const { blocked } = agent.status();
    const why = blocked && { ...blocked, what: agent.destination };
    this.#code = sayUnsent(edge, this.#events, left, why);
    if (edge.stderrIsTerminal) ship.progress?.end();
  }

  /** Undefined once the next life may begin; the exit code when there is no time left for one. */
  async #waitFor(awaited: Awaited): Promise<number | undefined> {
    const { edge, ship } = this.#options;
    const isWanted = this.#signals === 0;
    if (isWanted && (this.#next || (await this.#wait.until(awaited, this.#loaded, this.#events)))) return;
    ship.progress?.end();
    return sayNothingBegan(edge, this.#events, this.#loaded, awaited);
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
      this.#life?.force();
    }
  }

  async #reload(): Promise<void> {
    if (this.#signals > 0) return;
    this.#supervision?.reloading();
    const found = await reload(this.#options.load, () => ({
      directories: [this.#next ?? this.#loaded, this.#loaded].map(({ config }) => config.state.directory),
      journal: this.#life?.agent.journal,
    }));
    if (this.#signals > 0 || this.#isOver) return;
    if ('problems' in found) {
      this.#supervision?.began();
      this.#events.emit('config.rejected', found);
      return;
    }
    const { loaded } = found;
    const before = this.#next ?? this.#loaded;
    const changed = changedKeys(before, loaded);
    this.#events.emit('config.reloaded', { changed });
    // A key pair that was exchanged where it was is found without us; one in another place is not.
    const isSamePlace = before.credentialsAt === loaded.credentialsAt;
    if (changed.length === 0 && isSamePlace && !this.#life?.isBlocked()) {
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
