import type { Seal } from '../domain/end-rule.ts';
import type { SessionDraft } from '../domain/session-draft.ts';
import type { WatchedPath } from '../domain/watched-path.ts';
import type { Backlog, BacklogCounts, ParkedReason } from './backlog.ts';
import type { Ledger } from './ledger.ts';
import type { Receipt } from './object-store.ts';
import type { ProcessIdentity } from './process-table.ts';

/**
 * What was done: the only memory that outlives the process. The disk says what there is, the bucket what arrived.
 *
 * Every method is one durable transaction: when it returned, a power cut does not take it back. Methods are
 * synchronous, so no other transition can come between a decision and its record.
 * Contract: test/contracts/journal.ts.
 */
export interface Journal extends Ledger {
  /** Drawn when the journal was made; tells our objects from those of another installation. */
  readonly writer: string;

  // Sessions, by the folder they lie in.
  sessions(folder: string): readonly SessionRecord[];
  begin(session: NewSession): SessionRecord;
  /** Identity is written once; a second call is an error. `rename` is the only way to another. */
  freeze(sid: number, identity: SessionIdentity): void;
  rename(sid: number, identity: SessionIdentity, keyOf: (path: WatchedPath) => string): void;
  idHolder(id: string): number | undefined;
  setShape(sid: number, shape: string): void;
  setProcess(sid: number, process: ProcessIdentity | undefined): void;
  /** `skipped` sessions are left alone until they change or someone asks for them. */
  setPhase(sid: number, phase: SessionPhase): void;
  /** The root is gone or is another directory now: this session will not change any more. */
  setGone(sid: number): void;

  // Files, by session.
  files(sid: number): readonly FileRecord[];
  enqueue(sid: number, work: NewWork): void;

  // Shipping. Due times are on the monotonic clock of this process: `recover` makes everything due.
  /** After a start: every pending file may be in the bucket already, parked ones get another chance. */
  recover(): RecoveredWork;
  dueSessions(folder: string, nowMs: number, limit: number): readonly number[];
  /** When the next postponed session is due; those that are due already do not count. */
  nextDueMs(folder: string, nowMs: number): number | undefined;
  hasUnfinished(folder: string): boolean;
  rootOf(sid: number): WatchedPath | undefined;
  shipment(sid: number): Shipment | undefined;
  /** Small files first. */
  pendingFiles(sid: number, nowMs: number, limit: number): readonly FileRecord[];
  /** When the next pending file may be tried; undefined when none is pending. */
  nextFileDueMs(sid: number): number | undefined;
  pendingClaims(): ReadonlySet<string>;
  /** An open upload of the file is closed with it. */
  recordUploaded(sid: number, path: WatchedPath, sent: SentFile): void;
  recordFailed(sid: number, path: WatchedPath, failed: FailedAttempt): void;
  recordParked(sid: number, path: WatchedPath, parked: ParkedFile): void;
  recordGone(sid: number, path: WatchedPath, fingerprint: string): void;
  /** The claim is gone; where the file is still known by `from`, it is known by `to` from now on. */
  recordReleased(sid: number, path: WatchedPath, from: string, to: string): void;
  recordDeleted(sid: number, path: WatchedPath): void;
  /** A log is in the bucket; `listed` are the paths that it lists as companions. */
  recordLog(sid: number, log: ShippedLog): void;
  /** The session's first log was looked at again and is still its own. */
  setCertain(sid: number): void;
  /** Companions that a log found in the bucket lists: known again after a lost journal. */
  adopt(sid: number, rows: readonly AdoptedFile[]): void;
  postpone(sid: number, dueAtMs: number, failure?: ParkedReason): void;
  park(sid: number, failure: ParkedReason): void;
  /** False, and nothing done, when more was enqueued than `shipment` knew of, or a file is still pending. */
  finish(shipment: Shipment): boolean;

  // Deletion and status.
  /** In the order of sessions and paths, behind `after`: who passes one over does not meet it again at once. */
  deletable(
    folder: string,
    receiptBeforeMs: number,
    limit: number,
    after?: DeletableFile,
  ): readonly DeletableFile[];
  backlog(folder: string): Backlog;
  /** The same without names: cheap, for progress. */
  backlogCounts(folder: string): BacklogCounts;

  getMeta(name: string): string | undefined;
  setMeta(name: string, value: string): void;
  close(): void;
}

export type SessionPhase = 'open' | 'shipping' | 'shipped' | 'parked' | 'skipped';

export interface NewSession {
  readonly folder: string;
  readonly root: WatchedPath;
  readonly kind: 'directory' | 'file';
  readonly directoryIdentity: string;
  readonly phase: SessionPhase;
  readonly foundAtMs: number;
}

export interface SessionIdentity {
  readonly id: string;
  readonly key: string;
  readonly startedAtMs: number;
  /** Where `startedAtMs` came from, for provenance. */
  readonly startedBy: string;
  readonly origin: string;
  /** Made so that no other session can have it; others must be won in the bucket first. */
  readonly unique: boolean;
  readonly warnings: readonly string[];
}

export interface SessionRecord extends NewSession {
  readonly sid: number;
  readonly identity: SessionIdentity | undefined;
  readonly seal: Seal | undefined;
  /** Digest of all files and fingerprints at the last look that was acted upon. */
  readonly shape: string;
  readonly revision: number;
  readonly process: ProcessIdentity | undefined;
}

export type FileState = 'pending' | 'uploaded' | 'parked' | 'gone' | 'deleted' | 'none';

export interface FileRecord {
  /** Relative to the session's root. */
  readonly path: WatchedPath;
  readonly role: 'companion' | 'other';
  readonly key: string;
  readonly sizeBytes: number;
  readonly fingerprint: string;
  readonly state: FileState;
  readonly attempts: number;
  readonly dueAtMs: number;
  /** The object may be in the bucket although no receipt says so. */
  readonly uncertain: boolean;
  readonly listed: boolean;
  readonly claim: string | undefined;
  readonly receipt: StoredReceipt | undefined;
  readonly failure: ParkedReason | undefined;
}

export interface StoredReceipt extends Receipt {
  /** Device of the file that was sent, empty where it is not known. */
  readonly device: string;
  readonly receivedAtMs: number;
  readonly contentType: string;
}

export interface NewFile {
  readonly path: WatchedPath;
  readonly role: 'companion' | 'other';
  readonly key: string;
  readonly sizeBytes: number;
  readonly fingerprint: string;
  readonly claim: string | undefined;
}

export interface NewWork {
  readonly seal: Seal | undefined;
  readonly shape: string;
  readonly draft: SessionDraft;
  readonly files: readonly NewFile[];
}

export interface Shipment {
  readonly sid: number;
  readonly folder: string;
  readonly root: WatchedPath;
  readonly kind: 'directory' | 'file';
  readonly identity: SessionIdentity;
  readonly draft: SessionDraft;
  /** Grows with every `enqueue`. */
  readonly work: number;
  readonly revision: number;
  readonly logEtag: string | undefined;
  readonly logDigest: string | undefined;
  /** False until a first write that was not atomic has been looked at again. */
  readonly certain: boolean;
  readonly attempts: number;
}

export interface SentFile {
  /** What was sent; the row stays pending when another fingerprint has been enqueued meanwhile. */
  readonly fingerprint: string;
  /** What the file is known by from now on: the same bytes, a new ctime once its claim is let go. */
  readonly newFingerprint: string;
  readonly receipt: StoredReceipt;
}

/** What was tried: says nothing of a file that has been enqueued anew meanwhile. */
export interface ParkedFile extends ParkedReason {
  readonly fingerprint: string;
  /** The object may have been replaced all the same. */
  readonly uncertain: boolean;
}

export interface FailedAttempt extends ParkedFile {
  readonly attempts: number;
  readonly dueAtMs: number;
}

export interface ShippedLog {
  readonly revision: number;
  readonly etag: string;
  readonly digest: string;
  /** How many files the log names as missing. */
  readonly missing: number;
  readonly certain: boolean;
  readonly listed: readonly WatchedPath[];
}

export interface AdoptedFile {
  readonly path: WatchedPath;
  readonly key: string;
  readonly receipt: StoredReceipt;
}

export interface RecoveredWork {
  readonly openSessions: number;
  readonly unfinishedSessions: number;
  readonly unfinishedFiles: number;
}

export interface DeletableFile {
  readonly sid: number;
  readonly session: string;
  readonly root: WatchedPath;
  readonly kind: 'directory' | 'file';
  readonly file: FileRecord;
}
