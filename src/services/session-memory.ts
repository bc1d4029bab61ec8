import type { Seal } from '../domain/end-rule.ts';
import { parentPath, type WatchedPath } from '../domain/watched-path.ts';
import type { Journal, SessionPhase, SessionRecord } from '../ports/journal.ts';
import type { SurveyedSession } from './folder-survey.ts';
import { type RestedSession, RestingSessions } from './resting-sessions.ts';
import { shapeOfEntries, TrackedSession } from './tracked-session.ts';
import { TrackedSessions } from './tracked-sessions.ts';

export interface MemoryOptions {
  readonly journal: Journal;
  readonly folder: string;
  /** `backfill`: sessions that were skipped are open again. */
  readonly includeSkipped: boolean;
}

/** Provisional: a skipped session that changes is a live one. */
const skippedSeal: Seal = { status: 'stalled', by: 'watch.ignoreOlderThan', evidence: false };

/**
 * What is remembered of the folder's sessions between two looks: of those with something to do all of it, of those at rest
 * next to nothing. A root is in one of both; the journal is where one becomes the other from.
 */
export class SessionMemory {
  readonly #options: MemoryOptions;
  #tracked: TrackedSessions | undefined;
  readonly #resting = new RestingSessions();
  readonly #restingPhases: readonly SessionPhase[];

  constructor(options: MemoryOptions) {
    this.#options = options;
    this.#restingPhases = options.includeSkipped ? ['shipped'] : ['shipped', 'skipped'];
  }

  /** Read from the journal when they are first asked for: what its recovery says of them counts. */
  get tracked(): TrackedSessions {
    if (this.#tracked) return this.#tracked;
    const { journal, folder } = this.#options;
    this.#tracked = new TrackedSessions();
    for (const record of journal.sessions(folder, this.#restingPhases)) this.#add(record);
    for (const session of journal.resting(folder, this.#restingPhases)) this.#resting.add(session, 0);
    return this.#tracked;
  }

  #add(record: SessionRecord): TrackedSession {
    const tracked = new TrackedSession({ path: record.root, kind: record.kind }, record.directoryIdentity);
    this.restore(tracked, record);
    this.tracked.add(tracked);
    return tracked;
  }

  #addCandidate({ root, directoryIdentity, heldBy }: RestedSession): TrackedSession {
    const tracked = new TrackedSession({ path: root, kind: 'directory' }, directoryIdentity);
    tracked.heldBy = heldBy;
    this.tracked.add(tracked);
    return tracked;
  }

  /** As far as it was by what the journal says. */
  restore(tracked: TrackedSession, record: SessionRecord): void {
    tracked.record = record;
    tracked.shape = record.shape;
    const { phase, shape } = record;
    const isLeftOver = isLastCall(record);
    const seal = record.seal && isLeftOver ? { ...record.seal, ordered: true } : record.seal;
    if (seal && phase === 'shipping') tracked.state = { at: isLeftOver ? 'shipped' : 'shipping', seal };
    if (seal && (phase === 'shipped' || phase === 'parked')) tracked.state = { at: 'shipped', seal };
    // Something was sent that must be read again, in the life before.
    if (isLeftOver || (phase === 'shipped' && shape === '')) tracked.verifyAtMs = Number.NEGATIVE_INFINITY;
    if (phase === 'skipped' && !this.#options.includeSkipped)
      tracked.state = { at: 'shipped', seal: skippedSeal };
  }

  /** Whole again where it was at rest. */
  get(root: WatchedPath): TrackedSession | undefined {
    const found = this.tracked.get(root) ?? this.#wake(root);
    if (found && this.tracked.takeTry(root)) found.isRetried = true;
    return found;
  }

  #wake(root: WatchedPath): TrackedSession | undefined {
    const resting = this.#resting.wake(root);
    if (!resting) return undefined;
    if (resting.sid === undefined) return this.#addCandidate(resting);
    const record = this.#options.journal.session(resting.sid);
    const woken = record && this.#add(record);
    if (woken) woken.heldBy = resting.heldBy;
    return woken;
  }

  isResting(root: WatchedPath): boolean {
    return this.tracked.get(root) === undefined && this.#resting.has(root);
  }

  /** Its root is that of a session, now and for ever. */
  isFrozen(root: WatchedPath): boolean {
    return this.tracked.get(root)?.record !== undefined || this.#resting.isRecorded(root);
  }

  /** True when it was at rest and nothing of it changed. */
  isUnchanged({ root, directoryIdentity, files }: SurveyedSession, survey: number): boolean {
    if (this.tracked.get(root.path) || this.tracked.isToBeTried(root.path)) return false;
    return this.#resting.see(root.path, directoryIdentity, () => shapeOfEntries(files), survey);
  }

  /** For a session that was looked at and is as it was shipped; what is forgotten here is in the journal. */
  letRest(tracked: TrackedSession): void {
    const { root, directoryIdentity, record, state, shape, seenIn } = tracked;
    if (state.at !== 'shipped' || !record || tracked.kind === 'file' || tracked.changing.length > 0) return;
    if (tracked.heldBy !== undefined || tracked.lookAtMs !== Number.POSITIVE_INFINITY) return;
    const { sid } = record;
    const kept = this.#options.journal.session(sid);
    if (!kept || !this.#restingPhases.includes(kept.phase) || kept.shape === '') return;
    // Claims that were let go changed the files' ctime since.
    if (kept.shape !== shape) this.#options.journal.setShape(sid, shape);
    this.tracked.remove(tracked);
    this.#resting.add({ sid, root, directoryIdentity, shape }, seenIn);
  }

  /** The same for one that another host shipped as it is: the leases say so again when it changes. */
  letRestElsewhere({
    root,
    directoryIdentity,
    kind,
    record,
    shape,
    seenIn,
    heldBy,
  }: TrackedSession): boolean {
    const tracked = this.tracked.get(root);
    if (!tracked || kind === 'file' || heldBy === undefined) return false;
    this.tracked.remove(tracked);
    this.#resting.add({ sid: record?.sid, root, directoryIdentity, shape, heldBy }, seenIn);
    return true;
  }

  /** What cannot be looked at stays as it was last seen. */
  takeAsSeen(path: WatchedPath, survey: number): void {
    for (const tracked of this.tracked.atOrBelow(path)) tracked.seenIn = survey;
    this.#resting.takeAsSeen(path, survey);
  }

  hasAtOrBelow(path: WatchedPath): boolean {
    return this.tracked.atOrBelow(path).length > 0 || this.#resting.hasAtOrBelow(path);
  }

  /** Is there a session around it? */
  isInside(root: WatchedPath): boolean {
    for (let at = root; at !== ''; ) {
      at = parentPath(at);
      if (this.isFrozen(at)) return true;
    }
    return false;
  }

  notSeenIn(survey: number): readonly TrackedSession[] {
    for (const root of this.#resting.notSeenIn(survey)) this.get(root);
    return this.tracked.all().filter((tracked) => tracked.seenIn !== survey);
  }
}

/** Sealed as interrupted while it was still written to: how it was left is known once somebody has looked again. */
function isLastCall({ seal, phase, shape }: SessionRecord): boolean {
  const isInterrupted = seal?.status === 'interrupted' && !seal.evidence && shape === '';
  return isInterrupted && (phase === 'shipping' || phase === 'shipped');
}
