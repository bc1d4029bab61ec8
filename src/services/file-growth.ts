import type { CompanionChoice } from '../domain/companion-filter.ts';
import type { WatchedPath } from '../domain/watched-path.ts';
import { directoryIdentity, type Entry } from '../ports/file-source.ts';
import type { SurveyedSession } from './folder-survey.ts';
import type { SessionReading } from './session-reading.ts';
import { pathInSession } from './sort-files.ts';
import type { TrackedSession } from './tracked-session.ts';

/** A file of a session that goes on, as far as it rests. */
export interface GrowingFile {
  readonly sid: number;
  readonly root: WatchedPath;
  readonly kind: 'directory' | 'file';
  /** Relative to the session's root. */
  readonly path: WatchedPath;
  readonly settledBytes: number;
}

export interface GrowthOptions {
  readonly choose: (path: WatchedPath, sizeBytes: number) => CompanionChoice;
  readonly growsFromBytes: number;
  readonly settleMs: () => number;
}

/** How long a file was, and from when on it is known to have been at least that long. */
interface SeenLength {
  readonly file: string;
  readonly settledBytes: number;
  readonly seenBytes: number;
  readonly seenAtMs: number;
}

/**
 * How much of each large file can be sent while it is written: bytes count as settled when the file was already that
 * long the settle time ago, as two looks saw it. Memory only: after a restart two looks tell again.
 */
export class FileGrowth {
  readonly #options: GrowthOptions;
  readonly #seen = new WeakMap<TrackedSession, Map<WatchedPath, SeenLength>>();

  constructor(options: GrowthOptions) {
    this.#options = options;
  }

  /** `lookAtMs`: when another look would find more settled without another change. */
  look(
    tracked: TrackedSession,
    surveyed: SurveyedSession,
    reading: SessionReading,
    nowMs: number,
  ): { files: readonly GrowingFile[]; lookAtMs: number } {
    const { record, root, kind } = tracked;
    const before = this.#seen.get(tracked);
    const seen = new Map<WatchedPath, SeenLength>();
    const files: GrowingFile[] = [];
    let lookAtMs = Number.POSITIVE_INFINITY;
    for (const entry of surveyed.files) {
      const path = pathInSession(surveyed.root, entry.path);
      if (!record || !this.#grows(path, entry, reading)) continue;
      const length = this.#lengthOf(entry, before?.get(path), tracked.changedAt(entry.path), nowMs);
      seen.set(path, length);
      const { settledBytes } = length;
      if (this.#parts(settledBytes) > 0) files.push({ sid: record.sid, root, kind, path, settledBytes });
      if (this.#parts(length.seenBytes) > this.#parts(settledBytes))
        lookAtMs = Math.min(lookAtMs, length.seenAtMs + this.#options.settleMs());
    }
    this.#seen.set(tracked, seen);
    return { files, lookAtMs };
  }

  #grows(path: WatchedPath, { stat }: Entry, reading: SessionReading): boolean {
    const { growsFromBytes, choose } = this.#options;
    if (stat.sizeBytes < growsFromBytes || reading.native.has(path)) return false;
    return choose(path, stat.sizeBytes) === 'companion';
  }

  #lengthOf({ stat }: Entry, before: SeenLength | undefined, changedAtMs: number, nowMs: number): SeenLength {
    const settleMs = this.#options.settleMs();
    const file = directoryIdentity(stat);
    const seenBytes = stat.sizeBytes;
    if (changedAtMs + settleMs <= nowMs) return { file, settledBytes: seenBytes, seenBytes, seenAtMs: nowMs };
    // Another file, or cut: what was seen of it before says nothing.
    if (before?.file !== file || seenBytes < before.seenBytes)
      return { file, settledBytes: 0, seenBytes, seenAtMs: nowMs };
    const isSettled = before.seenAtMs + settleMs <= nowMs;
    if (!isSettled && before.seenBytes > before.settledBytes) return before;
    const settledBytes = isSettled ? before.seenBytes : before.settledBytes;
    return { file, settledBytes, seenBytes, seenAtMs: nowMs };
  }

  #parts(bytes: number): number {
    return Math.floor(bytes / this.#options.growsFromBytes);
  }
}
