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
import { type SessionLog, sessionLogSchema } from '../../src/domain/session-log.ts';
import type { RootRules } from '../../src/domain/session-root.ts';
import { readOneFileSession } from '../../src/formats/native.ts';
import { formatReaders } from '../../src/formats/registry.ts';
import type { EventMap, EventName, Events } from '../../src/ports/events.ts';
import type { FileSource } from '../../src/ports/file-source.ts';
import type { Journal } from '../../src/ports/journal.ts';
import { Assembler } from '../../src/services/assembler.ts';
import { countServed } from '../../src/services/counted-store.ts';
import { DestinationGate } from '../../src/services/destination-gate.ts';
import { FileTransfer } from '../../src/services/file-transfer.ts';
import { FolderWatcher } from '../../src/services/folder-watcher.ts';
import { LogShipping } from '../../src/services/log-shipping.ts';
import { meterLooks } from '../../src/services/metered-source.ts';
import { SessionObserver } from '../../src/services/session-observer.ts';
import { SessionReadings } from '../../src/services/session-reading.ts';
import { SessionShipping } from '../../src/services/session-shipping.ts';
import { SessionTracker } from '../../src/services/session-tracker.ts';
import { Uploader } from '../../src/services/uploader.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeProcesses } from '../fakes/fake-processes.ts';
import { MemoryFolder } from '../fakes/memory-folder.ts';
import { MemoryStore } from '../fakes/memory-store.ts';

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
  readonly journal?: (journal: Journal) => Journal;
  readonly source?: (source: FileSource) => FileSource;
  readonly sessions?: string;
  readonly ignoreOlderThanMs?: number;
  readonly includeSkipped?: boolean;
  readonly concurrency?: number;
  readonly bytesMax?: number;
}

/** The world around an agent: it outlives every one of them. */
export class World {
  readonly clock = new FakeClock();
  readonly folder: MemoryFolder;
  readonly store: MemoryStore;
  readonly processes = new FakeProcesses();
  readonly events = new Recorder();
  #state = '';
  #journal: Journal | undefined;

  constructor(options: { createIsAtomic?: boolean; createSettleMs?: number; reuseInodes?: boolean } = {}) {
    this.clock.random(); // reason: the first is next to nothing, and so would be the first delay
    this.folder = new MemoryFolder({ clock: this.clock, reuseInodes: options.reuseInodes ?? false });
    this.store = new MemoryStore(options);
    onTestFinished(() => this.#journal?.close());
  }

  /** A new process: whatever the one before had in memory is forgotten, its journal is read. */
  start(options: StartOptions = {}): TestAgent {
    this.#journal?.close();
    if (this.#state === '' || options.lost) {
      const state = mkdtempSync(join(tmpdir(), 'trainlogd-services-'));
      this.#state = state;
      onTestFinished(() => rmSync(state, { recursive: true, force: true }));
    }
    const holder = { pid: 1, host: 'node-1', folder, startedAt: '2026-01-02T03:04:05.000Z' };
    this.#journal = createSqliteJournal(openJournalFile(this.#state, holder));
    const agent = new TestAgent(this, options.journal?.(this.#journal) ?? this.#journal, options);
    this.#journal.recover();
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
  readonly #clock: FakeClock;

  constructor(world: World, journal: Journal, options: StartOptions) {
    const { clock, events, processes } = world;
    const { concurrency = 4 } = options;
    const source = options.source?.(world.folder) ?? world.folder;
    const base = { source, journal, clock, events };
    this.#clock = clock;
    this.journal = journal;
    const readings = new SessionReadings({ source, readers: formatReaders, oneFile: readOneFileSession });
    const assembler = new Assembler({
      ...base,
      readings,
      choose: createCompanionFilter({
        include: ['**'],
        exclude: checkpointGlobs,
        checkpoints: checkpointGlobs,
        bytesMax: options.bytesMax ?? 1_000_000,
      }),
      keyTemplate,
      folder,
      agent: { version: '0.1.0', host: 'node-1' },
      defaults: undefined,
    });
    this.observer = new SessionObserver({
      ...base,
      readings,
      assembler,
      processes,
      folder,
      idleMs,
      settleMs: () => (this.#isNetwork() ? networkSettleMs : settleMs),
      onEnqueued: () => this.uploader.wake(),
    });
    const looking = { spentMs: 0 };
    this.tracker = new SessionTracker({
      ...base,
      source: meterLooks(base.source, clock, looking),
      readings,
      observer: this.observer,
      folder,
      rules: rulesOf(options.sessions),
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
    const store = countServed(world.store, this.gate.served);
    const context = { ...base, store, gate: this.gate, retry, keyTemplate, logBytesMax: 1_000_000 };
    this.shipping = new SessionShipping({
      context,
      logs: new LogShipping(context),
      transfer: new FileTransfer(context),
      queue: new PQueue({ concurrency }),
    });
    this.uploader = new Uploader({
      journal,
      shipping: this.shipping,
      clock,
      folder,
      sessions: new PQueue({ concurrency: concurrency * 4 }),
      sessionsMax: concurrency * 4,
      hasOpenSessions: () => tracker.sessions.open().length > 0,
      onShipped: (sid, root) => tracker.onShipped(sid, root),
    });
  }

  #isNetwork(): boolean {
    const state = this.watcher.folderState;
    return state?.state === 'present' && state.network;
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
      if ((await this.shipping.pass(sid, noSignal)) && root !== undefined) this.tracker.onShipped(sid, root);
    }
    throw new Error(`a session is due again and again: ${stepsMax} passes did not ship it`);
  }

  async deliver(): Promise<void> {
    await this.lookTwice();
    await this.ship();
  }
}

function rulesOf(glob: string | undefined): Omit<RootRules, 'frozen'> {
  return {
    recognise: (names) => formatReaders.flatMap((reader) => reader.recognise(names)?.confidence ?? [])[0],
    matches: glob === undefined ? undefined : picomatch(glob.replace(/\/$/, '')),
    depthMax: glob === undefined ? 6 : Number.POSITIVE_INFINITY,
  };
}
