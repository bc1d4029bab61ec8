import { uptime } from 'node:os';
import { createFolderSource } from './adapters/folder-source.ts';
import { createProcessTable } from './adapters/proc-table.ts';
import { createProcessLooks } from './adapters/process-looks.ts';
import { systemClock } from './adapters/system-time.ts';
import { createAccess } from './compose-access.ts';
import { composeDeparture } from './compose-departure.ts';
import type { Operated } from './compose-operated.ts';
import { composeOperating, type Operating } from './compose-operating.ts';
import { closeAll, createStore, rootRules, watchTimes } from './compose-parts.ts';
import { composePlaces } from './compose-places.ts';
import { composeSharing } from './compose-sharing.ts';
import { composeShipping } from './compose-shipping.ts';
import type { Config } from './config/schema.ts';
import { Daemon } from './daemon.ts';
import { createCompanionFilter } from './domain/companion-filter.ts';
import type { LeaseLimits } from './domain/lease.ts';
import { readOneFileSession } from './formats/native.ts';
import { formatReaders } from './formats/registry.ts';
import type { EventCounts } from './ports/event-counts.ts';
import type { Events } from './ports/events.ts';
import type { Journal } from './ports/journal.ts';
import { Assembler } from './services/assembler.ts';
import { FileGrowth } from './services/file-growth.ts';
import { FolderWatcher } from './services/folder-watcher.ts';
import { spreadOf } from './services/host-spread.ts';
import { LookRests } from './services/look-rests.ts';
import { meterLooks } from './services/metered-source.ts';
import { withRecentOpenFiles } from './services/recent-open-files.ts';
import { SessionObserver } from './services/session-observer.ts';
import { SessionReadings } from './services/session-reading.ts';
import { SessionSnapshots } from './services/session-snapshots.ts';
import { SessionTracker } from './services/session-tracker.ts';
import type { TransferRate } from './services/transfer-rate.ts';
import { Turns } from './services/turns.ts';
import type { Uploader } from './services/uploader.ts';

/**
 * Builds everything and wires it; nothing else does.
 *
 *   watched folder ──▶ FolderSource ──hints──▶ FolderWatcher ──looks──▶ SessionTracker ──▶ SessionObserver
 *                        (chokidar, scans)        when to look              which sessions      ended? settled?
 *                                                                                                   │
 *        formats/ ──facts──▶ SessionReadings ──────────────────────────────────────────────▶ Assembler
 *                                                                                                   │ one transaction
 *                                                                                                   ▼
 *   bucket ◀── ObjectStore ◀── FileTransfer, LogShipping ◀── SessionShipping ◀── Uploader ◀──── Journal (SQLite)
 *              (S3, directory)    behind the DestinationGate      one pass         p-queue           ▲
 *                                                                                                    └── Janitor, status
 */
export interface ComposeOptions {
  readonly config: Config;
  readonly events: Events;
  /** Of those events. */
  readonly counts: EventCounts;
  /** Open, and the agent's from now on. */
  readonly journal: Journal;
  /** The watched folder by its real path. */
  readonly folder: string;
  readonly host: string;
  /** Our own; what probes and their keys are named by is read of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly pid: number;
  /** `drain` and `backfill` take what `run` would leave alone. */
  readonly ignoreOlderThanMs: number;
  readonly includeSkipped: boolean;
  /** `run`: it reports on schedule and serves HTTP. */
  readonly stays: boolean;
  /** How long a root may be away before its session is given up. */
  readonly absenceMs: number;
  readonly leases: LeaseLimits;
}

export interface Agent {
  readonly daemon: Daemon;
  readonly tracker: SessionTracker;
  readonly observer: SessionObserver;
  readonly watcher: FolderWatcher;
  readonly uploader: Uploader;
  readonly rate: Pick<TransferRate, 'bytesPerSecond'>;
  readonly journal: Journal;
  readonly folder: string;
  readonly destination: string;
  readonly status: Operating['status'];
  readonly queue: Operating['queue'];
  /** Beside a drain of so long: should the host end with us, its sessions do. */
  depart(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

export function compose(options: ComposeOptions): Agent {
  const { config, events, host, version, journal, folder } = options;
  const clock = systemClock;
  const watching: Operated['watching'] = { degraded: undefined };
  const source = createFolderSource({
    directory: config.watch.directory,
    stateDirectory: config.state.directory,
    polling: config.watch.polling,
    clock,
    onDegraded: (problem) => {
      watching.degraded = problem;
      events.emit('watch.degraded', problem);
    },
    onClaimsImpossible: (problem) => events.emit('claims.impossible', problem),
    onLimit: (problem) => events.emit('files.limit', problem),
  });
  const access = createAccess(config, clock, events);
  const store = createStore(config, { access, journal });
  const processes = createProcessTable(
    '/proc',
    createProcessLooks({
      monotonicMs: () => clock.monotonicMs(),
      onSilence: (problem) => events.emit('config.warning', { problem }),
    }),
  );
  const readings = new SessionReadings({ source, readers: formatReaders, oneFile: readOneFileSession });
  const choose = createCompanionFilter(config.companions);
  const growsFromBytes = store.parts?.layout.firstBytes ?? config.upload.partSizeBytes;
  const isNetwork = () => watcher.folderState?.state === 'present' && watcher.folderState.network;
  const assembler = new Assembler({
    source,
    journal,
    readings,
    clock,
    serverNowMs: () => clock.nowMs() + (access?.clock.offsetMs() ?? 0),
    events,
    choose,
    compression: config.companions.compression,
    keyTemplate: config.destination.keyTemplate,
    folder,
    agent: { version, host },
    places: composePlaces({ ...options, source, processes, clock, network: isNetwork }),
    growsFromBytes,
    bootedAtMs: () => clock.nowMs() - uptime() * 1000,
  });
  const { settleMs, rescanMs } = watchTimes(config, isNetwork);
  const snapshots = new SessionSnapshots({
    journal,
    assembler,
    clock,
    growth: new FileGrowth({ choose, growsFromBytes, settleMs }),
    everyMs: config.sessionLog.snapshotEveryMs,
    onEnqueued: () => uploader.wake(),
    onGrown: (file) => growing?.want(file),
  });
  const { sharing, keeper } = composeSharing({
    config,
    events,
    clock,
    host,
    journal,
    folder,
    limits: options.leases,
    folderState: () => watcher.folderState,
    tracked: (root) => tracker.sessions.get(root),
    onDue: (root) => watcher.lookAt(root),
  });
  const claiming = new Turns<number>();
  const observer = new SessionObserver({
    source,
    journal,
    readings,
    assembler,
    snapshots,
    sharing,
    processes: withRecentOpenFiles(processes, clock),
    clock,
    events,
    folder,
    idleMs: config.watch.idleMs,
    settleMs,
    claiming,
    onEnqueued: () => uploader.wake(),
  });
  const looking = new LookRests();
  const tracker = new SessionTracker({
    source: meterLooks(source, clock, looking),
    journal,
    readings,
    observer,
    sharing,
    clock,
    events,
    folder,
    rules: rootRules(config, source),
    network: isNetwork,
    ignoreOlderThanMs: options.ignoreOlderThanMs,
    includeSkipped: options.includeSkipped,
    absenceMs: options.absenceMs,
  });
  const watcher = new FolderWatcher({
    source,
    tracker,
    observer,
    processes,
    clock,
    events,
    looking,
    rescanMs,
    spread: spreadOf(host),
  });
  const { gate, limit, rate, uploader, janitor, growing } = composeShipping({
    config,
    events,
    clock,
    folder,
    journal,
    source,
    store,
    processes,
    sharing,
    claiming,
    hasOpenSessions: () => tracker.sessions.unfinished().length > 0,
    onShipped: (sid, root) => tracker.onShipped(sid, root),
  });
  const operating = composeOperating({
    ...options,
    clock,
    source,
    store,
    access,
    watcher,
    tracker,
    sharing,
    gate,
    limit,
    rate,
    uploader,
    watching,
  });
  // Old work before new: the uploader starts before the watcher looks. Drained and stopped the other way round.
  const services = [...operating.services, janitor, keeper, uploader, ...(growing ? [growing] : []), watcher];
  return {
    daemon: new Daemon({ services, clock, events }),
    tracker,
    observer,
    watcher,
    uploader,
    rate,
    journal,
    folder,
    destination: store.name,
    status: operating.status,
    queue: operating.queue,
    depart: composeDeparture({ ...options, clock, tracker, observer, snapshots, watcher, looking, settleMs }),
    close: () => closeAll(source, store, journal),
  };
}
