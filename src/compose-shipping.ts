import PQueue from 'p-queue';
import type { Config } from './config/schema.ts';
import type { WatchedPath } from './domain/watched-path.ts';
import type { Clock } from './ports/clock.ts';
import type { Events } from './ports/events.ts';
import type { FileSource } from './ports/file-source.ts';
import type { Journal } from './ports/journal.ts';
import type { ObjectStore } from './ports/object-store.ts';
import type { ProcessTable } from './ports/process-table.ts';
import { AbandonedUploads } from './services/abandoned-uploads.ts';
import type { ActiveTransfer } from './services/active-transfer.ts';
import { CompanionTransfers } from './services/companion-transfers.ts';
import { countServed } from './services/counted-store.ts';
import { DestinationGate } from './services/destination-gate.ts';
import { DrainBudget } from './services/drain-budget.ts';
import { FileTransfer, type OneTransfer } from './services/file-transfer.ts';
import { afterGrowth, GrowingFiles } from './services/growing-files.ts';
import { GrowingParts } from './services/growing-parts.ts';
import { Janitor } from './services/janitor.ts';
import { guardWrites } from './services/leased-store.ts';
import { LogShipping } from './services/log-shipping.ts';
import { paceStore } from './services/paced-store.ts';
import { PartTransfer } from './services/part-transfer.ts';
import { recordedTransfer } from './services/recorded-transfer.ts';
import { RequestLimit } from './services/request-limit.ts';
import { ResumeRecords } from './services/resume-records.ts';
import type { SessionSharing } from './services/session-sharing.ts';
import { SessionShipping } from './services/session-shipping.ts';
import type { Claiming, ShippingContext } from './services/shipping-context.ts';
import { TransferRate } from './services/transfer-rate.ts';
import { Uploader } from './services/uploader.ts';

/** The lower half of the picture in compose.ts: from the journal to the bucket. */
export interface ShippingParts {
  readonly gate: DestinationGate;
  readonly limit: RequestLimit;
  readonly rate: TransferRate;
  readonly uploader: Uploader;
  readonly janitor: Janitor;
  /** Undefined where the destination knows no parts, or files are to be compressed once they are whole. */
  readonly growing: GrowingFiles | undefined;
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
  readonly onShipped: (sid: number, root: WatchedPath) => Promise<void>;
  readonly sharing: SessionSharing;
  readonly claiming: Claiming;
}

/** Sessions under way for each transfer: enough that a session's serial steps never leave a transfer idle. */
const sessionsPerTransfer = 4;

export function composeShipping(options: ShippingOptions): ShippingParts {
  const { config, events, clock, folder, journal, source, store, processes, sharing } = options;
  const gate = new DestinationGate({ name: store.name, clock, events, limits: config.retry });
  const { concurrency, partConcurrency } = config.upload;
  // Files share the requests that their parts may take.
  const limit = new RequestLimit({ name: store.name, events, requestsMax: concurrency * partConcurrency });
  const rate = new TransferRate({ clock });
  const budget = new DrainBudget({ clock, rate });
  const context = {
    source,
    journal,
    store: countServed(guardWrites(paceStore(store, { limit, rate }), sharing), gate.served),
    gate,
    clock,
    events,
    retry: config.retry,
    keyTemplate: config.destination.keyTemplate,
    logBytesMax: config.sessionLog.bytesMax,
    claiming: options.claiming,
  };
  const { parts: partStore } = context.store;
  const records = new ResumeRecords(context, config.sessionLog.snapshotEveryMs);
  const parts = partStore && new PartTransfer({ context, parts: partStore, records, partConcurrency });
  const queue = new PQueue({ concurrency });
  const active = new Set<ActiveTransfer>();
  const { growing, transfer } = composeTransfers({ config, context, parts, records, queue, active });
  const companions = new CompanionTransfers({
    clock,
    journal,
    transfer,
    queue,
    budget,
    active,
  });
  const sessionsMax = concurrency * sessionsPerTransfer;
  const shipping = new SessionShipping({
    context,
    logs: new LogShipping(context),
    records,
    companions,
    queue,
    budget,
  });
  const uploader = new Uploader({
    journal,
    shipping,
    companions,
    active,
    budget,
    clock,
    folder,
    sessions: new PQueue({ concurrency: sessionsMax }),
    sessionsMax,
    hasOpenSessions: options.hasOpenSessions,
    sharing,
    onShipped: async (sid, root) => {
      await options.onShipped(sid, root);
      growing?.announced(sid);
    },
  });
  const { retention } = config;
  const abandoned = partStore && new AbandonedUploads({ journal, parts: partStore, clock });
  const janitor = new Janitor({
    source,
    journal,
    store,
    processes,
    clock,
    events,
    folder,
    abandoned,
    retention,
  });
  return { gate, limit, rate, uploader, janitor, growing };
}

function composeTransfers(options: {
  config: Config;
  context: ShippingContext;
  parts: PartTransfer | undefined;
  records: ResumeRecords;
  queue: PQueue;
  active: Set<ActiveTransfer>;
}): { transfer: OneTransfer; growing: GrowingFiles | undefined } {
  const { config, context, parts, records, queue, active } = options;
  const whole = new FileTransfer({ context, parts });
  const layout = context.store.parts?.layout;
  if (!parts || !layout) return { transfer: whole, growing: undefined };
  const everyMs = config.sessionLog.snapshotEveryMs;
  const recorded = recordedTransfer(whole, { context, records, fromBytes: layout.firstBytes, everyMs });
  if (config.companions.compression !== 'none') return { transfer: recorded, growing: undefined };
  // At least half of the transfers are left to what is finished.
  const filesMax = Math.max(1, Math.floor(config.upload.concurrency / 2));
  const growingParts = new GrowingParts({ context, transfer: parts, records, active });
  const growing = new GrowingFiles({ context, parts: growingParts, queue, filesMax });
  return { transfer: afterGrowth(recorded, growing), growing };
}
