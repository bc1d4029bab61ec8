import { quotePath, type WatchedPath } from '../domain/watched-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { Events } from '../ports/events.ts';
import type { FileSource, FolderState } from '../ports/file-source.ts';
import type { ProcessTable } from '../ports/process-table.ts';
import type { Deadline, Service } from '../ports/service.ts';
import { topName } from './folder-survey.ts';
import type { LookRests } from './look-rests.ts';
import { MissedChanges } from './missed-changes.ts';
import type { SessionObserver } from './session-observer.ts';
import type { SessionTracker } from './session-tracker.ts';

export interface WatcherOptions {
  readonly source: FileSource;
  readonly tracker: SessionTracker;
  readonly observer: SessionObserver;
  readonly processes: ProcessTable;
  readonly clock: Clock;
  readonly events: Events;
  /** Its time is counted by whoever looks. */
  readonly looking: LookRests;
  readonly rescanMs: () => number;
  /** In [0, 1): where in its period this host rescans, so that a fleet does not do so at once. */
  readonly spread: number;
}

/** Events come in bursts: what arrives in this time is one look. */
const debounceMs = 50;
const askProcessesEveryMs = 2000;
const absentFolderEveryMs = 2000;
/** The folder as a whole, among the names straight in it. */
const everything: WatchedPath = '';

/** Decides when to look: a whole survey on a schedule and when in doubt, a part of it after a hint or when something is due. */
export class FolderWatcher implements Service {
  readonly name = 'watcher';
  readonly #options: WatcherOptions;
  readonly #stop = new AbortController();
  readonly #hints = new Set<WatchedPath>();
  #wake: (() => void) | undefined;
  #surveyAtMs = Number.NEGATIVE_INFINITY;
  #folder: FolderState | undefined;
  #askAtMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  #draining: { deadline: Deadline; done: () => void } | undefined;
  readonly #missed = new MissedChanges();
  /** Nothing of what the next look finds can have been told of: the folder was not watched. */
  #isNew = true;
  surveysDone = 0;
  /** Wall clock; when the last complete look at the whole folder ended. */
  lastLookAtMs: number | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
    options.source.onHint((path) => {
      this.#missed.told(topName(path), options.clock.monotonicMs());
      this.#hint(path);
    });
  }

  /** Changes that only a look at the whole folder found. */
  get missedByEvents(): number {
    return this.#missed.count(this.#options.clock.monotonicMs());
  }

  /** Somebody else knows that a session must be looked at. */
  lookAt(root: WatchedPath): void {
    this.#hint(root);
  }

  #hint(path: WatchedPath): void {
    const top = topName(path);
    // Known already: whoever sleeps knows until when that one looking.
    if (this.#hints.has(top)) return;
    this.#hints.add(top);
    this.#wake?.();
  }

  get folderState(): FolderState | undefined {
    return this.#folder;
  }

  run(): Promise<void> {
    this.#running ??= this.#loop();
    return this.#running;
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#snapshots();
      if (await this.#isFolderThere()) await this.#look(signal);
      if (!signal.aborted) await this.#rest();
    }
  }

  async #isFolderThere(): Promise<boolean> {
    const { source, events } = this.#options;
    const before = this.#folder;
    const now = await source.state();
    this.#folder = now;
    const folder = quotePath(source.directory);
    if (now.state !== 'present') {
      if (before?.state !== now.state) {
        events.emit('folder.missing', { folder, remedy: remedyOf(now) });
      }
      return false;
    }
    if (before?.state === 'present' && before.identity !== now.identity) {
      events.emit('folder.replaced', { folder });
      this.#surveyAtMs = Number.NEGATIVE_INFINITY;
      this.#isNew = true;
    } else if (before && before.state !== 'present') {
      events.emit('folder.found', { folder });
      this.#surveyAtMs = Number.NEGATIVE_INFINITY;
      this.#isNew = true;
    }
    return true;
  }

  /** A look that is under way when we are stopped ends by the signal's own reason, which is no failure. */
  async #look(signal: AbortSignal): Promise<void> {
    try {
      await this.#lookAround(signal);
    } catch (error) {
      if (error !== signal.reason) throw error;
    }
  }

  async #lookAround(signal: AbortSignal): Promise<void> {
    const { tracker, clock, source, processes } = this.#options;
    if (clock.monotonicMs() >= this.#askAtMs && tracker.sessions.withProcess().length > 0) {
      await tracker.sessions.askProcesses(processes);
      this.#askAtMs = clock.monotonicMs() + askProcessesEveryMs;
    }
    if (clock.monotonicMs() >= this.#surveyAtMs) await this.#survey(signal);
    else await this.#revisit(signal);
    source.watch(tracker.openRoots());
  }

  async #survey(signal: AbortSignal): Promise<void> {
    const { tracker, clock, rescanMs, spread, looking } = this.#options;
    const beforeMs = looking.spentMs;
    const beganMs = clock.monotonicMs();
    this.#hints.clear();
    // What was found since the last one was found by an event, or when it was due.
    tracker.changes.take();
    const isComplete = await tracker.survey(signal);
    const tookMs = looking.spentMs - beforeMs;
    const changed = this.#isNew ? [] : tracker.changes.take();
    this.#missed.found(changed, { beganMs, endedMs: clock.monotonicMs() });
    const periodMs = this.surveysDone === 0 ? rescanMs() * (0.5 + spread / 2) : rescanMs();
    this.#surveyAtMs =
      clock.monotonicMs() + Math.max(isComplete ? periodMs : debounceMs, looking.afterMs(tookMs));
    looking.looked(everything, clock.monotonicMs(), tookMs);
    if (!isComplete) return;
    this.surveysDone += 1;
    this.lastLookAtMs = clock.nowMs();
    this.#isNew = false;
  }

  async #revisit(signal: AbortSignal): Promise<void> {
    const { tracker, clock, looking } = this.#options;
    for (const top of new Set([...this.#hints, ...tracker.sessions.due(clock.monotonicMs()).tops])) {
      if (signal.aborted) return;
      const startedMs = clock.monotonicMs();
      const beforeMs = looking.spentMs;
      if ((looking.untilMs(top) ?? 0) > startedMs) continue;
      this.#hints.delete(top);
      // A file straight in the folder, or a session that is the folder: only a whole survey can tell.
      if (!(await tracker.revisit(top, signal)))
        this.#surveyAtMs = Math.min(this.#surveyAtMs, looking.untilMs(everything) ?? startedMs + debounceMs);
      looking.looked(top, clock.monotonicMs(), looking.spentMs - beforeMs);
    }
    looking.forgetPast(clock.monotonicMs());
  }

  async #rest(): Promise<void> {
    const { clock, tracker, looking } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#draining) return;
    if (this.#folder?.state !== 'present') {
      await this.#sleepUntil(nowMs + absentFolderEveryMs);
      return;
    }
    const due = tracker.sessions.due(nowMs);
    const wakeAt = [this.#surveyAtMs, due.nextMs];
    for (const top of [...this.#hints, ...due.tops]) wakeAt.push(looking.untilMs(top) ?? nowMs + debounceMs);
    if (tracker.sessions.withProcess().length > 0) wakeAt.push(this.#askAtMs);
    await this.#sleepUntil(Math.min(...wakeAt));
    // A burst is let pass before it is looked at.
    if (this.#hints.size > 0) await clock.sleep(debounceMs, this.#stop.signal);
  }

  async #sleepUntil(atMs: number): Promise<void> {
    const { clock } = this.#options;
    const timer = new AbortController();
    const stopped = () => timer.abort();
    this.#stop.signal.addEventListener('abort', stopped, { once: true });
    this.#wake = () => timer.abort();
    await clock.sleep(Math.max(0, Math.min(atMs - clock.monotonicMs(), 60_000)), timer.signal);
    this.#wake = undefined;
    this.#stop.signal.removeEventListener('abort', stopped);
  }

  /**
   * Before anything else is tried, the bucket is to get the log of every open session as it is: nobody knows whether
   * there will be a next start. Watching goes on. In the loop's turn, so that no look is under way meanwhile.
   */
  async drain(deadline: Deadline): Promise<void> {
    await new Promise<void>((resolve) => {
      deadline.signal.addEventListener('abort', () => resolve(), { once: true });
      this.#draining = { deadline, done: resolve };
      this.#wake?.();
    });
  }

  async #snapshots(): Promise<void> {
    const { tracker, observer } = this.#options;
    const draining = this.#draining;
    if (!draining) return;
    this.#draining = undefined;
    for (const tracked of tracker.sessions.open()) {
      if (draining.deadline.signal.aborted) break;
      // Nobody has looked at it in this life: what its log says already stays.
      if (tracked.surveyed) await observer.snapshot(tracked, draining.deadline.atMs);
    }
    draining.done();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running?.catch(() => {
      // reason: whoever awaits run() is told
    });
  }
}

function remedyOf(now: Exclude<FolderState, { state: 'present' }>): string {
  if (now.state === 'missing')
    return 'create it, mount it, or correct watch.directory; trainlogd waits for it';
  return now.code === 'ETIMEDOUT'
    ? 'it does not answer: check its mount (mount, dmesg); trainlogd looks again'
    : `let this user read it (${now.code}); trainlogd looks again`;
}
