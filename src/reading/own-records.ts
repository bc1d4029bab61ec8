import type { RecordedObjects, RecordedSession } from '../ports/recorded-objects.ts';

/**
 * The journal of this machine for somebody who takes long: an agent that runs is asked for it; without one it is opened
 * for each question and closed again, so that an agent may start meanwhile. Where neither answers it is from then on as
 * if there were none.
 */
export interface OwnRecords {
  recordedMonths(): Promise<ReadonlySet<string>>;
  recordedSessions(after: string, to: string): Promise<readonly RecordedSession[]>;
  /** Why no journal is asked, or not any more; undefined: it is. */
  unasked(): 'none' | 'held' | undefined;
}

export interface JournalAccess {
  /** Undefined where no agent answers. */
  readonly agent: {
    recordedMonths(): Promise<readonly string[] | undefined>;
    recordedSessions(after: string, to: string): Promise<readonly RecordedSession[] | undefined>;
  };
  /** Opens the journal; `held` where a program has it. */
  readonly open: <T>(question: (journal: RecordedObjects) => T) => { readonly answer: T } | 'none' | 'held';
}

export function createOwnRecords({ agent, open }: JournalAccess): OwnRecords {
  let unasked: 'none' | 'held' | undefined;
  const answer = async <T>(
    asked: () => Promise<T | undefined>,
    question: (journal: RecordedObjects) => T,
    nothing: T,
  ): Promise<T> => {
    if (unasked !== undefined) return nothing;
    const told = await asked();
    if (told !== undefined) return told;
    const given = open(question);
    if (typeof given === 'object') return given.answer;
    unasked = given;
    return nothing;
  };
  return {
    unasked: () => unasked,
    recordedMonths: async () =>
      new Set(
        await answer<readonly string[]>(agent.recordedMonths, (journal) => [...journal.recordedMonths()], []),
      ),
    recordedSessions: (after, to) =>
      answer<readonly RecordedSession[]>(
        () => agent.recordedSessions(after, to),
        (journal) => journal.recordedSessions(after, to),
        [],
      ),
  };
}
