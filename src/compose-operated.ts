import type { Problem } from './adapters/file-claims.ts';
import type { S3Access } from './adapters/s3-access.ts';
import type { Config } from './config/schema.ts';
import type { Clock } from './ports/clock.ts';
import type { EventCounts } from './ports/event-counts.ts';
import type { Events } from './ports/events.ts';
import type { FileSource } from './ports/file-source.ts';
import type { Journal } from './ports/journal.ts';
import type { ObjectStore } from './ports/object-store.ts';
import type { DestinationGate } from './services/destination-gate.ts';
import type { FolderWatcher } from './services/folder-watcher.ts';
import type { RequestLimit } from './services/request-limit.ts';
import type { SessionSharing } from './services/session-sharing.ts';
import type { SessionTracker } from './services/session-tracker.ts';
import type { TransferRate } from './services/transfer-rate.ts';
import type { Uploader } from './services/uploader.ts';

/** The agent as those see it who watch over it. They look, and change nothing but what a person asks for. */
export interface Operated {
  readonly config: Config;
  readonly events: Events;
  readonly counts: EventCounts;
  readonly clock: Clock;
  readonly host: string;
  /** Our own. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly pid: number;
  /** `run`: it stays, so it reports on schedule and serves HTTP. */
  readonly stays: boolean;
  readonly folder: string;
  readonly journal: Journal;
  readonly source: FileSource;
  readonly store: ObjectStore;
  readonly access: S3Access | undefined;
  readonly watcher: FolderWatcher;
  readonly tracker: SessionTracker;
  readonly sharing: SessionSharing;
  readonly gate: DestinationGate;
  readonly limit: RequestLimit;
  readonly rate: TransferRate;
  readonly uploader: Uploader;
  /** Why nothing is watched any more but by looking. */
  readonly watching: { degraded: Problem | undefined };
}
