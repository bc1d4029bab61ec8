import { type EndObservations, endOf, quietStillNeededMs, type Seal } from '../domain/end-rule.ts';
import { lastFileTime } from '../domain/file-time.ts';
import { advance } from '../domain/session-machine.ts';
import { joinPath } from '../domain/watched-path.ts';
import type { FileSource } from '../ports/file-source.ts';
import type { Journal, SessionRecord } from '../ports/journal.ts';
import type { ProcessTable } from '../ports/process-table.ts';
import { EarlyEnds } from './early-ends.ts';
import { EndEvidence, endingsSince, markerOf } from './end-evidence.ts';
import type { SurveyedSession } from './folder-survey.ts';
import type { SessionReading } from './session-reading.ts';
import { lastSeen, SessionSettling, type SettlingOptions } from './session-settling.ts';
import type { SessionSharing } from './session-sharing.ts';
import type { SessionSnapshots } from './session-snapshots.ts';
import { sessionName, type TrackedSession } from './tracked-session.ts';

export interface ObserverOptions extends SettlingOptions {
  readonly source: FileSource;
  readonly journal: Journal;
  readonly snapshots: SessionSnapshots;
  readonly processes: ProcessTable;
  readonly sharing: SessionSharing;
  readonly folder: string;
  readonly idleMs: number;
}

/** A file of the session could not be read just now. */
const readAgainMs = 1000;

/** One look at one session: did it end, has it settled, is it to be assembled. */
export class SessionObserver {
  readonly #options: ObserverOptions;
  readonly #evidence: EndEvidence;
  readonly settling: SessionSettling;
  readonly early: EarlyEnds;

  constructor(options: ObserverOptions) {
    this.#options = options;
    this.#evidence = new EndEvidence(options);
    this.settling = new SessionSettling(options);
    this.early = new EarlyEnds(options.idleMs);
  }

  async look(tracked: TrackedSession, surveyed: SurveyedSession, changed: boolean): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    // What came while nobody could look any more belongs to what was ordered; what comes from now on takes it back.
    if (tracked.verifyAtMs <= nowMs && isOrdered(tracked)) this.#verify(tracked, nowMs);
    if (changed) this.#change(tracked, nowMs);
    if (tracked.isRetried) this.#retry(tracked);
    if (tracked.verifyAtMs <= nowMs) this.#verify(tracked, nowMs);
    if (tracked.state.at === 'shipped' || tracked.state.at === 'shipping') {
      tracked.lookAtMs = tracked.verifyAtMs;
      tracked.surveyed = undefined;
      return;
    }
    const reading = await this.#options.readings.read({
      root: tracked.root,
      kind: tracked.kind,
      files: surveyed.files,
    });
    if (reading.again || reading.behind) {
      tracked.lookAtMs = reading.again ? nowMs + readAgainMs : nowMs;
      return;
    }
    if (changed) this.#takeBack(tracked, surveyed, reading);
    if (tracked.state.at === 'open') await this.#end(tracked, surveyed, reading, nowMs);
    else if (changed) this.#endAnew(tracked, surveyed, reading);
    if (tracked.state.at === 'open' && !this.early.isOrdered) {
      const againMs = await this.#options.snapshots.look(tracked, surveyed, reading, nowMs);
      tracked.lookAtMs = Math.min(tracked.lookAtMs, againMs);
    }
    if (tracked.state.at === 'sealing') await this.settling.settle(tracked, surveyed, reading, nowMs);
  }

  #change(tracked: TrackedSession, nowMs: number): void {
    const before = tracked.state;
    tracked.state = advance(before, { type: 'changed', nowMs });
    if (before.at === 'open' || before.at === 'sealing') return;
    if (tracked.state.at === 'open') this.#reopen(tracked);
  }

  /** The log in the bucket may say that it has ended: with this phase in the journal, a correction is owed (ADR 44). */
  #reopen(tracked: TrackedSession): void {
    if (!tracked.record) return;
    const { journal, clock, events } = this.#options;
    journal.setPhase(tracked.record.sid, 'open');
    tracked.reopenedAtMs = clock.monotonicMs();
    events.emit('session.reopened', { session: sessionName(tracked) });
  }

  /** A directory is used again: what ended was another run. That files of it are gone says nothing of the kind. */
  #takeBack(tracked: TrackedSession, surveyed: SurveyedSession, reading: SessionReading): void {
    const { state } = tracked;
    if (state.at !== 'sealing' || !state.seal.evidence) return;
    if (reading.endings.length > 0 || markerOf(surveyed, reading) !== undefined) return;
    const endedAtMs = Date.parse(state.seal.endedAt ?? '');
    if (!reading.goesOn && !(reading.begunAtMs > endedAtMs)) return;
    tracked.state = advance(state, { type: 'begunAnew' });
    if (tracked.state.at === 'open') this.#reopen(tracked);
  }

  /** What is shipped is assembled anew; of what goes on a log is written now, with the files that it ships. */
  #retry(tracked: TrackedSession): void {
    tracked.isRetried = false;
    tracked.verifyAtMs = Number.NEGATIVE_INFINITY;
    this.#options.snapshots.renew(tracked);
  }

  /** What was sent so soon after it was written that no stat would tell of a later write is compared with its receipt. */
  #verify(tracked: TrackedSession, nowMs: number): void {
    tracked.verifyAtMs = Number.POSITIVE_INFINITY;
    tracked.state = advance(tracked.state, { type: 'doubted', nowMs });
  }

  async #end(
    tracked: TrackedSession,
    surveyed: SurveyedSession,
    reading: SessionReading,
    nowMs: number,
  ): Promise<void> {
    const { idleMs, events } = this.#options;
    const quietForMs = nowMs - tracked.changedAtMs;
    const process = await this.#evidence.process(tracked, surveyed);
    const isNewlyGone = process?.state === 'dead' && !tracked.wasGone;
    tracked.wasGone = process?.state === 'dead';
    if (isNewlyGone && !this.early.isOrdered) {
      // The files were listed before: what it wrote last, a result perhaps, is seen by a look that begins after its death.
      tracked.lookAtMs = nowMs;
      return;
    }
    const seen: EndObservations = {
      endings: endingsSince(process, surveyed, reading),
      marker: markerOf(surveyed, reading),
      process,
      quietForMs,
      heldOpen: this.early.mayEnd(quietForMs) && (await this.#evidence.isHeldOpen(surveyed.files)),
    };
    if (seen.heldOpen) tracked.seenHere = true;
    const isHere = !this.#options.sharing.isActive || isSeenHere(tracked);
    const seal = endOf(seen, idleMs) ?? this.early.sealOf(seen, nowMs, isHere);
    if (!seal) {
      // Held open: look again after a while, silence alone will not tell.
      const again = seen.heldOpen ? Math.min(idleMs, 60_000) : Math.max(idleMs - quietForMs, 1000);
      const atMs = nowMs + Math.min(again, quietStillNeededMs(seen) ?? again);
      tracked.lookAtMs = Math.min(atMs, this.early.lookAgainMs(seen, nowMs, isHere));
      return;
    }
    if (!tracked.record && !(await this.#options.sharing.mayTake(tracked, surveyed.files))) return;
    const dated = { ...seal, ...this.#endedAt(tracked, seal) };
    tracked.record ??= this.begin(tracked, 'open');
    if (this.early.departure) tracked.hurryFromMs = this.early.departure.lastLookMs;
    tracked.state = advance(tracked.state, { type: 'ended', seal: dated, nowMs });
    events.emit('session.sealed', { session: sessionName(tracked), status: dated.status, by: dated.by });
  }

  /** A session that had ended changed: what it says of its end now counts, a resumed one may have a result at last. */
  #endAnew(tracked: TrackedSession, surveyed: SurveyedSession, reading: SessionReading): void {
    if (tracked.state.at !== 'sealing') return;
    const marker = markerOf(surveyed, reading);
    const seen = { endings: reading.endings, marker, process: undefined, quietForMs: 0, heldOpen: true };
    const seal = endOf(seen, this.#options.idleMs);
    if (seal) tracked.state = { ...tracked.state, seal: { ...seal, ...this.#endedAt(tracked, seal) } };
  }

  /** The file that says so dates an end that names no time; a process that is gone is dated by the last change. */
  #endedAt(tracked: TrackedSession, seal: Seal): { endedAt?: string } {
    if (seal.endedAt !== undefined || !seal.evidence) return {};
    const path = tracked.kind === 'file' ? tracked.root : joinPath(tracked.root, seal.by);
    const witness = tracked.entries.find((entry) => entry.path === path);
    const endedAt = lastFileTime((witness ? [witness] : tracked.entries).map(({ stat }) => stat.mtimeNs));
    return endedAt === undefined ? {} : { endedAt };
  }

  /** What was only a candidate becomes a session of the journal. */
  begin(tracked: TrackedSession, phase: 'open' | 'skipped'): SessionRecord {
    const { journal } = this.#options;
    const record = journal.begin({
      folder: this.#options.folder,
      root: tracked.root,
      kind: tracked.kind,
      directoryIdentity: tracked.directoryIdentity,
      phase,
      foundAtMs: this.#options.clock.nowMs(),
    });
    const identity = record.identity ?? tracked.inherited;
    if (identity && !record.identity) journal.retake(record.sid, identity);
    return { ...record, identity };
  }

  /** A last log of an open session as it is now, with nothing of it queued: it may be too late to send more. */
  async snapshot(tracked: TrackedSession, deadlineMs = Number.POSITIVE_INFINITY): Promise<void> {
    // A drain has written what there is, and how it ended; that it is still written to is in that log too.
    if (this.early.isOrdered && tracked.changing.length > 0) return;
    // It does not go on: its log says how it ended.
    if (tracked.state.at === 'sealing' && tracked.state.seal.evidence) {
      this.settling.hurry(tracked, deadlineMs);
      return;
    }
    if (!(await this.#options.sharing.mayTake(tracked, tracked.entries))) return;
    tracked.record ??= this.begin(tracked, 'open');
    await this.#options.assembler.snapshot(tracked, lastSeen(tracked), { withFiles: false });
    this.#options.onEnqueued();
  }
}

/** Its process, or one that had a file of it open. */
function isSeenHere({ trainer, seenHere }: TrackedSession): boolean {
  return seenHere || trainer !== undefined;
}

function isOrdered({ state }: TrackedSession): boolean {
  return state.at === 'shipped' && state.seal.ordered === true;
}
