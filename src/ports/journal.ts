import type { WatchedPath } from '../domain/watched-path.ts';
import type { Backlog, BacklogCounts, ParkedReason } from './backlog.ts';
import type {
  AdoptedFile,
  DeletableFile,
  FailedAttempt,
  FileRecord,
  NewSession,
  NewWork,
  ParkedFile,
  RecoveredWork,
  RestingSession,
  RetriedWork,
  SentFile,
  SessionIdentity,
  SessionPhase,
  SessionRecord,
  Shipment,
  ShippedLog,
} from './journal-records.ts';
import type { Ledger } from './ledger.ts';
import type { ProcessIdentity } from './process-table.ts';
import type { RecordedObjects } from './recorded-objects.ts';
import type { SessionViews } from './session-views.ts';

export type * from './journal-records.ts';

/**
 * What was done: the only memory that outlives the process. The disk says what there is, the bucket what arrived.
 *
 * Every method is one transition, all of it or nothing, and seen by every later call. Methods are synchronous, so no
 * other transition can come between a decision and its record.
 * A transition is durable a few milliseconds later, with others, in the order in which they were made; `synced` tells
 * when. What a crash must not take back is synced before anything outside relies on it: an id or an upload before
 * the bucket sees it, a receipt before the claim or the file that it makes dispensable goes.
 * A commit that fails, on a full disk for one, rejects `synced`; every method throws from then on, and tries again first:
 * when that succeeds nothing that was accepted is missing.
 * Contract: test/contracts/journal.ts.
 */
export interface Journal extends Ledger, SessionViews, RecordedObjects {
  /** Drawn when the journal was made; tells our objects from those of another installation. */
  readonly writer: string;

  // Sessions, by the folder they lie in.
  /** `atRest`: without the directories that `resting` gives for the same phases. */
  sessions(folder: string, atRest?: readonly SessionPhase[]): readonly SessionRecord[];
  /** Directories whose sessions are in one of these phases. There may be a hundred thousand. */
  resting(folder: string, phases: readonly SessionPhase[]): Iterable<RestingSession>;
  session(sid: number): SessionRecord | undefined;
  begin(session: NewSession): SessionRecord;
  /** Identity is written once; a second call is an error. `rename` is the only way to another. */
  freeze(sid: number, identity: SessionIdentity): void;
  rename(sid: number, identity: SessionIdentity, keyOf: (path: WatchedPath) => string): void;
  idHolder(id: string): number | undefined;
  setShape(sid: number, shape: string): void;
  setProcess(sid: number, process: ProcessIdentity | undefined): void;
  /**
   * `skipped` sessions are left alone until they change or someone asks for them, `elsewhere` are those that another
   * host ships: nothing of them is due, and nobody waits for them.
   */
  setPhase(sid: number, phase: SessionPhase): void;
  /**
   * Another host may have shipped of it meanwhile: it is open again, and what is known of the bucket is forgotten, so
   * that its log is found and read first. Files that only we still have stay queued.
   */
  retake(sid: number, identity: SessionIdentity | undefined): void;
  /** The root is gone or is another directory now: this session will not change any more. */
  setGone(sid: number): void;

  // Files, by session.
  files(sid: number): readonly FileRecord[];
  enqueue(sid: number, work: NewWork): void;

  // Shipping. Due times are on the monotonic clock of this process: `recover` makes everything due.
  /** After a start: every pending file may be in the bucket already, parked ones get another chance. */
  recover(): RecoveredWork;
  /** Those first that are to correct a log which says that they have ended. */
  dueSessions(folder: string, nowMs: number, limit: number): readonly number[];
  /** The same, those first of whose files the fewest bytes are to be sent yet. */
  leastUnsent(folder: string, nowMs: number, limit: number): readonly number[];
  /** When the next postponed session is due; those that are due already do not count. */
  nextDueMs(folder: string, nowMs: number): number | undefined;
  hasUnfinished(folder: string): boolean;
  rootOf(sid: number): WatchedPath | undefined;
  shipment(sid: number): Shipment | undefined;
  /** Small files first. */
  pendingFiles(sid: number, nowMs: number, limit: number): readonly FileRecord[];
  /** When the next pending file may be tried; undefined when none is pending. */
  nextFileDueMs(sid: number): number | undefined;
  /** Of files that are to be sent, parked ones included. */
  pendingClaims(): ReadonlySet<string>;
  /** The same for one file. */
  needsClaim(sid: number, path: WatchedPath): boolean;
  /** An open upload of the file is closed with it. */
  recordUploaded(sid: number, path: WatchedPath, sent: SentFile): void;
  recordFailed(sid: number, path: WatchedPath, failed: FailedAttempt): void;
  recordParked(sid: number, path: WatchedPath, parked: ParkedFile): void;
  /** An open upload of the file is given up with it. */
  recordGone(sid: number, path: WatchedPath, fingerprint: string): void;
  /** Another object than the receipt's is at the file's key: it is sent again, and is not listed before. */
  recordReplaced(sid: number, path: WatchedPath): void;
  /** The claim is gone; where the file is still known by `from`, it is known by `to` from now on. */
  recordReleased(sid: number, path: WatchedPath, from: string, to: string): void;
  recordDeleted(sid: number, path: WatchedPath): void;
  /** A log is in the bucket; `listed` are the paths that it lists as companions. */
  recordLog(sid: number, log: ShippedLog): void;
  /**
   * An object of the session was met that nothing here speaks of: a log that others wrote may list it. The next log is
   * written over the one that is there then, whatever that says.
   */
  contestLog(sid: number): void;
  /** The session's log was looked at again and is still the one that was written. */
  setCertain(sid: number): void;
  /** Companions that a log found in the bucket lists: known again after a lost journal, or completed by another host. */
  adopt(sid: number, rows: readonly AdoptedFile[]): void;
  /**
   * What is parked gets another chance: at once where its session waits to be shipped, else at the next look at it, and
   * then it keeps cause and remedy until that look. Of all sessions of the folder, or of those with these ids.
   * What can be read nowhere any more is gone; a file whose claim is left stays parked.
   */
  retry(folder: string, ids: readonly string[] | 'all'): RetriedWork;
  postpone(sid: number, dueAtMs: number, failure?: ParkedReason): void;
  park(sid: number, failure: ParkedReason): void;
  /**
   * False, and nothing done, when more was enqueued than `shipment` knew of, or a file is still pending. Uploads that are
   * still open are given up when the session has ended, but for those of parked files.
   */
  finish(shipment: Shipment): boolean;

  // Deletion and status.
  /** In the order of sessions and paths, behind `after`: who passes one over does not meet it again at once. */
  deletable(
    folder: string,
    receiptBeforeMs: number,
    limit: number,
    after?: DeletableFile,
  ): readonly DeletableFile[];
  /** At most `namedMax` of each kind are named; absent: `namedInStatus`. */
  backlog(folder: string, namedMax?: number): Backlog;
  /** The same without names: cheap, for progress. */
  backlogCounts(folder: string): BacklogCounts;

  /** Whether it tells of anything in the destination: receipts, logs, parts. */
  hasDelivered(): boolean;

  /** Resolves when everything that was recorded so far survives a power cut. */
  synced(): Promise<void>;

  getMeta(name: string): string | undefined;
  setMeta(name: string, value: string): void;
  close(): void;
}
