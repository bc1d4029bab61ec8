import type { Seal } from '../domain/end-rule.ts';
import { advance } from '../domain/session-machine.ts';
import { joinPath, type WatchedPath } from '../domain/watched-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { Events } from '../ports/events.ts';
import type { Assembler } from './assembler.ts';
import { markerOf } from './end-evidence.ts';
import type { SurveyedSession } from './folder-survey.ts';
import type { SessionReading, SessionReadings } from './session-reading.ts';
import type { Claiming } from './shipping-context.ts';
import { pathInSession } from './sort-files.ts';
import { sessionName, type TrackedSession } from './tracked-session.ts';

export interface SettlingOptions {
  readonly readings: SessionReadings;
  readonly assembler: Assembler;
  readonly clock: Clock;
  readonly events: Events;
  readonly settleMs: () => number;
  readonly claiming: Claiming;
  /** Work was put into the journal. */
  readonly onEnqueued: () => void;
}

/** A straggler that never rests does not keep a session from the bucket for ever: it is named as `changing`. */
const patienceMinMs = 30_000;
const patienceMaxMs = 60 * 60_000;
const roundMinMs = 2_000;

/** The way of a session from its end into the journal: its files come to rest, then all that is there is queued. */
export class SessionSettling {
  readonly #options: SettlingOptions;

  constructor(options: SettlingOptions) {
    this.#options = options;
  }

  /** `nowMs`: when its files were looked at. */
  async settle(
    tracked: TrackedSession,
    surveyed: SurveyedSession,
    reading: SessionReading,
    nowMs: number,
  ): Promise<void> {
    if (tracked.state.at !== 'sealing') return;
    const settleMs = this.#options.settleMs();
    // What was written to say that it is over is whole once it can be read, or has nothing in it.
    const marker = markerOf(surveyed, reading);
    const isSaid = (path: WatchedPath) =>
      marker !== undefined && path === joinPath(surveyed.root.path, marker);
    const watched = surveyed.files.filter(
      ({ path }) => !isSaid(path) && !reading.native.has(pathInSession(surveyed.root, path)),
    );
    const settledAtMs = tracked.settledAtMs(
      watched.map((file) => file.path),
      settleMs,
    );
    const { seal } = tracked.state;
    const firstMs = seal.ordered ? 2 * settleMs : Math.max(patienceMinMs, 10 * settleMs);
    const patienceMs = Math.min(firstMs * 2 ** tracked.impatience, patienceMaxMs);
    const restsAtMs = Math.min(settledAtMs, tracked.state.sinceMs + patienceMs);
    const waitsUntilMs = seal.mayGoOn
      ? Math.min(settledAtMs, roundEndMs(tracked, tracked.state.sinceMs, settleMs))
      : restsAtMs <= tracked.hurryFromMs
        ? restsAtMs
        : nowMs;
    if (nowMs < waitsUntilMs) {
      tracked.lookAtMs = waitsUntilMs;
      return;
    }
    tracked.state = advance(tracked.state, { type: 'settled' });
    // What goes on may never rest: of it there is what was written so far.
    const isSettled = (path: WatchedPath) =>
      seal.mayGoOn === true || isSaid(path) || tracked.changedAt(path) + settleMs <= nowMs;
    const { changing, warnings } = await this.#assemble(tracked, surveyed, seal, isSettled);
    this.#warn(tracked, warnings);
    tracked.state = advance(tracked.state, { type: 'enqueued' });
    tracked.changing = changing;
    tracked.impatience = changing.length > 0 ? tracked.impatience + 1 : 0;
    tracked.lookAtMs = changing.length > 0 ? nowMs + settleMs : Number.POSITIVE_INFINITY;
    this.#options.readings.forget(tracked.root);
    tracked.surveyed = undefined;
    this.#options.onEnqueued();
  }

  /**
   * For a session that has ended, before a deadline: from the next look on it is queued as it is, with what is not at rest
   * named as such, unless that comes to rest in time for its log.
   */
  hurry(tracked: TrackedSession, deadlineMs: number): void {
    const nowMs = this.#options.clock.monotonicMs();
    tracked.hurryFromMs = nowMs + (deadlineMs - nowMs) / 2;
    tracked.lookAtMs = nowMs;
  }

  /** Its root is gone: all that was last seen is queued, so that the log names what could not be sent any more. */
  async sealVanished(tracked: TrackedSession): Promise<void> {
    const seal: Seal = { status: 'stalled', by: 'its directory is gone', evidence: false };
    await this.#assemble(tracked, lastSeen(tracked), seal, () => true);
    this.#options.onEnqueued();
  }

  #assemble(
    tracked: TrackedSession,
    surveyed: SurveyedSession,
    seal: Seal,
    isSettled: (path: WatchedPath) => boolean,
  ) {
    const { claiming, assembler } = this.#options;
    const assemble = () => assembler.assemble(tracked, surveyed, seal, isSettled);
    return tracked.record ? claiming.take(tracked.record.sid, assemble) : assemble();
  }

  /** The log has them all; a person who reads lines is told that there are some. */
  #warn(tracked: TrackedSession, warnings: readonly string[]): void {
    const [warning] = warnings;
    if (warning === undefined) return;
    const more = warnings.length - 1;
    this.#options.events.emit('session.warning', { session: sessionName(tracked), warning, more });
  }
}

/**
 * What is written to until its host is gone is taken in rounds, each longer than the one before; there is a last one when
 * time runs out.
 */
function roundEndMs({ impatience, hurryFromMs }: TrackedSession, sinceMs: number, settleMs: number): number {
  const shortestMs = Math.min(settleMs, roundMinMs);
  return Math.min(sinceMs + shortestMs * 2 ** impatience, Math.max(hurryFromMs, sinceMs + shortestMs));
}

/** A session that no look of this process has found: what it held is not known, and its log must not look complete. */
export function lastSeen({ root, kind, directoryIdentity, surveyed }: TrackedSession): SurveyedSession {
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
