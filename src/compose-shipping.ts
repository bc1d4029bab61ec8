import PQueue from 'p-queue';
import type { Config } from './config/schema.ts';
import type { WatchedPath } from './domain/watched-path.ts';
import type { Clock } from './ports/clock.ts';
import type { Events } from './ports/events.ts';
import type { FileSource } from './ports/file-source.ts';
import type { Journal } from './ports/journal.ts';
import type { ObjectStore } from './ports/object-store.ts';
import type { ProcessTable } from './ports/process-table.ts';
import { countServed } from './services/counted-store.ts';
import { DestinationGate } from './services/destination-gate.ts';
import { FileTransfer } from './services/file-transfer.ts';
import { Janitor } from './services/janitor.ts';
import { LogShipping } from './services/log-shipping.ts';
import { SessionShipping } from './services/session-shipping.ts';
import { Uploader } from './services/uploader.ts';

/** The lower half of the picture in compose.ts: from the journal to the bucket. */
export interface ShippingParts {
  readonly gate: DestinationGate;
  readonly uploader: Uploader;
  readonly janitor: Janitor;
}

export interface ShippingOptions {
  readonly config: Config;
  readonly events: Events;
  readonly clock: Clock;
  readonly folder: string;
  readonly journal: Journal;
  readonly source: FileSource;
  readonly store: ObjectStore;
  readonly processes: ProcessTable;
  readonly hasOpenSessions: () => boolean;
  readonly onShipped: (sid: number, root: WatchedPath) => void;
}

/** Sessions under way for each transfer: enough that a session's serial steps never leave a transfer idle. */
const sessionsPerTransfer = 4;

export function composeShipping(options: ShippingOptions): ShippingParts {
  const { config, events, clock, folder, journal, source, store, processes } = options;
  const gate = new DestinationGate({ name: store.name, clock, events, limits: config.retry });
  const context = {
    source,
    journal,
    store: countServed(store, gate.served),
    gate,
    clock,
    events,
    retry: config.retry,
    keyTemplate: config.destination.keyTemplate,
    logBytesMax: config.sessionLog.bytesMax,
  };
  const sessionsMax = config.upload.concurrency * sessionsPerTransfer;
  const shipping = new SessionShipping({
    context,
    logs: new LogShipping(context),
    transfer: new FileTransfer(context),
    queue: new PQueue({ concurrency: config.upload.concurrency }),
  });
  const uploader = new Uploader({
    journal,
    shipping,
    clock,
    folder,
    sessions: new PQueue({ concurrency: sessionsMax }),
    sessionsMax,
    hasOpenSessions: options.hasOpenSessions,
    onShipped: options.onShipped,
  });
  const { retention } = config;
  const janitor = new Janitor({ source, journal, store, processes, clock, events, folder, retention });
  return { gate, uploader, janitor };
}
