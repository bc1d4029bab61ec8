import type { SessionStatus } from '../domain/session-log.ts';
import type { SessionBrief, SessionDetail } from '../domain/session-view.ts';
import type { WatchedPath } from '../domain/watched-path.ts';
import type { ParkedReason } from './backlog.ts';
import type { SessionPhase } from './journal-records.ts';

/** Sessions as a page shows them; a part of the journal. Every answer is bounded, whatever the journal holds. */
export interface SessionViews {
  /** Latest start first; those that were left alone as old are not among them. */
  recentSessions(folder: string, offset: number, limit: number): readonly RecentSession[];
  recentCount(folder: string): number;
  sessionView(folder: string, id: string): SessionView | undefined;
}

export interface RecentSession {
  /** Absent until it is decided. */
  readonly id?: string;
  readonly root: WatchedPath;
  readonly phase: SessionPhase;
  readonly status: SessionStatus;
  /** Where it is not known yet: when the session was found. */
  readonly startedAtMs: number;
  /** Of its log in the bucket; 0: there is none yet. */
  readonly revision: number;
  /** Files that its log names as missing. */
  readonly missing: number;
  readonly brief?: SessionBrief;
}

export interface SessionView extends RecentSession {
  readonly key: string;
  readonly folder: string;
  readonly origin: string;
  readonly failure?: ParkedReason;
  /** Kept for the latest few hundred sessions. */
  readonly detail?: SessionDetail;
  /** Those that need a person first. */
  readonly files: readonly ViewedFile[];
  /** More files than are listed. */
  readonly hasMoreFiles: boolean;
}

export interface ViewedFile {
  readonly path: WatchedPath;
  readonly sizeBytes: number;
  readonly state: 'pending' | 'uploaded' | 'parked' | 'gone' | 'deleted' | 'none';
  readonly failure?: ParkedReason;
}
