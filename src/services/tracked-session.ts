import { createHash } from 'node:crypto';
import { openSession, type SessionState } from '../domain/session-machine.ts';
import { displayPath, pathToBytes, type WatchedPath } from '../domain/watched-path.ts';
import { type Entry, fingerprintOf, withoutDoubt } from '../ports/file-source.ts';
import type { FileRecord, SessionIdentity, SessionRecord } from '../ports/journal.ts';
import type { ProcessIdentity } from '../ports/process-table.ts';
import type { SurveyedSession } from './folder-survey.ts';

/** What is remembered of one file between two looks. */
interface SeenFile {
  readonly fingerprint: string;
  /** Monotonic; when we saw it change, or earlier where its own times say so. Undefined: only the journal knows it. */
  readonly changedAtMs: number | undefined;
}

/**
 * The memory of one session: its state, and when each of its files was last seen to change. Changes are what two looks
 * tell apart; file times only date what was there at the first look.
 */
export class TrackedSession {
  readonly root: WatchedPath;
  readonly kind: 'directory' | 'file';
  readonly directoryIdentity: string;
  state: SessionState = openSession;
  /** Undefined while it is only a candidate. */
  record: SessionRecord | undefined;
  shape = '';
  changedAtMs = Number.NEGATIVE_INFINITY;
  /** Monotonic; when it was last found to go on although it had ended. */
  reopenedAtMs = Number.NEGATIVE_INFINITY;
  /** How often in a row the wait for stragglers ran out; each time the next wait doubles. */
  impatience = 0;
  /** The survey in which it was last seen. */
  seenIn = 0;
  /** Monotonic; when it must be looked at again without a hint. */
  lookAtMs = Number.POSITIVE_INFINITY;
  /** Monotonic; what comes to rest only later is not waited for. */
  hurryFromMs = Number.POSITIVE_INFINITY;
  /** Monotonic; when files that were sent too soon after they were written are read again. */
  verifyAtMs = Number.POSITIVE_INFINITY;
  /** What is parked of it is to be tried again, whatever the times of its files say. */
  isRetried = false;
  /** Files that the last log names as `changing`: not done with, whatever the state says. */
  changing: readonly WatchedPath[] = [];
  /** As the last look found it, while it is open. */
  surveyed: SurveyedSession | undefined;
  /** Monotonic; when surveys began not to find it. */
  missingSinceMs: number | undefined;
  /** The host that ships it, on a shared folder, where that is not this one. */
  heldBy: string | undefined;
  /** As what another host began it. */
  inherited: SessionIdentity | undefined;
  /** The process that session.pid names, while it is alive. */
  process: ProcessIdentity | undefined;
  /** It was seen to be gone at the look before. */
  wasGone = false;
  /** What probes may know of that process's environment, kept when it is gone; empty where it could not be read. */
  trainer: Readonly<Record<string, string>> | undefined;
  /** Some process of this machine had a file of it open. */
  seenHere = false;
  #files: Map<WatchedPath, SeenFile> | undefined;
  /** Fingerprints of files that the journal knows otherwise on purpose, by their paths in the folder. */
  #asFound: ReadonlyMap<WatchedPath, string> = new Map();

  get entries(): readonly Entry[] {
    return this.surveyed?.files ?? [];
  }

  constructor(root: { path: WatchedPath; kind: 'directory' | 'file' }, directoryIdentity: string) {
    this.root = root.path;
    this.kind = root.kind;
    this.directoryIdentity = directoryIdentity;
  }

  /** Takes a look's files in. True when one is new or changed since the last look; a file that is gone is no change. */
  absorb(entries: readonly Entry[], look: Look, recorded: () => readonly FileRecord[]): boolean {
    const shape = shapeOfEntries(entries);
    if (shape === this.shape && (this.#files || this.record)) return false;
    const known = this.#files ?? this.#fromJournal(recorded());
    const next = new Map<WatchedPath, SeenFile>();
    let journalled: Map<WatchedPath, SeenFile> | undefined;
    let changed = false;
    for (const entry of entries) {
      const fingerprint = fingerprintOf(entry.stat);
      const before = known.get(entry.path);
      let isSame = before?.fingerprint === fingerprint;
      if (before && !isSame) {
        // A claim of ours that was let go moved ctime, and the journal says so: no change.
        journalled ??= this.#fromJournal(recorded());
        isSame = journalled.get(entry.path)?.fingerprint === fingerprint;
      }
      // What no look of this life has seen to change is as old as its own times say: silence goes on over a restart.
      const seenAtMs = isSame ? before?.changedAtMs : before && look.nowMs;
      const changedAtMs = seenAtMs ?? look.nowMs - look.ageOf(entry);
      next.set(entry.path, { fingerprint, changedAtMs });
      this.changedAtMs = Math.max(this.changedAtMs, changedAtMs);
      changed ||= !isSame;
    }
    this.#files = next;
    this.shape = shape;
    return changed;
  }

  #fromJournal(rows: readonly FileRecord[]): Map<WatchedPath, SeenFile> {
    const prefix = this.kind === 'file' || this.root === '' ? '' : `${this.root}/`;
    return new Map(
      rows.map((row) => {
        const path = this.kind === 'file' ? this.root : prefix + row.path;
        const fingerprint = this.#asFound.get(path) ?? withoutDoubt(row.fingerprint);
        return [path, { fingerprint, changedAtMs: undefined }];
      }),
    );
  }

  /** When the last of these files will have been quiet for `settleMs`; -Infinity when none is known. */
  settledAtMs(paths: Iterable<WatchedPath>, settleMs: number): number {
    let last = Number.NEGATIVE_INFINITY;
    for (const path of paths) last = Math.max(last, this.changedAt(path));
    return last + settleMs;
  }

  changedAt(path: WatchedPath): number {
    return this.#files?.get(path)?.changedAtMs ?? Number.NEGATIVE_INFINITY;
  }

  /** A file's fingerprint was changed by ourselves (a claim was made or let go): not a change. */
  forgetFiles(shape: string, asFound: ReadonlyMap<WatchedPath, string>): void {
    this.#files = undefined;
    this.#asFound = asFound;
    this.shape = shape;
  }
}

export interface Look {
  readonly nowMs: number;
  /** How long ago an entry that is seen for the first time was last changed, as far as its times can be believed. */
  readonly ageOf: (entry: Entry) => number;
}

/** One word for all files and their fingerprints, in byte order. */
export function shapeOf(files: readonly (readonly [path: WatchedPath, fingerprint: string])[]): string {
  const hash = createHash('sha256');
  for (const [path, fingerprint] of files) hash.update(pathToBytes(path)).update(`\0${fingerprint}\0`);
  return hash.digest('base64url').slice(0, 24);
}

export function shapeOfEntries(entries: readonly Entry[]): string {
  return shapeOf(entries.map((entry) => [entry.path, fingerprintOf(entry.stat)]));
}

export function sessionName(tracked: TrackedSession): string {
  return tracked.record?.identity?.id ?? (tracked.root === '' ? '.' : displayPath(tracked.root));
}
