import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openJournalFile } from '../../src/adapters/journal-file.ts';
import { journalVersion } from '../../src/adapters/journal-schema.ts';
import { createSqliteJournal } from '../../src/adapters/sqlite-journal.ts';
import { holder } from '../support/journal.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/**
 * test/fixtures/journal/version-4.sqlite: what the program of journal version 4 left after `drain /srv/outputs --timeout
 * 22s` over a slow line. One session is shipped; of `large` two small files and the first part of a large one; `small` and
 * `running`, which nobody ended, wait whole.
 */
test('the journal of the version before is taken over with its queue, its ledger and what was shipped', async () => {
  const state = await temporaryDirectory();
  const left = join(import.meta.dirname, '..', 'fixtures', 'journal', 'version-4.sqlite');
  await copyFile(left, join(state, 'journal.sqlite'));
  const database = openJournalFile(state, holder);
  const journal = createSqliteJournal(database);
  onTestFinished(() => journal.close());
  expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: journalVersion });

  const folder = '/srv/outputs';
  expect(journal.recover()).toMatchObject({ openSessions: 0, unfinishedSessions: 3, unfinishedFiles: 4 });
  const told = journal.sessions(folder).map(({ root, phase, revision }) => `${root} ${phase} ${revision}`);
  expect(told).toEqual(['ended shipped 1', 'large shipping 2', 'running shipping 1', 'small shipping 1']);
  expect(journal.backlog(folder)).toMatchObject({ shipping: 3, shipped: 1, pendingFiles: 4, parked: [] });
  expect(journal.backlog(folder).unsent.map(({ session, path }) => `${session} ${path}`)).toEqual([
    'large events.bin',
    'running stdout.log',
    'small _SUCCESS',
    'small stdout.log',
    'large training-logs/2026/11/large.log',
    'running training-logs/2026/11/running.log',
    'small training-logs/2026/11/small.log',
  ]);
  const [, large] = journal.sessions(folder);
  const upload = journal.openUpload(large?.sid ?? 0, 'events.bin');
  expect(upload).toMatchObject({ checksum: 'md5', parts: [{ number: 1, sizeBytes: 8_388_608 }] });
  expect(journal.recentSessions(folder, 0, 10).map(({ id, status }) => `${id} ${status}`)).toEqual([
    'running stalled',
    'small completed',
    'large completed',
    'ended failed',
  ]);
});
