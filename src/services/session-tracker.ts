import { advance } from '../domain/session-machine.ts';
import { displayPath, type WatchedPath } from '../domain/watched-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { Events } from '../ports/events.ts';
import { type Entry, tickMaxMs } from '../ports/file-source.ts';
import type { Journal } from '../ports/journal.ts';
import { believedAgeMs } from './believed-age.ts';
import { type Survey, type SurveyedSession, surveyFolder, surveySubtree } from './folder-survey.ts';
import type { FolderLooks } from './metered-source.ts';
import type { SurveyRules } from './root-recognition.ts';
import { SessionMemory } from './session-memory.ts';
import type { SessionObserver } from './session-observer.ts';
import type { SessionReadings } from './session-reading.ts';
import type { SessionSharing } from './session-sharing.ts';
import { SurveyNotes } from './survey-notes.ts';
import { sessionName, TrackedSession } from './tracked-session.ts';
import type { TrackedSessions } from './tracked-sessions.ts';
import { WatchedChanges } from './watched-changes.ts';

export interface TrackerOptions {
  readonly source: FolderLooks;
  readonly journal: Journal;
  readonly readings: SessionReadings;
  readonly observer: SessionObserver;
  readonly sharing: SessionSharing;
  readonly clock: Clock;
  readonly events: Events;
  readonly folder: string;
  readonly rules: Omit<SurveyRules, 'frozen'>;
  readonly network: () => boolean;
  /** At the first look at a folder: sessions whose last change is older are left to `backfill`. */
  readonly ignoreOlderThanMs: number;
  /** `backfill`: sessions that were skipped are open again. */
  readonly includeSkipped: boolean;
  /** How long a root may be away before its session is given up. */
  readonly absenceMs: number;
}

/** During a whole look, what is due is looked at this often. */
const dueEveryMs = 100;

/**
 * Which sessions there are and where each stands. One look at a time: `survey` for the whole folder, `revisit` for a
 * part of it. Looks are the truth; who calls them, and when, is the watcher's business.
 */
export class SessionTracker {
  readonly #options: TrackerOptions;
  readonly #memory: SessionMemory;
  #surveys = 0;
  #folderIsSession = false;
  readonly notes: SurveyNotes;
  readonly changes = new WatchedChanges();
  /** Sessions that the first look at the folder left to `backfill`. */
  skipped = 0;
  /** In this life there was a session that was not shipped yet. */
  hasSeenWork = false;

  constructor(options: TrackerOptions) {
    this.#options = options;
    this.#memory = new SessionMemory(options);
    this.notes = new SurveyNotes(options.events);
  }

  get sessions(): TrackedSessions {
    return this.#memory.tracked;
  }

  /** The whole folder. False when it could not be looked at. */
  async survey(signal: AbortSignal): Promise<boolean> {
    const { source, readings, journal, folder, clock } = this.#options;
    this.#surveys += 1;
    this.notes.clear();
    this.#folderIsSession = false;
    const firstLook = journal.getMeta(`surveyed:${folder}`) === undefined;
    const oneFile = (entry: Entry) => this.#oneFile(entry, readings);
    let found = false;
    let again = false;
    // What needs nothing is looked at behind all that may.
    const manner = { oneFile, isLast: (path: WatchedPath) => this.#memory.isResting(path) };
    let askedMs = clock.monotonicMs();
    for await (const survey of surveyFolder(source, this.#rules(), manner, signal)) {
      found = true;
      again ||= survey.again;
      await this.#take(survey, firstLook);
      if (clock.monotonicMs() - askedMs < dueEveryMs) continue;
      await this.#revisitDue(signal);
      askedMs = clock.monotonicMs();
    }
    if (!found || again || signal.aborted) return false;
    if (firstLook) journal.setMeta(`surveyed:${folder}`, new Date(this.#options.clock.nowMs()).toISOString());
    await this.#notice();
    readings.forgetUnused();
    return true;
  }

  /** A look at a hundred thousand sessions at rest is long: what comes to rest meanwhile does not wait for its end. */
  async #revisitDue(signal: AbortSignal): Promise<void> {
    for (const top of this.sessions.due(this.#options.clock.monotonicMs()).tops) {
      if (signal.aborted) return;
      await this.revisit(top, signal);
    }
  }

  /** One directory straight in the folder. Anything else asks for a whole survey: answers false. */
  async revisit(top: WatchedPath, signal: AbortSignal): Promise<boolean> {
    if (this.#folderIsSession || top === '') return false;
    const startedMs = this.#options.clock.monotonicMs();
    const survey = await surveySubtree(this.#options.source, top, this.#rules(), signal);
    if (!survey) return false;
    await this.#take(survey, false);
    // What was due and could not be looked at is left to the next survey; what became due meanwhile is not.
    for (const tracked of this.sessions.atOrBelow(top)) {
      if (tracked.lookAtMs < startedMs) tracked.lookAtMs = Number.POSITIVE_INFINITY;
    }
    return true;
  }

  #rules(): SurveyRules {
    return { ...this.#options.rules, frozen: (path) => this.#memory.isFrozen(path) };
  }

  /** A file that became a session stays one, whatever it holds at the moment. */
  async #oneFile(entry: Entry, readings: SessionReadings): Promise<string | undefined> {
    const known = this.sessions.get(entry.path);
    if (known?.record?.kind !== 'file') return readings.oneFileIdentity(entry);
    if (known.entries[0]?.stat.ino === entry.stat.ino) return known.directoryIdentity;
    return (await readings.oneFileIdentity(entry)) ?? known.directoryIdentity;
  }

  async #take(survey: Survey, firstLook: boolean): Promise<void> {
    this.notes.take(survey);
    // What cannot be read stays as it was last seen.
    for (const { path } of survey.problems) this.#memory.takeAsSeen(path, this.#surveys);
    for (const session of survey.sessions) {
      if (session.root.path === '') this.#folderIsSession = true;
      await this.#look(session, firstLook);
    }
  }

  async #look(surveyed: SurveyedSession, firstLook: boolean): Promise<void> {
    if (this.#memory.isUnchanged(surveyed, this.#surveys)) return;
    const tracked = await this.#tracked(surveyed);
    if (tracked.state.at !== 'shipped') this.hasSeenWork = true;
    const isNew = tracked.seenIn === 0 && !tracked.record;
    tracked.seenIn = this.#surveys;
    tracked.missingSinceMs = undefined;
    tracked.surveyed = surveyed;
    const { clock, network } = this.#options;
    const ageOf = ({ stat }: Entry) => believedAgeMs(stat, clock.nowMs(), network());
    const look = { nowMs: clock.monotonicMs(), ageOf };
    const changed = tracked.absorb(surveyed.files, look, () => {
      return tracked.record ? this.#options.journal.files(tracked.record.sid) : [];
    });
    if (changed) this.changes.note(surveyed.root, isNew);
    if (firstLook && !tracked.record && look.nowMs - tracked.changedAtMs > this.#options.ignoreOlderThanMs) {
      this.#skip(tracked);
      return;
    }
    const { sharing, observer } = this.#options;
    if (!(await sharing.mayLook(tracked, surveyed, changed))) {
      if (sharing.isDoneElsewhere(tracked.root) && this.#memory.letRestElsewhere(tracked))
        sharing.onLeft(tracked.root);
      return;
    }
    const isSession = surveyed.root.by !== 'name' || tracked.inherited !== undefined;
    if (isSession && !tracked.record) this.#begin(tracked, surveyed.root.by);
    await observer.look(tracked, surveyed, changed);
    if (!changed) this.#memory.letRest(tracked);
  }

  async #tracked(surveyed: SurveyedSession): Promise<TrackedSession> {
    const known = this.#memory.get(surveyed.root.path);
    if (known && known.directoryIdentity === surveyed.directoryIdentity) return known;
    if (known) await this.#leave(known);
    const tracked = new TrackedSession(surveyed.root, surveyed.directoryIdentity);
    this.sessions.add(tracked);
    return tracked;
  }

  #begin(tracked: TrackedSession, by: string): void {
    tracked.record = this.#options.observer.begin(tracked, 'open');
    // A root that was away and is back is as far as it was.
    if (tracked.record.seal) this.#memory.restore(tracked, tracked.record);
    const path = tracked.root === '' ? '.' : displayPath(tracked.root);
    this.#options.events.emit('session.found', { session: sessionName(tracked), path, by });
  }

  #skip(tracked: TrackedSession): void {
    const { journal, observer } = this.#options;
    tracked.record = observer.begin(tracked, 'skipped');
    journal.setShape(tracked.record.sid, tracked.shape);
    this.#memory.restore(tracked, tracked.record);
    this.skipped += 1;
  }

  /** What a whole survey did not find. A directory may be away for a while; only a long absence is an end. */
  async #notice(): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    for (const tracked of this.#memory.notSeenIn(this.#surveys)) {
      tracked.missingSinceMs ??= nowMs;
      const leaveAtMs = tracked.missingSinceMs + this.#options.absenceMs;
      // A candidate has nothing to come back to.
      if (nowMs >= leaveAtMs || !tracked.record) await this.#leave(tracked);
      else tracked.lookAtMs = leaveAtMs;
    }
  }

  /** The root is gone or is another one by now: what is known of the session is shipped, what is not there is named. */
  async #leave(tracked: TrackedSession): Promise<void> {
    const { observer, events, journal } = this.#options;
    const path = displayPath(tracked.root);
    this.#options.sharing.onLeft(tracked.root);
    if (!tracked.record) {
      this.sessions.remove(tracked);
      // A candidate in or around which sessions were found is no loss: they have what it held.
      const isReplaced = this.#memory.hasAtOrBelow(tracked.root) || this.#memory.isInside(tracked.root);
      if (!isReplaced && tracked.heldBy === undefined)
        events.emit('session.vanished', { session: sessionName(tracked), path });
      return;
    }
    const isOpen = tracked.state.at === 'open' || tracked.state.at === 'sealing';
    if (isOpen && tracked.heldBy === undefined && tracked.record.phase !== 'elsewhere') {
      events.emit('session.vanished', { session: sessionName(tracked), path });
      await observer.settling.sealVanished(tracked);
    }
    journal.setGone(tracked.record.sid);
    this.sessions.remove(tracked);
  }

  /** A session's last log arrived. */
  async onShipped(sid: number, root: WatchedPath): Promise<void> {
    const { sharing, journal, clock } = this.#options;
    const tracked = this.#memory.get(root);
    if (!tracked) return sharing.onShipped(root, true);
    if (tracked.record?.sid !== sid) return;
    tracked.state = advance(tracked.state, { type: 'shipped' });
    if (tracked.state.at !== 'shipped' || tracked.changing.length > 0) return;
    // Not done with while a file of it was sent right after it was written.
    if (journal.session(sid)?.shape !== '') return sharing.onShipped(root, false);
    tracked.verifyAtMs = clock.monotonicMs() + tickMaxMs;
    tracked.lookAtMs = tracked.verifyAtMs;
  }

  /** Roots that are still being written, or will be: what is worth watching. */
  openRoots(): ReadonlySet<WatchedPath> {
    const open = this.sessions.open().filter(({ kind }) => kind === 'directory');
    return this.changes.watching(new Set([...open.map(({ root }) => root), ...this.notes.empty()]));
  }
}
