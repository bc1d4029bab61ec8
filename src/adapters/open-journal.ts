import type { Journal } from '../ports/journal.ts';
import { type JournalHolder, journalFileOf, openJournalFile } from './journal-file.ts';
import { sealJournal } from './journal-seal.ts';
import { journalTrouble, StateError } from './journal-trouble.ts';
import { createSqliteJournal } from './sqlite-journal.ts';

/** The journal of a state directory; without a holder only to look into it. Throws StateError, and then holds nothing. */
export function openJournal(stateDirectory: string, holder?: JournalHolder): Journal {
  const database = openJournalFile(stateDirectory, holder);
  try {
    const journal = createSqliteJournal(database);
    if (!holder) return journal;
    return {
      ...journal,
      close: () => {
        journal.close();
        sealJournal(stateDirectory, journalFileOf(stateDirectory));
      },
    };
  } catch (error) {
    if (database.isOpen) database.close();
    const trouble = journalTrouble(error);
    if (!trouble) throw error;
    const cause = `opening the journal ${JSON.stringify(journalFileOf(stateDirectory))}: ${trouble.cause}`;
    throw new StateError({ ...trouble, cause }, error);
  }
}
