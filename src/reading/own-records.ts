import type { RecordedObjects } from '../ports/recorded-objects.ts';

/**
 * The journal of this machine for somebody who takes long: it is opened for each question and closed again, so that an
 * agent may start meanwhile. One that an agent holds is not waited for: from then on it is as if there were none.
 */
export interface OwnRecords extends RecordedObjects {
  /** Why no journal is asked, or not any more; undefined: it is. */
  unasked(): 'none' | 'held' | undefined;
}

/** `ask` opens the journal; undefined where there is none, `held` where an agent has it. */
export function createOwnRecords(
  ask: <T>(question: (journal: RecordedObjects) => T) => { readonly answer: T } | 'none' | 'held',
): OwnRecords {
  let unasked: 'none' | 'held' | undefined;
  const answer = <T>(question: (journal: RecordedObjects) => T, nothing: T): T => {
    const given = unasked ?? ask(question);
    if (typeof given === 'object') return given.answer;
    unasked = given;
    return nothing;
  };
  return {
    unasked: () => unasked,
    recordedMonths: () => answer((journal) => journal.recordedMonths(), new Set<string>()),
    recordedSessions: (after, to) => answer((journal) => journal.recordedSessions(after, to), []),
  };
}
