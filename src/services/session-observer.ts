import { type EndObservations, endOf, quietStillNeededMs, type Seal } from '../domain/end-rule.ts';
import { lastFileTime } from '../domain/file-time.ts';
import { advance } from '../domain/session-machine.ts';
import { joinPath, type WatchedPath } from '../domain/watched-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { Events } from '../ports/events.ts';
import type { FileSource } from '../ports/file-source.ts';
import type { Journal, SessionRecord } from '../ports/journal.ts';
import type { ProcessTable } from '../ports/process-table.ts';
import type { Assembler } from './assembler.ts';
import { EndEvidence, markerOf } from './end-evidence.ts';
import type { SurveyedSession } from './folder-survey.ts';
import type { SessionReading, SessionReadings } from './session-reading.ts';
import type { SessionSharing } from './session-sharing.ts';
import type { SessionSnapshots } from './session-snapshots.ts';
import { pathInSession } from './sort-files.ts';
import { sessionName, type TrackedSession } from './tracked-session.ts';

export interface ObserverOptions {
  readonly source: FileSource;
  readonly journal: Journal;
  readonly readings: SessionReadings;
  readonly assembler: Assembler;
  readonly snapshots: SessionSnapshots;
  readonly processes: ProcessTable;
  readonly sharing: SessionSharing;
  readonly clock: Clock;
  readonly events: Events;
  readonly folder: string;
  readonly idleMs: number;
  readonly settleMs: () => number;
  /** Work was put into the journal. */
  readonly onEnqueued: () => void;
}

/** A straggler that never rests does not keep a session from the bucket for ever: it is named as `changing`. */
const patienceMinMs = 30_000;
const patienceMaxMs = 60 * 60_000;

/** A file of the session could not be read just now. */
const readAgainMs = 1000;

/** One look at one session: did it end, has it settled, is it to be assembled. */
export class SessionObserver {
  readonly #options: ObserverOptions;
  readonly #evidence: EndEvidence;
  /** Set by `drain`: a session without evidence of an end is sealed with this status. */
  #sealOpenAs: { seal: Seal; quietForMs: number } | undefined;

  constructor(options: ObserverOptions) {
    this.#options = options;
    this.#evidence = new EndEvidence(options);
  }

  /** From now on, sessions without evidence of an end that were quiet for so long are sealed all the same. */
  sealOpenSessions(status: 'stalled' | 'interrupted', by: string, quietForMs: number): void {
    this.#sealOpenAs = { seal: { status, by, evidence: false, ordered: true }, quietForMs };
  }

  #sealAnyway(quietForMs: number): Seal | undefined {
    const rule = this.#sealOpenAs;
    return rule && quietForMs >= rule.quietForMs ? rule.seal : undefined;
  }

  async look(tracked: TrackedSession, surveyed: SurveyedSession, changed: boolean): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    if (changed) this.#change(tracked, nowMs);
    if (tracked.state.at === 'shipped' || tracked.state.at === 'shipping') {
      tracked.lookAtMs = Number.POSITIVE_INFINITY;
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
    if (tracked.state.at === 'open') await this.#end(tracked, surveyed, reading, nowMs);
    else if (changed) this.#endAnew(tracked, surveyed, reading);
    if (tracked.state.at === 'open' && !this.#sealOpenAs) {
      const againMs = await this.#options.snapshots.look(tracked, surveyed, reading, nowMs);
      tracked.lookAtMs = Math.min(tracked.lookAtMs, againMs);
    }
    if (tracked.state.at === 'sealing') await this.#settle(tracked, surveyed, reading, nowMs);
  }

  #change(tracked: TrackedSession, nowMs: number): void {
    const before = tracked.state;
    tracked.state = advance(before, { type: 'changed', nowMs });
    const { record } = tracked;
    if (!record || before.at === 'open' || before.at === 'sealing') return;
    if (tracked.state.at === 'open') {
      this.#options.journal.setPhase(record.sid, 'open');
      this.#options.events.emit('session.reopened', { session: sessionName(tracked) });
    }
  }

  async #end(
    tracked: TrackedSession,
    surveyed: SurveyedSession,
    reading: SessionReading,
    nowMs: number,
  ): Promise<void> {
    const { idleMs, events } = this.#options;
    const quietForMs = nowMs - tracked.changedAtMs;
    const seen: EndObservations = {
      endings: reading.endings,
      marker: markerOf(surveyed),
      process: await this.#evidence.process(tracked, surveyed),
      quietForMs,
      heldOpen: quietForMs >= idleMs && (await this.#evidence.isHeldOpen(surveyed.files)),
    };
    const seal = endOf(seen, idleMs) ?? this.#sealAnyway(quietForMs);
    if (!seal) {
      // Held open: look again after a while, silence alone will not tell.
      const again = seen.heldOpen ? Math.min(idleMs, 60_000) : Math.max(idleMs - quietForMs, 1000);
      tracked.lookAtMs = nowMs + Math.min(again, quietStillNeededMs(seen) ?? again);
      return;
    }
    if (!tracked.record && !(await this.#options.sharing.mayTake(tracked, surveyed.files))) return;
    const dated = { ...seal, ...this.#endedAt(tracked, seal) };
    tracked.record ??= this.begin(tracked, 'open');
    tracked.state = advance(tracked.state, { type: 'ended', seal: dated, nowMs });
    events.emit('session.sealed', { session: sessionName(tracked), status: dated.status, by: dated.by });
  }

  /** A session that had ended changed: what it says of its end now counts, a resumed one may have a result at last. */
  #endAnew(tracked: TrackedSession, surveyed: SurveyedSession, { endings }: SessionReading): void {
    if (tracked.state.at !== 'sealing') return;
    const marker = markerOf(surveyed);
    const seen = { endings, marker, process: undefined, quietForMs: 0, heldOpen: true };
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

  /** Its root is gone: all that was last seen is queued, so that the log names what could not be sent any more. */
  async sealVanished(tracked: TrackedSession): Promise<void> {
    const seal: Seal = { status: 'stalled', by: 'its directory is gone', evidence: false };
    await this.#options.assembler.assemble(tracked, lastSeen(tracked), seal, () => true);
    this.#options.onEnqueued();
  }

  /** A last log of an open session as it is now, with nothing of it queued: it may be too late to send more. */
  async snapshot(tracked: TrackedSession): Promise<void> {
    // A drain has written what there is, and how it ended; that it is still written to is in that log too.
    if (this.#sealOpenAs && tracked.changing.length > 0) return;
    if (!(await this.#options.sharing.mayTake(tracked, tracked.entries))) return;
    tracked.record ??= this.begin(tracked, 'open');
    await this.#options.assembler.snapshot(tracked, lastSeen(tracked), { withFiles: false });
    this.#options.onEnqueued();
  }

  async #settle(
    tracked: TrackedSession,
    surveyed: SurveyedSession,
    reading: SessionReading,
    nowMs: number,
  ): Promise<void> {
    if (tracked.state.at !== 'sealing') return;
    const settleMs = this.#options.settleMs();
    // What was written to say that it is over is whole once it can be read, or has nothing in it.
    const marker = markerOf(surveyed);
    const isSaid = (path: WatchedPath) =>
      marker !== undefined && path === joinPath(surveyed.root.path, marker);
    const watched = surveyed.files.filter(
      ({ path }) => !isSaid(path) && !reading.native.has(pathInSession(surveyed.root, path)),
    );
    const settledAtMs = tracked.settledAtMs(
      watched.map((file) => file.path),
      settleMs,
    );
    const firstMs = tracked.state.seal.ordered ? 2 * settleMs : Math.max(patienceMinMs, 10 * settleMs);
    const patienceMs = Math.min(firstMs * 2 ** tracked.impatience, patienceMaxMs);
    const deadlineMs = tracked.state.sinceMs + patienceMs;
    if (nowMs < settledAtMs && nowMs < deadlineMs) {
      tracked.lookAtMs = Math.min(settledAtMs, deadlineMs);
      return;
    }
    const { seal } = tracked.state;
    tracked.state = advance(tracked.state, { type: 'settled' });
    const isSettled = (path: WatchedPath) => isSaid(path) || tracked.changedAt(path) + settleMs <= nowMs;
    const { changing, warnings } = await this.#options.assembler.assemble(tracked, surveyed, seal, isSettled);
    this.#warn(tracked, warnings);
    tracked.state = advance(tracked.state, { type: 'enqueued' });
    tracked.changing = changing;
    tracked.impatience = changing.length > 0 ? tracked.impatience + 1 : 0;
    tracked.lookAtMs = changing.length > 0 ? nowMs + settleMs : Number.POSITIVE_INFINITY;
    this.#options.readings.forget(tracked.root);
    tracked.surveyed = undefined;
    this.#options.onEnqueued();
  }

  /** The log has them all; a person who reads lines is told that there are some. */
  #warn(tracked: TrackedSession, warnings: readonly string[]): void {
    const [warning] = warnings;
    if (warning === undefined) return;
    const more = warnings.length - 1;
    this.#options.events.emit('session.warning', { session: sessionName(tracked), warning, more });
  }
}

/** A session that no look of this process has found: what it held is not known, and its log must not look complete. */
function lastSeen({ root, kind, directoryIdentity, surveyed }: TrackedSession): SurveyedSession {
  return (
    surveyed ?? {
      root: { path: root, kind, by: 'frozen' },
      directoryIdentity,
      startedNoLaterThanNs: 0n,
      files: [],
      others: [],
      problems: [
        { path: root, code: 'ENOENT', remedy: 'it was gone before trainlogd could look at it again' },
      ],
    }
  );
}
