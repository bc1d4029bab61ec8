import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PQueue from 'p-queue';
import picomatch from 'picomatch';
import { onTestFinished } from 'vitest';
import { openJournalFile } from '../../src/adapters/journal-file.ts';
import { createSqliteJournal } from '../../src/adapters/sqlite-journal.ts';
import { checkpointGlobs } from '../../src/config/default-globs.ts';
import { createCompanionFilter } from '../../src/domain/companion-filter.ts';
import { leaseLimits } from '../../src/domain/lease.ts';
import { type SessionLog, sessionLogSchema } from '../../src/domain/session-log.ts';
import type { WatchedPath } from '../../src/domain/watched-path.ts';
import { readOneFileSession } from '../../src/formats/native.ts';
import { formatReaders } from '../../src/formats/registry.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { EventMap, EventName, Events } from '../../src/ports/events.ts';
import type { FileSource } from '../../src/ports/file-source.ts';
import type { Journal } from '../../src/ports/journal.ts';
import type { LeaseStore } from '../../src/ports/lease-store.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import type { ActiveTransfer } from '../../src/services/active-transfer.ts';
import { Assembler } from '../../src/services/assembler.ts';
import { CompanionTransfers } from '../../src/services/companion-transfers.ts';
import { countServed } from '../../src/services/counted-store.ts';
import { DestinationGate } from '../../src/services/destination-gate.ts';
import { DrainBudget } from '../../src/services/drain-budget.ts';
import { FileGrowth } from '../../src/services/file-growth.ts';
import { FileTransfer, type OneTransfer } from '../../src/services/file-transfer.ts';
import { FolderWatcher } from '../../src/services/folder-watcher.ts';
import { afterGrowth, GrowingFiles } from '../../src/services/growing-files.ts';
import { GrowingParts } from '../../src/services/growing-parts.ts';
import { departWithHost } from '../../src/services/host-departure.ts';
import { LeaseKeeper } from '../../src/services/lease-keeper.ts';
import { guardWrites } from '../../src/services/leased-store.ts';
import { LogShipping } from '../../src/services/log-shipping.ts';
import { LookRests } from '../../src/services/look-rests.ts';
import { meterLooks } from '../../src/services/metered-source.ts';
import { paceStore } from '../../src/services/paced-store.ts';
import { PartTransfer } from '../../src/services/part-transfer.ts';
import { recordedTransfer } from '../../src/services/recorded-transfer.ts';
import { RequestLimit } from '../../src/services/request-limit.ts';
import { ResumeRecords } from '../../src/services/resume-records.ts';
import { RootRecognition, type SurveyRules } from '../../src/services/root-recognition.ts';
import { SessionLeases } from '../../src/services/session-leases.ts';
import { SessionObserver } from '../../src/services/session-observer.ts';
import type { SessionPlaces } from '../../src/services/session-places.ts';
import { SessionReadings } from '../../src/services/session-reading.ts';
import { type SessionSharing, unshared } from '../../src/services/session-sharing.ts';
import { SessionShipping } from '../../src/services/session-shipping.ts';
import { SessionSnapshots } from '../../src/services/session-snapshots.ts';
import { SessionTracker } from '../../src/services/session-tracker.ts';
import { SharedSessions } from '../../src/services/shared-sessions.ts';
import type { ShippingContext } from '../../src/services/shipping-context.ts';
import { TransferRate } from '../../src/services/transfer-rate.ts';
import { Turns } from '../../src/services/turns.ts';
import { Uploader } from '../../src/services/uploader.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeProcesses } from '../fakes/fake-processes.ts';
import { MemoryFolder } from '../fakes/memory-folder.ts';
import { MemoryStore, type MemoryStoreOptions } from '../fakes/memory-store.ts';

// What compose() does for the real agent, on fakes that stand still: no timer, no disk but the journal's.
export const settleMs = 2_000;
export const rescanMs = 60_000;
export const idleMs = 7_200_000;
export const retry = { baseDelayMs: 1_000, maxDelayMs: 300_000 };
export const networkSettleMs = 120_000;
export const folder = '/watched';
export const keyTemplate = 'training-logs/{year}/{month}/{session-id}.log';
const noSignal = new AbortController().signal;
const stepsMax = 200;
const never = Number.MAX_SAFE_INTEGER;

/** The journal commits at once, so that time that stands still holds nobody up. */
const promptly: Clock = {
  nowMs: () => 0,
  monotonicMs: () => 0,
  random: () => 0,
  sleep: () => new Promise((resolve) => setImmediate(resolve)),
};

const unknownPlaces: Pick<SessionPlaces, 'of'> = {
  of: async () => ({ told: [], otherwise: undefined, warnings: [] }),
};

/** Events in order, each by its name with its fields. */
export class Recorder implements Events {
  readonly all: { name: EventName; fields: object }[] = [];

  emit<Name extends EventName>(name: Name, fields: EventMap[Name]): void {
    this.all.push({ name, fields });
  }

  of<Name extends EventName>(name: Name): EventMap[Name][] {
    return this.all.flatMap((event) => (event.name === name ? [event.fields as EventMap[Name]] : []));
  }
}

export interface StartOptions {
  /** The state directory was lost: another journal. */
  readonly lost?: boolean;
  /** Another one has another state directory. */
  readonly host?: string;
  /** The folder is shared: where its leases are. */
  readonly leases?: LeaseStore;
  readonly journal?: (journal: Journal) => Journal;
  readonly source?: (source: FileSource) => FileSource;
  readonly store?: (store: ObjectStore) => ObjectStore;
  readonly sessions?: string;
  readonly ignoreOlderThanMs?: number;
  readonly includeSkipped?: boolean;
  readonly concurrency?: number;
  readonly partConcurrency?: number;
  readonly bytesMax?: number;
  readonly settleMs?: number;
  /** Wall clock; absent: long ago. */
  readonly bootedAtMs?: number;
  /** Absent: no session is old enough. */
  readonly snapshotEveryMs?: number;
  /** Absent: nobody knows where sessions ran. */
  readonly places?: (source: FileSource) => Pick<SessionPlaces, 'of'>;
}

/** The world around an agent: it outlives every one of them. */
export class World {
  readonly clock = new FakeClock();
  readonly folder: MemoryFolder;
  readonly store: MemoryStore;
  readonly processes = new FakeProcesses();
  readonly events = new Recorder();
  /** By host. */
  readonly #states = new Map<string, string>();
  readonly #journals = new Map<string, Journal>();

  constructor(options: MemoryStoreOptions & { readonly reuseInodes?: boolean } = {}) {
    this.clock.random(); // reason: the first is next to nothing, and so would be the first delay
    this.folder = new MemoryFolder({ clock: this.clock, reuseInodes: options.reuseInodes ?? false });
    this.store = new MemoryStore(options);
    this.store.nowMs = () => this.clock.nowMs();
    onTestFinished(() => {
      for (const journal of this.#journals.values()) journal.close();
    });
  }

  /** A new process: whatever the one before had in memory is forgotten, its journal is read. */
  start(options: StartOptions = {}): TestAgent {
    const host = options.host ?? 'node-1';
    this.#journals.get(host)?.close();
    const known = options.lost ? undefined : this.#states.get(host);
    const state = known ?? mkdtempSync(join(tmpdir(), 'trainlogd-services-'));
    if (known === undefined) onTestFinished(() => rmSync(state, { recursive: true, force: true }));
    this.#states.set(host, state);
    const holder = { pid: 1, host, folder, startedAt: '2026-01-02T03:04:05.000Z' };
    const journal = createSqliteJournal(openJournalFile(state, holder), promptly);
    this.#journals.set(host, journal);
    const agent = new TestAgent(this, options.journal?.(journal) ?? journal, options);
    journal.recover();
    return agent;
  }

  /** A session log as the bucket has it, valid; the only one when no key is named. */
  log(key = this.logKeys()[0] ?? '', version = -1): SessionLog {
    const text = this.store.versions(key).at(version)?.bytes.toString() ?? 'no such object';
    return sessionLogSchema.parse(JSON.parse(text));
  }

  logKeys(): string[] {
    return this.store.keys().filter((key) => /^training-logs\/\d{4}\//.test(key));
  }

  /** Every log, as `name status revision [listed] [missing:reason]`. */
  summary(): string[] {
    return this.logKeys().map((key) => {
      const { session, companions, missing } = this.log(key);
      const listed = companions.map(({ path }) => path).join(' ');
      const absent = missing.map(({ path, reason }) => `${path}:${reason}`).join(' ');
      return `${session.name} ${session.status} ${session.revision} [${listed}] [${absent}]`;
    });
  }
}

export class TestAgent {
  readonly journal: Journal;
  readonly tracker: SessionTracker;
  readonly observer: SessionObserver;
  readonly watcher: FolderWatcher;
  readonly uploader: Uploader;
  readonly shipping: SessionShipping;
  readonly gate: DestinationGate;
  readonly limit: RequestLimit;
  readonly parts: PartTransfer | undefined;
  readonly growing: GrowingFiles | undefined;
  readonly context: ShippingContext;
  readonly leases: SessionLeases | undefined;
  readonly keeper: LeaseKeeper | undefined;
  readonly sharing: SessionSharing = unshared;
  readonly looking = new LookRests();
  readonly snapshots: SessionSnapshots;
  readonly #clock: FakeClock;

  constructor(world: World, journal: Journal, options: StartOptions) {
    const { clock, events, processes } = world;
    const { concurrency = 4, host = 'node-1' } = options;
    const source = options.source?.(world.folder) ?? world.folder;
    const base = { source, journal, clock, events };
    this.#clock = clock;
    this.journal = journal;
    const readings = new SessionReadings({ source, readers: formatReaders, oneFile: readOneFileSession });
    const choose = createCompanionFilter({
      include: ['**'],
      exclude: checkpointGlobs,
      checkpoints: checkpointGlobs,
      bytesMax: options.bytesMax ?? 1_000_000,
    });
    const growsFromBytes = world.store.parts?.layout.firstBytes ?? 1_000_000;
    const assembler = new Assembler({
      ...base,
      readings,
      choose,
      keyTemplate,
      folder,
      agent: { version: '0.1.0', host },
      places: options.places?.(source) ?? unknownPlaces,
      growsFromBytes,
      bootedAtMs: () => options.bootedAtMs ?? 0,
    });
    if (options.leases) {
      const { writer } = journal;
      this.leases = new SessionLeases({
        store: options.leases,
        clock,
        events,
        host,
        writer,
        limits: leaseLimits,
      });
      const onDue = (root: WatchedPath) => this.watcher.lookAt(root);
      const tracked = (root: WatchedPath) => this.tracker.sessions.get(root);
      const { leases } = this;
      const isShared = () => true;
      this.sharing = new SharedSessions({ leases, journal, clock, keyTemplate, isShared, tracked, onDue });
      this.keeper = new LeaseKeeper({ leases, clock, onDue });
    }
    const { sharing } = this;
    const claiming = new Turns<number>();
    const settles = () => (this.#isNetwork() ? networkSettleMs : (options.settleMs ?? settleMs));
    this.snapshots = new SessionSnapshots({
      journal,
      assembler,
      clock,
      growth: new FileGrowth({ choose, growsFromBytes, settleMs: settles }),
      everyMs: options.snapshotEveryMs ?? never,
      onEnqueued: () => this.uploader.wake(),
      onGrown: (file) => this.growing?.want(file),
    });
    this.observer = new SessionObserver({
      ...base,
      readings,
      assembler,
      snapshots: this.snapshots,
      sharing,
      processes,
      folder,
      idleMs,
      settleMs: settles,
      claiming,
      onEnqueued: () => this.uploader.wake(),
    });
    const { looking } = this;
    this.tracker = new SessionTracker({
      ...base,
      source: meterLooks(base.source, clock, looking),
      readings,
      observer: this.observer,
      sharing,
      folder,
      rules: rulesOf(options.sessions, source),
      network: () => this.#isNetwork(),
      ignoreOlderThanMs: options.ignoreOlderThanMs ?? Number.POSITIVE_INFINITY,
      includeSkipped: options.includeSkipped ?? false,
      absenceMs: idleMs,
    });
    const { tracker, observer } = this;
    this.watcher = new FolderWatcher({
      ...base,
      tracker,
      observer,
      processes,
      looking,
      rescanMs: () => rescanMs,
      spread: 0,
    });
    this.gate = new DestinationGate({ name: world.store.name, clock, events, limits: retry });
    const rate = new TransferRate({ clock });
    const requestsMax = concurrency * (options.partConcurrency ?? 1);
    this.limit = new RequestLimit({ name: world.store.name, events, requestsMax });
    const budget = new DrainBudget({ clock, rate });
    const target = options.store?.(world.store) ?? world.store;
    const store = countServed(
      paceStore(guardWrites(target, sharing), { limit: this.limit, rate }),
      this.gate.served,
    );
    const context = {
      ...base,
      store,
      gate: this.gate,
      retry,
      keyTemplate,
      logBytesMax: 1_000_000,
      claiming,
    };
    this.context = context;
    const { parts } = store;
    const everyMs = options.snapshotEveryMs ?? never;
    const records = new ResumeRecords(context, everyMs);
    const { partConcurrency = 1 } = options;
    this.parts = parts && new PartTransfer({ context, parts, records, partConcurrency });
    let transfer: OneTransfer = new FileTransfer({ context, parts: this.parts });
    const queue = new PQueue({ concurrency });
    if (parts && this.parts) {
      const { layout } = parts;
      const growing = { context, transfer: this.parts, records, active: new Set<ActiveTransfer>() };
      const filesMax = Math.max(1, Math.floor(concurrency / 2));
      this.growing = new GrowingFiles({ context, parts: new GrowingParts(growing), queue, filesMax });
      transfer = recordedTransfer(transfer, { context, records, fromBytes: layout.firstBytes, everyMs });
      transfer = afterGrowth(transfer, this.growing);
    }
    const active = new Set<ActiveTransfer>();
    const companions = new CompanionTransfers({
      clock,
      journal,
      transfer,
      queue,
      budget,
      active,
    });
    this.shipping = new SessionShipping({
      context,
      logs: new LogShipping(context),
      records,
      companions,
      queue,
      budget,
    });
    this.uploader = new Uploader({
      journal,
      shipping: this.shipping,
      companions,
      active,
      budget,
      clock,
      folder,
      sessions: new PQueue({ concurrency: concurrency * 4 }),
      sessionsMax: concurrency * 4,
      sharing,
      hasOpenSessions: () => tracker.sessions.unfinished().length > 0,
      onShipped: (sid, root) => this.#shipped(sid, root),
    });
  }

  async #shipped(sid: number, root: WatchedPath): Promise<void> {
    await this.tracker.onShipped(sid, root);
    this.growing?.announced(sid);
  }

  /** Waits until nothing grows in the bucket that is due now. */
  async grown(): Promise<void> {
    while (this.growing?.isIdle === false) await new Promise((resolve) => setImmediate(resolve));
  }

  #isNetwork(): boolean {
    const state = this.watcher.folderState;
    return state?.state === 'present' && state.network;
  }

  /** Of a drain of so long on a host of which `because` says that it is going. */
  depart(because: string | undefined, timeoutMs: number): Promise<void> {
    const { tracker, observer, snapshots, watcher, looking, context } = this;
    const { clock, events } = context;
    return departWithHost(
      {
        fate: { goingBecause: async () => because },
        sessions: () => tracker.sessions,
        observer,
        snapshots,
        clock,
        events,
        settleMs: () => settleMs,
        onHurry: () => looking.hurry(),
        onDue: (root) => watcher.lookAt(root),
      },
      timeoutMs,
    );
  }

  /** One look at the whole folder. */
  look(): Promise<boolean> {
    return this.tracker.survey(noSignal);
  }

  async lookTwice(): Promise<void> {
    await this.look();
    await this.#clock.advance(settleMs);
    await this.look();
  }

  /** Ships what is due now, oldest session first, one after the other. What is due later stays. */
  async ship(): Promise<void> {
    for (let step = 0; step < stepsMax; step++) {
      const [sid] = this.journal.dueSessions(folder, this.#clock.monotonicMs(), 1);
      if (sid === undefined) return;
      const root = this.journal.rootOf(sid);
      if (!(await this.sharing.mayShip(sid))) continue;
      if ((await this.shipping.pass(sid, noSignal)) && root !== undefined) await this.#shipped(sid, root);
    }
    throw new Error(`a session is due again and again: ${stepsMax} passes did not ship it`);
  }

  async deliver(): Promise<void> {
    await this.lookTwice();
    await this.ship();
  }
}

function rulesOf(glob: string | undefined, source: FileSource): Omit<SurveyRules, 'frozen'> {
  return {
    recognition: new RootRecognition(source, formatReaders),
    matches: glob === undefined ? undefined : picomatch(glob.replace(/\/$/, '')),
    depthMax: glob === undefined ? 6 : Number.POSITIVE_INFINITY,
  };
}
