import { realpathSync } from 'node:fs';
import picomatch from 'picomatch';
import { createDirectoryStore } from './adapters/directory-store.ts';
import { createS3Store } from './adapters/s3-store.ts';
import type { Config } from './config/schema.ts';
import type { FactSource } from './domain/merge-facts.ts';
import type { RootRules } from './domain/session-root.ts';
import { formatReaders } from './formats/registry.ts';
import type { ObjectStore } from './ports/object-store.ts';

/** Parts that the configuration decides; also for commands that need no daemon. */
const sessionDepthMax = 6;

export function createStore(config: Config): ObjectStore {
  const { destination, upload } = config;
  if (destination.kind === 'directory') return createDirectoryStore({ path: destination.path });
  const { partSizeBytes, partConcurrency } = upload;
  return createS3Store({ destination, partSizeBytes, partConcurrency });
}

/** The folder by its real path, so that a link to it is no other folder; as given while it is not there. */
export function realFolder(directory: string): string {
  try {
    return realpathSync(directory);
  } catch {
    return directory; // reason: it may be created or mounted later
  }
}

export function rootRules(config: Config): Omit<RootRules, 'frozen'> {
  const glob = config.watch.sessions;
  return {
    recognise: (names) => {
      const found = formatReaders.flatMap((reader) => reader.recognise(names)?.confidence ?? []);
      return found.includes('certain') ? 'certain' : found[0];
    },
    matches: glob === 'auto' ? undefined : picomatch(glob.replace(/\/$/, '')),
    depthMax: glob === 'auto' ? sessionDepthMax : Number.POSITIVE_INFINITY,
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
