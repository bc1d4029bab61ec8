import picomatch from 'picomatch';
import { createBandwidth } from './adapters/bandwidth.ts';
import { createDirectoryStore } from './adapters/directory-store.ts';
import type { S3Access } from './adapters/s3-access.ts';
import { createS3Store } from './adapters/s3-store.ts';
import { systemClock } from './adapters/system-time.ts';
import type { Config } from './config/schema.ts';
import type { FactSource } from './domain/merge-facts.ts';
import { probeKey } from './domain/object-key.ts';
import { formatReaders } from './formats/registry.ts';
import type { FileSource } from './ports/file-source.ts';
import type { Journal } from './ports/journal.ts';
import type { ObjectStore } from './ports/object-store.ts';
import { RootRecognition, type SurveyRules } from './services/root-recognition.ts';

export { realFolder } from './adapters/real-folder.ts';

/** Parts that the configuration decides; also for commands that need no daemon. */
const sessionDepthMax = 6;

/** What a store keeps from one life to the next, and signs with; a look at what is there needs neither. */
export interface StoreSupport {
  readonly access?: S3Access | undefined;
  readonly journal?: Pick<Journal, 'getMeta' | 'setMeta'>;
}

export function createStore(config: Config, { access, journal }: StoreSupport = {}): ObjectStore {
  const { destination, upload, companions } = config;
  if (destination.kind === 'directory') return createDirectoryStore({ path: destination.path });
  const { partSizeBytes, partConcurrency, memoryBytesMax, bandwidthBytesPerSecondMax } = upload;
  return createS3Store({
    destination,
    access,
    // Whoever has a journal ships from it, again and again.
    isRetried: journal !== undefined,
    partSizeBytes,
    partConcurrency,
    memoryBytesMax,
    objectBytesMax: companions.bytesMax,
    bandwidth: createBandwidth(bandwidthBytesPerSecondMax, systemClock),
    checksums: destination.checksums,
    probeKey: probeKey(destination.keyTemplate),
    recall: (name) => journal?.getMeta(name),
    remember: (name, value) => journal?.setMeta(name, value),
  });
}

export function rootRules(config: Config, source: FileSource): Omit<SurveyRules, 'frozen'> {
  const glob = config.watch.sessions;
  return {
    recognition: new RootRecognition(source, formatReaders),
    matches: glob === 'auto' ? undefined : picomatch(glob.replace(/\/$/, '')),
    depthMax: glob === 'auto' ? sessionDepthMax : Number.POSITIVE_INFINITY,
  };
}

const localTimes = { settleMs: 2_000, rescanMs: 60_000 };
const networkTimes = { settleMs: 120_000, rescanMs: 600_000 };

/** Which file system the folder lies on is known only once it was looked at. */
export function watchTimes({ watch }: Config, isNetwork: () => boolean) {
  const times = () => (isNetwork() ? networkTimes : localTimes);
  return {
    settleMs: () => (watch.settleMs === 'auto' ? times().settleMs : watch.settleMs),
    rescanMs: () => (watch.rescanMs === 'auto' ? times().rescanMs : watch.rescanMs),
  };
}

export function defaultFacts({ defaults }: Config): FactSource | undefined {
  const { user, pod, costPerHour, currency } = defaults;
  const podFacts = {
    ...pod,
    ...(costPerHour !== undefined && { costPerHour }),
    ...(currency !== undefined && { currency }),
  };
  const facts = {
    ...(user !== undefined && { user: { username: user } }),
    ...(Object.keys(podFacts).length > 0 && { pod: podFacts }),
  };
  return Object.keys(facts).length > 0 ? { source: 'defaults', facts, provenance: {} } : undefined;
}

/** In the reverse order of opening; the journal last, which is the lock. */
export async function closeAll(source: FileSource, store: ObjectStore, journal: Journal): Promise<void> {
  try {
    await source.close();
  } finally {
    try {
      await store.close();
    } finally {
      journal.close();
    }
  }
}
