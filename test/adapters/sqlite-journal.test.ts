import { journalContract } from '../contracts/journal.ts';
import { sqliteJournal } from '../support/journal.ts';

journalContract('SQLite', sqliteJournal);
