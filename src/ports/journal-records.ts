import type { Seal } from '../domain/end-rule.ts';
import type { SessionDraft } from '../domain/session-draft.ts';
import type { WatchedPath } from '../domain/watched-path.ts';
import type { ParkedReason } from './backlog.ts';
import type { Receipt } from './object-store.ts';
import type { ProcessIdentity } from './process-table.ts';

export type SessionPhase = 'open' | 'shipping' | 'shipped' | 'parked' | 'skipped' | 'elsewhere';

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
  /** False until a first write that was not atomic has been looked at again. */
  readonly certain: boolean;
  readonly process: ProcessIdentity | undefined;
  /** A log may be in the bucket that says that it has ended. */
  readonly endTold: boolean;
}

/** No more of a session than tells whether it changed. */
export type RestingSession = Pick<SessionRecord, 'sid' | 'root' | 'directoryIdentity' | 'shape'>;

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
  /** And it may hold other bytes than the file has now: a request with them may even be carried out later. */
  readonly staleRequest: boolean;
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
  /** The object holds no more than a first part of the file: its host was taken for lost. */
  readonly truncated?: boolean;
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
  /** A log request of unknown outcome may yet be carried out, over what was written after it. */
  readonly logDoubted: boolean;
  /** The next log is to be written whatever the one in the bucket says: others may have listed what we are to replace. */
  readonly logContested: boolean;
  /** A log may be in the bucket that says that the session has ended. */
  readonly endTold: boolean;
  /** The session is open again: what the draft says of its end is not true any more. */
  readonly withdrawn: boolean;
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
  /** It was found there; absent: we wrote it just now. */
  readonly found?: true;
}

export interface AdoptedFile {
  readonly path: WatchedPath;
  readonly key: string;
  readonly receipt: StoredReceipt;
  /** ETag of the receipt's object, in whose place it was seen to be: the file is to be sent again. */
  readonly replaced?: string;
}

export interface RecoveredWork {
  readonly openSessions: number;
  readonly unfinishedSessions: number;
  readonly unfinishedFiles: number;
}

/** What `retry` did with the sessions that it was asked for. */
export interface RetriedWork {
  readonly takenUp: readonly TakenUp[];
  /** Ids of sessions of which nothing is parked. */
  readonly notParked: readonly string[];
  /** Ids of no session. */
  readonly unknown: readonly string[];
}

export interface TakenUp {
  readonly sid: number;
  readonly root: WatchedPath;
  readonly session: string;
  /** Files that were parked, and whether the session's log was. */
  readonly files: number;
  readonly log: boolean;
  /** Queued; to be looked at first; or its directory is gone and its log written, so that nothing can be tried. */
  readonly at: 'queue' | 'look' | 'end';
}

export interface DeletableFile {
  readonly sid: number;
  readonly session: string;
  readonly root: WatchedPath;
  readonly kind: 'directory' | 'file';
  readonly file: FileRecord;
}
