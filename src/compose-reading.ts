import { existsSync } from 'node:fs';
import { createDirectoryReader } from './adapters/directory-reader.ts';
import { journalFileOf } from './adapters/journal-file.ts';
import { StateError } from './adapters/journal-trouble.ts';
import { openJournal } from './adapters/open-journal.ts';
import { createS3Reader } from './adapters/s3-reader.ts';
import { systemClock } from './adapters/system-time.ts';
import { createAccess } from './compose-access.ts';
import type { Config } from './config/schema.ts';
import type { Events } from './ports/events.ts';
import { createOwnRecords, type OwnRecords } from './reading/own-records.ts';
import { createReading, type Reading } from './reading/reading.ts';

/** The bucket for those who read it back: no folder and no state directory is needed. Close its reader. */
export function composeReading(config: Config, events: Events): Reading {
  const { destination } = config;
  const { keyTemplate } = destination;
  const access = createAccess(config, systemClock, events);
  const reader =
    destination.kind === 'directory'
      ? createDirectoryReader(destination)
      : createS3Reader(destination, access);
  const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + (access?.clock.offsetMs() ?? 0) };
  return createReading({ reader, keyTemplate, clock });
}

/** What this machine's journal recorded. Throws StateError where it cannot be read, but for an agent that holds it. */
export function composeOwnRecords({ state }: Config): OwnRecords {
  return createOwnRecords((question) => {
    if (!existsSync(journalFileOf(state.directory))) return 'none';
    try {
      const journal = openJournal(state.directory);
      try {
        return { answer: question(journal) };
      } finally {
        journal.close();
      }
    } catch (error) {
      if (error instanceof StateError && error.trouble.kind === 'held') return 'held';
      throw error;
    }
  });
}
