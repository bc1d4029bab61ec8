import { createLeaseFiles } from './adapters/lease-files.ts';
import type { Config } from './config/schema.ts';
import type { LeaseLimits } from './domain/lease.ts';
import type { WatchedPath } from './domain/watched-path.ts';
import type { Clock } from './ports/clock.ts';
import type { Events } from './ports/events.ts';
import type { FolderState } from './ports/file-source.ts';
import type { Journal } from './ports/journal.ts';
import { folderSharing } from './services/folder-sharing.ts';
import { LeaseKeeper } from './services/lease-keeper.ts';
import { SessionLeases } from './services/session-leases.ts';
import type { SessionSharing } from './services/session-sharing.ts';
import { SharedSessions } from './services/shared-sessions.ts';
import type { TrackedSession } from './services/tracked-session.ts';

export interface SharingOptions {
  readonly config: Config;
  readonly events: Events;
  readonly clock: Clock;
  readonly host: string;
  readonly journal: Journal;
  readonly folder: string;
  readonly limits: LeaseLimits;
  readonly folderState: () => FolderState | undefined;
  readonly tracked: (root: WatchedPath) => TrackedSession | undefined;
  readonly onDue: (root: WatchedPath) => void;
}

/** Which sessions of the folder are this host's, should others watch it too. */
export function composeSharing(options: SharingOptions): { sharing: SessionSharing; keeper: LeaseKeeper } {
  const { config, events, clock, host, journal, folder, limits, tracked, onDue } = options;
  const store = createLeaseFiles(config.watch.directory);
  const leases = new SessionLeases({ store, clock, events, host, writer: journal.writer, limits });
  const { keyTemplate } = config.destination;
  const { folderState } = options;
  const isShared = folderSharing({ shared: config.watch.shared, folder, journal, folderState });
  return {
    sharing: new SharedSessions({ leases, journal, clock, keyTemplate, isShared, tracked, onDue }),
    keeper: new LeaseKeeper({ leases, clock, onDue }),
  };
}
