import { untilNextSnapshotMs } from '../domain/snapshot-schedule.ts';
import type { Clock } from '../ports/clock.ts';
import type { Journal, SessionRecord } from '../ports/journal.ts';
import type { Assembler } from './assembler.ts';
import type { FileGrowth, GrowingFile } from './file-growth.ts';
import type { SurveyedSession } from './folder-survey.ts';
import { LogCorrections } from './log-corrections.ts';
import type { SessionReading } from './session-reading.ts';
import { overdueUploads } from './snapshot-files.ts';
import type { TrackedSession } from './tracked-session.ts';

export interface SnapshotOptions {
  readonly journal: Journal;
  readonly assembler: Assembler;
  readonly clock: Clock;
  readonly growth: FileGrowth;
  readonly everyMs: number;
  /** Work was put into the journal. */
  readonly onEnqueued: () => void;
  readonly onGrown: (file: GrowingFile) => void;
}

interface SnapshotPlan {
  /** Monotonic. */
  dueMs: number;
  /** The session's shape at its last snapshot. */
  shape: string | undefined;
}

/** What an open session has in the bucket, should its host never come back: logs as it goes on, and its growing files. */
export class SessionSnapshots {
  readonly #options: SnapshotOptions;
  readonly #plans = new WeakMap<TrackedSession, SnapshotPlan>();
  readonly #corrections: LogCorrections;

  constructor(options: SnapshotOptions) {
    this.#options = options;
    this.#corrections = new LogCorrections(options.journal);
  }

  /** After a look at an open session. When the next one is needed, on the monotonic clock. */
  async look(
    tracked: TrackedSession,
    surveyed: SurveyedSession,
    reading: SessionReading,
    nowMs: number,
  ): Promise<number> {
    const { record } = tracked;
    // A candidate may turn out to be no session at all.
    if (!record) return Number.POSITIVE_INFINITY;
    const { growth, onGrown } = this.#options;
    const grown = growth.look(tracked, surveyed, reading, nowMs);
    for (const file of grown.files) onGrown(file);
    const plan = this.#planOf(tracked, record, nowMs);
    if (nowMs >= plan.dueMs) {
      plan.dueMs = nowMs + this.#untilNextMs(record);
      await this.#take(tracked, record, surveyed, plan);
    }
    return Math.min(
      this.#isOwed(record, tracked, plan) ? plan.dueMs : Number.POSITIVE_INFINITY,
      await this.#correct(tracked, record, surveyed, nowMs),
      grown.lookAtMs,
    );
  }

  /** Where the log in the bucket may say that it has ended. Its files are left to the next snapshot. When to look again. */
  async #correct(
    tracked: TrackedSession,
    { sid }: SessionRecord,
    surveyed: SurveyedSession,
    nowMs: number,
  ): Promise<number> {
    const { assembler, onEnqueued } = this.#options;
    const dueMs = this.#corrections.dueMs(sid, tracked.reopenedAtMs);
    if (nowMs < dueMs) return dueMs;
    this.#corrections.made(sid, nowMs);
    await assembler.snapshot(tracked, surveyed, { withFiles: false });
    onEnqueued();
    return Number.POSITIVE_INFINITY;
  }

  /** The next look writes one, whether the session changed or not. */
  renew(tracked: TrackedSession): void {
    this.#plans.set(tracked, { dueMs: Number.NEGATIVE_INFINITY, shape: undefined });
  }

  /** Nobody has to look again for a session that rests. */
  #isOwed({ sid }: SessionRecord, tracked: TrackedSession, plan: SnapshotPlan): boolean {
    return plan.shape !== tracked.shape || this.#options.journal.openUploads(sid).length > 0;
  }

  async #take(
    tracked: TrackedSession,
    { sid }: SessionRecord,
    surveyed: SurveyedSession,
    plan: SnapshotPlan,
  ): Promise<void> {
    const { journal, assembler, clock, onEnqueued } = this.#options;
    const isOverdue = overdueUploads(journal, sid, clock.nowMs()).size > 0;
    if (plan.shape === tracked.shape && !isOverdue) return;
    plan.shape = tracked.shape;
    await assembler.snapshot(tracked, surveyed, { withFiles: true });
    onEnqueued();
  }

  #planOf(tracked: TrackedSession, record: SessionRecord, nowMs: number): SnapshotPlan {
    const known = this.#plans.get(tracked);
    if (known) return known;
    const plan = { dueMs: nowMs + this.#untilNextMs(record), shape: undefined };
    this.#plans.set(tracked, plan);
    return plan;
  }

  #untilNextMs({ foundAtMs }: SessionRecord): number {
    const { clock, everyMs } = this.#options;
    return untilNextSnapshotMs(clock.nowMs() - foundAtMs, everyMs);
  }
}
