import { AgentRefusal, askAgent } from './adapters/ask-agent.ts';
import { createDirectoryReader } from './adapters/directory-reader.ts';
import { hasJournal } from './adapters/journal-file.ts';
import { StateError } from './adapters/journal-trouble.ts';
import { openJournal } from './adapters/open-journal.ts';
import { createS3Reader } from './adapters/s3-reader.ts';
import { systemClock } from './adapters/system-time.ts';
import { createAccess } from './compose-access.ts';
import type { Config } from './config/schema.ts';
import type { AgentAnswers, AgentRequest } from './ports/agent-requests.ts';
import type { Events } from './ports/events.ts';
import type { RecordedObjects } from './ports/recorded-objects.ts';
import { createOwnRecords, type OwnRecords } from './reading/own-records.ts';
import { createReading, type Reading } from './reading/reading.ts';

/** An agent that works through its folder may take its time. */
const answerTimeoutMs = 30_000;

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

/** What this machine's journal recorded. Throws StateError where it cannot be read, but for a program that holds it. */
export function composeOwnRecords({ state: { directory } }: Config): OwnRecords {
  return createOwnRecords({
    agent: {
      recordedMonths: async () => (await ask<'recordedMonths'>(directory, { ask: 'recordedMonths' }))?.months,
      recordedSessions: async (after, to) =>
        (await ask<'recordedSessions'>(directory, { ask: 'recordedSessions', after, to }))?.sessions,
    },
    open: (question) => openFor(directory, question),
  });
}

/** An agent that waits for its disk, or is older, does not know: as if none answered. */
async function ask<Ask extends AgentRequest['ask']>(
  directory: string,
  request: Extract<AgentRequest, { ask: Ask }>,
): Promise<AgentAnswers[Ask] | undefined> {
  try {
    return await askAgent<Ask>(directory, request, answerTimeoutMs);
  } catch (error) {
    if (error instanceof AgentRefusal) return undefined; // reason: whoever asks then finds the journal held, and says so
    throw error;
  }
}

function openFor<T>(
  directory: string,
  question: (journal: RecordedObjects) => T,
): { readonly answer: T } | 'none' | 'held' {
  if (!hasJournal(directory)) return 'none';
  try {
    const journal = openJournal(directory);
    try {
      return { answer: question(journal) };
    } finally {
      journal.close();
    }
  } catch (error) {
    if (error instanceof StateError && error.trouble.kind === 'held') return 'held';
    throw error;
  }
}
