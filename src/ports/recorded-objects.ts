import type { WatchedPath } from '../domain/watched-path.ts';

/** What a journal says is in the bucket: only what it is certain of, nothing that is being replaced. */
export interface RecordedObjects {
  /** Months, `2026-11`, in which recorded sessions began. */
  recordedMonths(): ReadonlySet<string>;
  /** Sessions whose log's key lies behind `after`, up to and with `to`, in the order of these keys. */
  recordedSessions(after: string, to: string): readonly RecordedSession[];
}

export interface RecordedSession {
  readonly id: string;
  readonly key: string;
  readonly startedAtMs: number;
  readonly revision: number;
  /** Absent while a request to write it is in doubt. */
  readonly logEtag?: string;
  readonly files: readonly RecordedFile[];
}

export interface RecordedFile {
  readonly path: WatchedPath;
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly receivedAtMs: number;
}
