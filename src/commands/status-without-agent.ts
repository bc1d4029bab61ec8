import { hostname } from 'node:os';
import { hasJournal } from '../adapters/journal-file.ts';
import { StateError } from '../adapters/journal-trouble.ts';
import { openJournal } from '../adapters/open-journal.ts';
import { createStore } from '../compose-parts.ts';
import type { Config } from '../config/schema.ts';
import type { Backlog } from '../ports/backlog.ts';
import type { Status } from '../ports/status.ts';
import { unlessHeld } from './unanswered.ts';
import { backlogLines, namedAtEnd } from './unsent.ts';
import { programVersion } from './version.ts';

export interface Located {
  readonly config: Config;
  /** The watched folder by its real path, as far as that is known. */
  readonly folder: string;
}

/** What a journal that nobody holds tells. Throws StateError where it cannot be read. */
export async function readStatus({ config, folder }: Located): Promise<Status> {
  const store = createStore(config);
  const destination = store.name;
  await store.close();
  return {
    version: 1,
    running: false,
    host: hostname(),
    program: programVersion(),
    folder,
    destination,
    state: config.state.directory,
    ...readJournal(config.state.directory, folder),
    uploads: [],
    loose: [],
  };
}

/** The same; undefined where it cannot be read. */
export async function readStatusIfPossible(of: Located): Promise<Status | undefined> {
  try {
    return await readStatus(of);
  } catch (error) {
    if (error instanceof StateError) return undefined; // reason: whoever asks has told already what is wrong with it
    throw error;
  }
}

/** What the journal names as unsent, as far as it can be read. */
export function unsentInJournal(stateDirectory: string, folder: string): string[] {
  try {
    return backlogLines(readJournal(stateDirectory, folder, namedAtEnd).backlog);
  } catch (error) {
    if (error instanceof StateError) return []; // reason: as above
    throw error;
  }
}

function readJournal(
  stateDirectory: string,
  folder: string,
  namedMax?: number,
): Pick<Status, 'backlog' | 'parts'> {
  if (!hasJournal(stateDirectory)) return { backlog: emptyBacklog };
  const journal = unlessHeld(() => openJournal(stateDirectory));
  try {
    return { backlog: journal.backlog(folder, namedMax), parts: journal.uploadCounts() };
  } finally {
    journal.close();
  }
}

export const emptyBacklog: Backlog = {
  open: 0,
  shipping: 0,
  shipped: 0,
  skipped: 0,
  pendingFiles: 0,
  pendingBytes: 0,
  oldestPendingFoundAtMs: undefined,
  parkedFiles: 0,
  unsent: [],
  parked: [],
};
